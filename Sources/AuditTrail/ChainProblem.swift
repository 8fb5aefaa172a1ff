/// What is wrong with a journal, and where: the first record that is not what it was when it was written.
package struct ChainProblem: Error, Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// The line does not begin as a record's line does.
    case noRecord
    /// Another record stands where this one should.
    case otherRecord(found: Int)
    /// The next record's `previous` is not this record's digest.
    case altered
    /// This record's `previous` is not the digest of the record before.
    case unlinked
    /// The last line has no line feed: that many bytes of it are there. `wasWhole`: `checkpoint.head` says that the
    /// record was on disk.
    case torn(bytes: Int, wasWhole: Bool)
    /// The last batch was never acknowledged, and some of its blocks never reached the disk: they read as zeros.
    case unwrittenBlocks
    /// The segment's name promises another first record, or the segment that holds this one is missing.
    case missing(next: Int)
    /// The journal ends before it, and `checkpoint.head` says that it was on disk.
    case cutOff(last: Int)
    /// `checkpoint.head` holds another digest of it.
    case otherThanMarked
    /// The line is longer than any record.
    case tooLong
    /// The record is of a version that this program does not know.
    case unknownVersion(Int)
    /// The records up to this one are not there, and no `expired` record says that retention removed them.
    case removed
    /// An `expired` record names another record as the last that was removed than the one that the next is chained to.
    case expiredOther
    /// A checkpoint is bad, or the journal is not what it says; `segment` is the file of the checkpoints.
    case checkpoint(CheckpointFault)
  }

  /// The segment's file.
  package let segment: String
  /// From 1; `nil` when the line is not there.
  package let line: Int?
  package let sequence: Int
  package let kind: Kind

  package init(segment: String, line: Int?, sequence: Int, kind: Kind) {
    self.segment = segment
    self.line = line
    self.sequence = sequence
    self.kind = kind
  }

  /// One line, for whoever must find out what happened.
  package var message: String {
    switch kind {
    case .noRecord: "what stands in the place of record \(sequence) is not a record"
    case .otherRecord(let found):
      "record \(found) stands in the place of record \(sequence): records were removed, moved or doubled"
    case .altered: "record \(sequence) was altered: the record after it was chained to another content"
    case .unlinked: "record \(sequence) is not chained to the record before it"
    case .torn(let bytes, wasWhole: true):
      "record \(sequence) is cut after \(bytes) bytes, and it was whole before"
    case .torn(let bytes, wasWhole: false):
      "record \(sequence) is cut after \(bytes) bytes: it was being written when the gateway stopped, "
        + "and the next start drops it"
    case .unwrittenBlocks:
      "record \(sequence) was not yet on disk when the machine stopped; the next start drops it"
    case .missing(let next): "record \(sequence) is missing: the segment begins with record \(next)"
    case .cutOff(let last):
      "record \(sequence) is missing: the journal ends with record \(last), and it was longer"
    case .otherThanMarked: "record \(sequence) is not the one that checkpoint.head names"
    case .tooLong: "what stands in the place of record \(sequence) is longer than any record"
    case .unknownVersion(let version):
      "record \(sequence) has recordVersion \(version), which this version of gatehouse does not know; it reads "
        + "up to \(RecordVersion.current): use the version that wrote it"
    case .checkpoint(let fault): fault.message(sequence: sequence)
    case .removed:
      "the records up to \(sequence) were removed, and no `expired` record says that retention did it"
    case .expiredOther:
      "record \(sequence) is not the one that the `expired` record names as the last that retention removed"
    }
  }

  /// Whether this is what a crash can leave at the end of a journal, so that the next start may drop it and go on.
  ///
  /// One record that is cut counts as such even when it had been whole: its rest is kept aside, and a `dropped` record
  /// takes its place.
  package func isLeftByCrash(lastSegment: String) -> Bool {
    guard segment == lastSegment else { return false }
    switch kind {
    case .torn, .unwrittenBlocks: return true
    case .noRecord, .otherRecord, .altered, .unlinked, .missing, .cutOff, .otherThanMarked, .tooLong,
      .unknownVersion, .removed, .expiredOther, .checkpoint:
      return false
    }
  }
}
