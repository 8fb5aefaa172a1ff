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
struct MessageReader<Line: StartLine>: ~Copyable {
  let limits: HTTPLimits
  private(set) var phase = Phase.head
  private var head = HeadReader<Line>()
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
  mutating func readHead(_ bytes: RawSpan) throws(HTTPViolation) -> (line: Line, framing: FramingFields)? {
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

  /// The head and its content in one array, once they are whole.
  mutating func takeMessage(
    _ bytes: RawSpan, _ consumed: inout Int
  ) throws(HTTPViolation) -> WholeMessage<Line>? {
    let taken: [UInt8]
    switch phase {
    case .content(.sized(let count)):
      let end = consumed + headCount + count
      guard bytes.byteCount >= end else { return nil }
      taken = bytes.extracting(consumed..<end).array
      consumed = end
    case .content(.chunked):
      let progress = try chunks.decode(bytes.extracting(droppingFirst: consumed))
      consumed += progress.consumed
      guard progress.isComplete else { return nil }
      taken = chunks.takeMessage()
    case .content(.untilClose):
      guard bytes.byteCount - consumed - headCount <= limits.bodyBytes else { throw .bodyTooLarge }
      return nil
    case .head: return nil
    case .failed(let violation): throw violation
    }
    return end(with: taken)
  }

  /// What lasted until the connection's end.
  mutating func takeRest(_ bytes: RawSpan) -> WholeMessage<Line>? { end(with: bytes.array) }

  private mutating func end(with bytes: [UInt8]) -> WholeMessage<Line>? {
    guard let line = head.startLine else { return nil }
    defer {
      phase = .head
      head.reset()
    }
    return WholeMessage(
      bytes: bytes, headCount: headCount, line: line, framing: head.framing, fields: head.fields)
  }
}

/// A head that is good with its content.
struct WholeMessage<Line: StartLine> {
  let bytes: [UInt8]
  let headCount: Int
  let line: Line
  let framing: FramingFields
  let fields: [FieldLine]
}

extension RawSpan {
  fileprivate var array: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}
