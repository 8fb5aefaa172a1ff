package import AuditTrail
package import OpenSSLCrypto

/// A journal whose chain was checked as a whole, read up to the first record that does not hold.
///
/// What is given out is checked once more as it is read: a line is given when the record behind it has its digest, and
/// the last of a segment when it is the one that the check found there. So what was altered since is not given either.
package struct VerifiedJournal {
  private let files: any JournalFileSystem
  /// The record before the first that is kept.
  private let base: ChainHead
  /// The last record of each segment, as far as they hold to their end.
  private let ends: [SegmentName: ChainHead]
  /// What is wrong: nothing from this record on is given out.
  package let problem: ChainProblem?
  /// What whoever reads it should know all the same.
  package let notices: [String]
  /// The last record that may be given.
  private let last: Int

  /// Checks the journal in a directory, whether or not a gateway is writing it.
  package init(
    directory: String, keys: [Ed25519PublicKey] = [],
    progress: (_ done: Int, _ total: Int?) -> Void = { _, _ in }
  ) throws(FileFault) {
    try self.init(PosixFileSystem(directory, creating: false), keys: keys, progress: progress)
  }

  init(
    _ files: any JournalFileSystem, keys: [Ed25519PublicKey] = [],
    progress: (_ done: Int, _ total: Int?) -> Void = { _, _ in }
  ) throws(FileFault) {
    self.files = files
    let verification = try JournalVerification(of: files, keys: keys, progress: progress)
    base = verification.base
    var ends = verification.lastRecords
    switch verification.problem?.kind {
    case nil: (problem, notices, last) = (nil, verification.notices, verification.extent.head.sequence)
    case .torn(_, wasWhole: false)?:
      // The journal ends there: what is torn was never acknowledged, and the next start drops it.
      let torn = verification.problem
      if let name = torn.flatMap({ SegmentName(file: $0.segment) }) { ends[name] = verification.extent.head }
      problem = nil
      notices = verification.notices + [torn.map { "\($0.segment): \($0.message)" }].compactMap(\.self)
      last = verification.extent.head.sequence
    case .checkpoint(.missing)? where verification.base == .genesis:
      // A key that was configured after the journal began: all of it is there, and every record holds.
      problem = nil
      notices = verification.notices + ["no checkpoint bears the configured key's signature yet"]
      last = verification.extent.head.sequence
    case .checkpoint?:
      // When the checkpoints are not what they were, nothing says up to where the journal is what it was.
      (problem, notices, last) = (verification.problem, verification.notices, 0)
    case .some(let kind):
      let found = verification.problem
      let before = (found?.sequence ?? 1) - 1
      (problem, notices, last) = (found, verification.notices, before)
      // The one before is vouched for by the one that does not hold, if that is there and only its own content is not.
      if kind != .altered { ends = ends.filter { $0.value.sequence < before } }
    }
    self.ends = ends
  }
}

extension VerifiedJournal {
  /// How reading ended.
  package struct Ending: Sendable {
    /// What does not hold; nothing from there on was given out.
    package var problem: ChainProblem?
    /// The last record that retention removed after the check and before it could be read.
    package var removed: Int?
  }

  /// Calls `body` with each line, without its line feed, until it returns `false`.
  package func forEachLine(_ body: ([UInt8]) -> Bool) throws(FileFault) -> Ending {
    var ending = Ending()
    // A segment that is not whole ends at `last`.
    var before = base
    for segment in try JournalListing(files).segments where segment.firstSequence <= last {
      guard segment.firstSequence > before.sequence else { continue }
      if segment.firstSequence > before.sequence + 1 {
        // Those before it are gone since, and what the check found at their end is what this one is chained to.
        guard let end = ends.values.first(where: { $0.sequence == segment.firstSequence - 1 }) else {
          ending.problem =
            problem
            ?? ChainProblem(
              segment: segment.file, line: nil, sequence: before.sequence + 1,
              kind: .missing(next: segment.firstSequence))
          return ending
        }
        ending.removed = end.sequence
        before = end
      }
      let end = ends[segment]
      switch try read(segment, after: before, upTo: end, body) {
      case .stopped: return ending
      case .changed(let problem):
        ending.problem = self.problem ?? problem
        return ending
      case .whole: before = end ?? before
      case .expired:
        ending.removed = end?.sequence ?? ending.removed
        before = end ?? before
      }
    }
    ending.problem = problem
    return ending
  }

