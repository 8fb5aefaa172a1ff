package import AuditTrail
internal import Glibc

/// Gives out requests as they end, each once.
package struct JournalFollower {
  private let files: any JournalFileSystem
  /// The segment that is read; `nil` before the first is there.
  private var segment: SegmentName?
  /// Where the next line begins in it.
  private var offset = 0
  private var joiner = LiveJoiner()

  /// How far back it looks for the intents of requests that are under way.
  private static let lookBack = 1 << 20

  /// Begins at the journal's end, or with its first record.
  /// - Returns: `nil` when there is no such directory.
  package init?(directory: String, fromStart: Bool = false) throws(FileFault) {
    let files: PosixFileSystem
    do throws(FileFault) {
      files = try PosixFileSystem(directory, creating: false)
    } catch {
      guard error.code == ENOENT else { throw error }
      return nil
    }
    try self.init(files, fromStart: fromStart)
  }

  init(_ files: any JournalFileSystem, fromStart: Bool = false) throws(FileFault) {
    self.files = files
    guard !fromStart, let segment = try JournalListing(files).segments.last else { return }
    self.segment = segment
    let file = try files.open(segment.file, .read)
    let size = Result { () throws(FileFault) in try files.size(file) }
    files.close(file)
    // The first line is probably not whole, and is no record then.
    offset = max(0, try size.get() - Self.lookBack)
    try readRest { _ in }
  }

  /// Calls `body` with each request whose outcome was written since the last call.
  package mutating func poll(_ body: (RequestHistory) -> Void) throws(FileFault) {
    while true {
      try readRest(body)
      guard let next = try nextSegment() else { return }
      // What came to the old segment between reading it and seeing the new one.
      try readRest(body)
      segment = next
      offset = 0
    }
  }

  private func nextSegment() throws(FileFault) -> SegmentName? {
    let segments = try JournalListing(files).segments
    guard let segment else { return segments.first }
    return segments.first { $0 > segment }
  }

  private mutating func readRest(_ body: (RequestHistory) -> Void) throws(FileFault) {
    guard let segment else { return }
    var lines: SegmentLines
    do throws(FileFault) {
      lines = try SegmentLines(segment.file, in: files, from: offset)
    } catch {
      // Retention has removed it; what follows is in the next one.
      guard error.code == ENOENT else { throw error }
      return
    }
    let result = Result { () throws(FileFault) in
      var line: [UInt8] = []
      while try lines.next({ span in line = span.withUnsafeBytes { Array($0) } }) == .line {
        guard let record = JournalRecord(line: line), let request = joiner.take(record) else { continue }
        body(request)
      }
    }
    offset = lines.offset
    lines.close()
    try result.get()
  }
}
