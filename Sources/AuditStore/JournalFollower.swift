package import AuditTrail

/// Gives out records as they are written.
package struct JournalFollower {
  private let files: any JournalFileSystem
  /// The segment that is read; `nil` before the first is there.
  private var segment: SegmentName?
  /// Where the next line begins in it.
  private var offset = 0

  /// Begins at the journal's end.
  package init(directory: String) throws(FileFault) {
    try self.init(PosixFileSystem(directory, creating: false))
  }

  init(_ files: any JournalFileSystem) throws(FileFault) {
    self.files = files
    segment = try JournalListing(files).segments.last
    _ = try readRest { _ in }
  }

  /// Calls `body` with each record that was written since the last call.
  package mutating func poll(_ body: (JournalRecord) -> Void) throws(FileFault) {
    while true {
      _ = try readRest(body)
      guard let next = try nextSegment() else { return }
      // What came to the old segment between reading it and seeing the new one.
      _ = try readRest(body)
      segment = next
      offset = 0
    }
  }

  private func nextSegment() throws(FileFault) -> SegmentName? {
    let segments = try JournalListing(files).segments
    guard let segment else { return segments.first }
    return segments.first { $0 > segment }
  }

  private mutating func readRest(_ body: (JournalRecord) -> Void) throws(FileFault) {
    guard let segment else { return }
    var lines = try SegmentLines(segment.file, in: files, from: offset)
    let result = Result { () throws(FileFault) in
      var line: [UInt8] = []
      while try lines.next({ span in line = span.withUnsafeBytes { Array($0) } }) == .line {
        if let record = JournalRecord(line: line) { body(record) }
      }
    }
    offset = lines.offset
    lines.close()
    try result.get()
  }
}