  /// Calls `body` with each request, in the order in which they were first recorded, until it returns `false`. With a
  /// problem, those that may have more to tell behind it are not given.
  package func forEachRequest(_ body: (RequestHistory) -> Bool) throws(FileFault) -> Ending {
    var survey = JournalSurvey()
    let first = try forEachRecord {
      survey.take($0)
      return true
    }
    var joiner = RequestJoiner(after: survey)
    var isWanted = true
    func give(_ request: RequestHistory) {
      if isWanted { isWanted = body(request) }
    }
    var ending = try forEachRecord {
      joiner.take($0, give)
      return isWanted
    }
    // Altered between the two, and the first did not get as far.
    ending.problem = ending.problem ?? first.problem
    if ending.problem == nil { joiner.finish(give) }
    return ending
  }

  /// The first record that `isWanted`.
  package func firstRecord(where isWanted: (JournalRecord) -> Bool) throws(FileFault) -> JournalRecord? {
    var found: JournalRecord?
    _ = try forEachRecord { record in
      if isWanted(record) { found = record }
      return found == nil
    }
    return found
  }

  private func forEachRecord(_ body: (JournalRecord) -> Bool) throws(FileFault) -> Ending {
    // The check has read each of them as a record.
    try forEachLine { line in JournalRecord(line: line).map(body) ?? true }
  }
}

extension VerifiedJournal {
  private enum Reading {
    case whole
    /// `body` wants no more.
    case stopped
    case changed(ChainProblem)
    /// Retention has removed it.
    case expired
  }

  private func read(
    _ segment: SegmentName, after before: ChainHead, upTo end: ChainHead?, _ body: ([UInt8]) -> Bool
  ) throws(FileFault) -> Reading {
    var lines: SegmentLines
    do throws(FileFault) {
      lines = try SegmentLines(segment.file, in: files)
    } catch {
      guard error.isExpiry else { throw error }
      return .expired
    }
    let result = Result { () throws(FileFault) in
      try read(&lines, of: segment, after: before, upTo: end, body)
    }
    lines.close()
    return try result.get()
  }

  private func read(
    _ lines: inout SegmentLines, of segment: SegmentName, after before: ChainHead, upTo end: ChainHead?,
    _ body: ([UInt8]) -> Bool
  ) throws(FileFault) -> Reading {
    var head = before
    // Read, and not yet vouched for.
    var waiting: [UInt8]?
    while head.sequence < end?.sequence ?? last + 1 {
      guard try lines.next() == .line, let prefix = RecordPrefix(lines.line.bytes),
        head.doubt(before: prefix) == nil,
        let next = ChainHead(ofLine: lines.line.bytes)
      else { return .changed(Self.change(at: head.sequence + (waiting == nil ? 1 : 0), in: segment)) }
      if let line = waiting, !body(line) { return .stopped }
      waiting = next.sequence <= last ? lines.line.withUnsafeBufferPointer { Array($0) } : nil
      head = next
    }
    // What does not hold stands in this segment, and what is before it was given.
    guard let end else { return .whole }
    guard head == end else { return .changed(Self.change(at: head.sequence, in: segment)) }
    if let waiting, !body(waiting) { return .stopped }
    return .whole
  }

  private static func change(at sequence: Int, in segment: SegmentName) -> ChainProblem {
    ChainProblem(segment: segment.file, line: nil, sequence: sequence, kind: .altered)
  }
}
