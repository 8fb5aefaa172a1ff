package import AuditTrail
internal import Glibc

/// Gives out requests as they end, each once.
///
/// While a gateway writes, it goes as far as records are known to be on disk: what a failed synchronisation takes back
/// is written again, under other numbers or in another segment, and would be told twice. What nobody writes any more is
/// told to its end.
package struct JournalFollower {
  /// What a reader must be told beside the requests.
  package enum Notice: Sendable, Hashable {
    /// A record was given out without doubt, and the one behind it, which came later, does not hold it.
    case doubtful(sequence: Int, RecordDoubt)
    /// Where records should follow this one there are none, or what is there is none.
    case missing(after: Int)
    /// Retention removed records up to this one before they could be shown.
    case removed(upTo: Int)
  }

  private let files: any JournalFileSystem
  private var cursor: JournalCursor
  private var joiner = LiveJoiner()
  /// Read, and not yet given out: what the next one, or the mark, says of it comes first.
  private var waiting: JournalCursor.Line?
  /// The last record that was given out.
  private var last: ChainHead?

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
    let mark = try cursor.mark()
    cursor = JournalCursor(files, after: max(0, (mark?.head.sequence ?? 0) - Self.lookBack))
    let isWritten = try JournalLock.isHeld(in: files)
    try read(upTo: isWritten ? mark?.head.sequence ?? .max : .max, mark, { _ in }, { _ in })
  }

  /// Calls `body` with each request whose outcome was written since the last call, and `tell` with what is odd.
  package mutating func poll(
    _ body: (RequestHistory) -> Void, _ tell: (Notice) -> Void = { _ in }
  ) throws(FileFault) {
    let mark = try cursor.mark()
    try read(upTo: mark?.head.sequence ?? .max, mark, body, tell)
    // Looking whether somebody holds the journal keeps others from taking it for an instant, so not each time.
    guard try cursor.hasMore(), try !JournalLock.isHeld(in: files) else { return }
    try read(upTo: .max, mark, body, tell)
  }

  private mutating func read(
    upTo last: Int, _ mark: HeadMark?, _ body: (RequestHistory) -> Void, _ tell: (Notice) -> Void
  ) throws(FileFault) {
    while true {
      let lines = try cursor.read(upTo: last, count: Self.linesAtOnce, size: Self.bytesAtOnce)
      guard !lines.isEmpty else { break }
      for line in lines {
        try give(before: line, body, tell)
        waiting = line
      }
    }
    // Nothing follows yet. What the mark does not vouch for is told all the same, and judged when the next one is there.
    guard let line = waiting else { return }
    waiting = nil
    let head = ChainHead(ofLine: line.bytes.span.bytes)
    // Only whoever has read up to the mark can say that it promises more.
    let doubt = head.map { $0.doubt(under: mark) } ?? .altered
    give(line, head, doubt == .unproven ? nil : doubt, body)
  }

  /// Gives out the line that waits, or looks at the last that was given out, before `next` is taken.
  private mutating func give(
    before next: JournalCursor.Line, _ body: (RequestHistory) -> Void, _ tell: (Notice) -> Void
  ) throws(FileFault) {
    guard let prefix = RecordPrefix(next.bytes.span.bytes) else { return }
    let previous = waiting.map { ChainHead(ofLine: $0.bytes.span.bytes) } ?? last
    var doubt = previous.map { $0.doubt(before: prefix) } ?? nil
    if let previous, prefix.sequence > previous.sequence + 1 {
      // The record itself may be what it was; it is the next one that is not there.
      doubt = nil
      let isRemoved = try (cursor.mark()?.base.sequence ?? 0) >= prefix.sequence - 1
      tell(isRemoved ? .removed(upTo: prefix.sequence - 1) : .missing(after: previous.sequence))
    }
    if let line = waiting {
      waiting = nil
      give(line, previous, previous == nil ? .altered : doubt, body)
    } else if let previous, let doubt {
      tell(.doubtful(sequence: previous.sequence, doubt))
    }
  }

  private mutating func give(
    _ line: JournalCursor.Line, _ head: ChainHead?, _ doubt: RecordDoubt?, _ body: (RequestHistory) -> Void
  ) {
    // One that was found to be doubtful is not told of a second time.
    last = doubt == nil ? head : nil
    guard var record = JournalRecord(line: line.bytes) else { return }
    record.doubt = doubt
    if let request = joiner.take(record) { body(request) }
  }
}
