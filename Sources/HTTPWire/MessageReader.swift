internal import Primitives

/// How a message's content is delimited (RFC 9112 section 6.3).
enum ContentFraming: BitwiseCopyable, Sendable {
  /// By its length, 0 where there is none.
  case sized(Int)
  case chunked
  /// By the end of the connection; answers only.
  case untilClose
}

/// What requests and answers have in common: a head, and the content behind it.
///
/// It reads off the front of the bytes that it is shown and keeps none but those of chunked content: what it has not
/// consumed it wants to see again, with what has arrived since. So a message that comes in one piece, as nearly all do, is
/// copied once, out of whatever buffer it was received in.
struct MessageReader<Head: ReadHead>: ~Copyable {
  let limits: HTTPLimits
  private(set) var phase = Phase.head
  private var head = HeadReader<Head.Line>()
  /// The head that was handed out last.
  private var last: Head?
  private var headCount = 0
  private var chunks: ChunkedBody

  /// Where in a message the reader is.
  enum Phase: BitwiseCopyable, Sendable {
    /// Before or in a head; then `content`.
    case head
    /// Behind the head; then `head`. Chunked content consumes its head at once; with the others the head stays in front.
    case content(ContentFraming)
    /// Nothing follows.
    case failed(HTTPViolation)
  }

  init(limits: HTTPLimits) {
    self.limits = limits
    chunks = ChunkedBody(limits: limits)
  }

  /// Where the next message would begin is unknown from now on.
  mutating func fail(_ violation: HTTPViolation) {
    phase = .failed(violation)
    chunks = ChunkedBody(limits: limits)
  }

  /// Reads on in the head. Returns its start line and framing once it is complete and `bytes` begin with it; `expect` or
  /// `skip` comes next.
  mutating func readHead(_ bytes: RawSpan) throws(HTTPViolation) -> (line: Head.Line, framing: FramingFields)?
  {
    guard let count = try head.next(in: bytes, limit: limits.headerBytes), let line = head.startLine else {
      return nil
    }
    headCount = count
    try head.framing.check(minorVersion: line.minorVersion)
    return (line, head.framing)
  }

  /// Passes over a head that no content belongs to.
  mutating func skipHead(_ consumed: inout Int) {
    consumed += headCount
    head.reset()
  }

  /// The head is good, and this follows it.
  mutating func expect(
    _ framing: ContentFraming, in bytes: RawSpan, _ consumed: inout Int
  ) throws(HTTPViolation) {
    switch framing {
    case .sized(let count):
      guard count <= limits.bodyBytes else { throw .bodyTooLarge }
    case .chunked:
      chunks.begin(behind: bytes.extracting(consumed..<consumed + headCount))
      consumed += headCount
    case .untilClose: break
    }
    phase = .content(framing)
  }

  /// Whether a byte of the content is among `bytes`, of which `consumed` are done with.
  func hasContent(_ bytes: RawSpan, _ consumed: Int) -> Bool {
    switch phase {
    case .content(.chunked): bytes.byteCount > consumed
    case .content: bytes.byteCount > consumed + headCount
    case .head, .failed: false
    }
  }

  /// How many bytes of content are announced, the most there may be where that is not said; `nil` while none is expected.
  var announcedContent: Int? {
    switch phase {
    case .content(.sized(let count)): count
    case .content: limits.bodyBytes
    case .head, .failed: nil
    }
  }

  /// The head of the message whose content is still coming, which `bytes` begin with unless it was consumed. It is read
  /// anew, for whoever has to look at it before the content is here; most messages come whole.
  func pendingHead(_ bytes: RawSpan) -> Head? {
    switch phase {
    case .content(.chunked): readAgain(chunks.head)
    case .content: readAgain(bytes.extracting(first: headCount))
    case .head, .failed: nil
    }
  }

  private func readAgain(_ bytes: RawSpan) -> Head? {
    var reader = MessageReader(limits: limits)
    var consumed = 0
    do throws(HTTPViolation) {
      guard try reader.readHead(bytes) != nil else { return nil }
      try reader.expect(.sized(0), in: bytes, &consumed)
      return try reader.takeMessage(bytes, &consumed)?.head
    } catch {
      return nil
    }
  }

  /// The head and its content, once they are whole.
  mutating func takeMessage(
    _ bytes: RawSpan, _ consumed: inout Int
  ) throws(HTTPViolation) -> WholeMessage<Head>? {
    switch phase {
    case .content(.sized(let count)):
      let (start, end) = (consumed, consumed + headCount + count)
      guard bytes.byteCount >= end else { return nil }
      consumed = end
      return self.end(with: bytes.extracting(start..<end))
    case .content(.chunked):
      let progress = try chunks.decode(bytes.extracting(droppingFirst: consumed))
      consumed += progress.consumed
      guard progress.isComplete else { return nil }
      let message = chunks.takeMessage()
      return end(with: message.span.bytes)
    case .content(.untilClose):
      guard bytes.byteCount - consumed - headCount <= limits.bodyBytes else { throw .bodyTooLarge }
      return nil
    case .head: return nil
    case .failed(let violation): throw violation
    }
  }

  /// What lasted until the connection's end.
  mutating func takeRest(_ bytes: RawSpan) -> WholeMessage<Head>? { end(with: bytes) }

  private mutating func end(with message: RawSpan) -> WholeMessage<Head>? {
    guard let line = head.startLine else { return nil }
    defer {
      phase = .head
      head.reset()
    }
    let whole = reusableHead()
    head.moveFields(to: whole, message)
    whole.replaceStart(with: line, head.framing)
    return WholeMessage(head: whole, bodyCount: message.byteCount - headCount)
  }

  /// The head of the message before, if nobody else holds it any more; otherwise a new one.
  private mutating func reusableHead() -> Head {
    if isKnownUniquelyReferenced(&last), let head = last, !head.isLarge { return head }
    let head = Head()
    last = head
    return head
  }
}

/// A head that is good with its content.
struct WholeMessage<Head: ReadHead> {
  let head: Head
  /// How many of the head's bytes are content.
  let bodyCount: Int
}

/// A head that a `MessageReader` hands out.
protocol ReadHead: MessageHead {
  associatedtype Line: StartLine

  init()

  /// Takes in the start line of another message, and what its framing says.
  func replaceStart(with line: Line, _ framing: FramingFields)
}
