package import AuditTrail
internal import Glibc

/// Gives out requests as they end, each once.
///
/// While a gateway writes, it goes as far as records are known to be on disk: what a failed synchronisation takes back
/// is written again, under other numbers or in another segment, and would be told twice. What nobody writes any more is
/// told to its end.
package struct JournalFollower {
  private let files: any JournalFileSystem
  private var cursor: JournalCursor
  private var joiner = LiveJoiner()

  /// How many records back it looks for the intents of requests that are under way.
  private static let lookBack = 4096
  /// What is read at once.
  private static let linesAtOnce = 1024
  private static let bytesAtOnce = 1 << 20

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
    cursor = JournalCursor(files, after: 0)
    guard !fromStart else { return }
    let promised = try cursor.promisedSequence()
    cursor = JournalCursor(files, after: max(0, (promised ?? 0) - Self.lookBack))
    let isWritten = try JournalLock.isHeld(in: files)
    try read(upTo: isWritten ? promised ?? .max : .max) { _ in }
  }

  /// Calls `body` with each request whose outcome was written since the last call.
  package mutating func poll(_ body: (RequestHistory) -> Void) throws(FileFault) {
    try read(upTo: try cursor.promisedSequence() ?? .max, body)
    // Looking whether somebody holds the journal keeps others from taking it for an instant, so not each time.
    guard try cursor.hasMore(), try !JournalLock.isHeld(in: files) else { return }
    try read(upTo: .max, body)
  }

  private mutating func read(upTo last: Int, _ body: (RequestHistory) -> Void) throws(FileFault) {
    while true {
      let lines = try cursor.read(upTo: last, count: Self.linesAtOnce, size: Self.bytesAtOnce)
      guard !lines.isEmpty else { return }
      for line in lines {
        guard let record = JournalRecord(line: line.bytes), let request = joiner.take(record) else {
          continue
        }
        body(request)
      }
    }
  }
}
