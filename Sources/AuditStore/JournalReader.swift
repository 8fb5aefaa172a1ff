package import AuditTrail

/// Reads the records of a journal, whether or not a gateway is writing it. It does not stop where the chain does not hold,
/// but each record bears what the one behind it says of it.
package struct JournalReader {
  private let files: any JournalFileSystem

  package init(directory: String) throws(FileFault) {
    files = try PosixFileSystem(directory, creating: false)
  }

  init(_ files: any JournalFileSystem) { self.files = files }

  /// Whether some process writes the journal now.
  package func isHeld() throws(FileFault) -> Bool { try JournalLock.isHeld(in: files) }

  /// Calls `body` with each request that the journal tells of, in the order in which they were first recorded.
  /// - Returns: how many lines could not be read as records.
  @discardableResult
  package func forEachRequest(_ body: (RequestHistory) -> Void) throws(FileFault) -> Int {
    var survey = JournalSurvey()
    let unreadable = try forEachRecord { survey.take($0) }
    var joiner = RequestJoiner(after: survey)
    _ = try forEachRecord(upTo: survey.lastSequence) { joiner.take($0, body) }
    joiner.finish(body)
    return unreadable
  }

  /// Calls `body` with each record, up to the one with the number `last`.
  /// - Returns: how many lines could not be read as records.
  package func forEachRecord(upTo last: Int = .max, _ body: (JournalRecord) -> Void) throws(FileFault) -> Int
  {
    var unreadable = 0
    // What it promises is there to be read from now on.
    let mark = try JournalListing(files).headMark
    // The record before, which waits for what this one says of it.
    var waiting: (record: JournalRecord, head: ChainHead?)?
    func give(_ judge: (ChainHead) -> RecordDoubt?) {
      guard let known = waiting else { return }
      waiting = nil
      var record = known.record
      record.doubt = .altered
      if let head = known.head {
        record.doubt = judge(head)
        if record.doubt == .unproven, (try? JournalListing(files))?.isExpired(head) == true {
          record.doubt = nil
        }
      }
      body(record)
    }
    try forEachLine { line in
      let prefix = RecordPrefix(line.span.bytes)
      give { prefix.map($0.doubt(before:)) ?? .unproven }
      guard let record = JournalRecord(line: line) else {
        unreadable += 1
        return true
      }
      guard record.sequence <= last else { return false }
      waiting = (record, ChainHead(ofLine: line.span.bytes))
      return true
    }
    give { $0.doubt(under: mark) }
    return unreadable
  }

  /// The first record that `isWanted`.
  package func firstRecord(where isWanted: (JournalRecord) -> Bool) throws(FileFault) -> JournalRecord? {
    var found: JournalRecord?
    try forEachLine { line in
      found = JournalRecord(line: line).flatMap { isWanted($0) ? $0 : nil }
      return found == nil
    }
    return found
  }

  /// Calls `body` with each whole line, without its line feed, until it returns `false`. A line that is not whole is
  /// being written, or is what a crash left.
  package func forEachLine(_ body: ([UInt8]) -> Bool) throws(FileFault) {
    for segment in try JournalListing(files).segments {
      guard var lines = try open(segment) else { continue }
      let result = Result { () throws(FileFault) in try Self.read(&lines, body) }
      lines.close()
      guard try result.get() else { return }
    }
  }

  /// The size of all segments together, for whoever shows how far reading has come.
  package func byteCount() throws(FileFault) -> Int {
    var sum = 0
    for segment in try JournalListing(files).segments {
      do throws(FileFault) {
        sum += try files.size(of: segment.file)
      } catch {
        guard error.isExpiry else { throw error }
      }
    }
    return sum
  }

  private func open(_ segment: SegmentName) throws(FileFault) -> SegmentLines? {
    do throws(FileFault) {
      return try SegmentLines(segment.file, in: files)
    } catch {
      guard error.isExpiry else { throw error }
      return nil
    }
  }

  /// - Returns: whether `body` wants more.
  private static func read(_ lines: inout SegmentLines, _ body: ([UInt8]) -> Bool) throws(FileFault) -> Bool {
    while true {
      var line: [UInt8] = []
      guard try lines.next({ span in line = span.withUnsafeBytes { Array($0) } }) == .line else {
        return true
      }
      guard body(line) else { return false }
    }
  }
}
