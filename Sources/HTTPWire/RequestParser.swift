package import Primitives

/// A request with its content.
package struct RequestMessage: Sendable {
  package let head: RequestHead
  /// Where in `head.bytes` the content stands; empty when there is none.
  package let body: ByteSlice

  /// - Parameter bodyCount: how many of the head's bytes are content.
  init(head: RequestHead, bodyCount: Int) {
    self.head = head
    body = ByteSlice(head.bytes.count - bodyCount..<head.bytes.count)
  }

  /// A copy of the content.
  package var bodyArray: [UInt8] { Array(head.bytes[body]) }
}

/// What the bytes received so far amount to.
package enum RequestEvent: Sendable {
  case needsMore
  /// The caller waits for `100 Continue` before it sends the content. Said once a request, and only when no
  /// byte of the content is here yet.
  case continueExpected
  case request(RequestMessage)
}

/// Reads requests from a connection's bytes, one after the other (RFC 9112).
///
/// Whatever two parsers could read in two ways is refused; after a violation the parser stays failed,
/// because where the next message would begin is unknown. One empty line before a request line is skipped,
/// as section 2.2 asks for the sake of old clients; a second one is a malformed request line.
package struct RequestParser: ~Copyable {
  private let limits: HTTPLimits
  private var input = InputBuffer()
  private var phase = Phase.between(skippedEmptyLine: false)
  private var reader = HeadReader<RequestLine>()
  private var chunks: ChunkedBody
  private var owesContinue = false

  /// Where in a message the parser is.
  private enum Phase {
    /// No byte of a request yet, but perhaps the empty line before it; then `head`.
    case between(skippedEmptyLine: Bool)
    /// In the head; then `sized` or `chunked`.
    case head
    /// So many bytes of content follow the head, which stays in the buffer; then `between`.
    case sized(CompleteHead<RequestLine>, bodyCount: Int)
    /// Chunked content, whose head has left the buffer; then `between`.
    case chunked(CompleteHead<RequestLine>)
    /// Nothing follows.
    case failed(HTTPViolation)
  }

  /// What the connection is waiting for, to choose the time limit by.
  package enum Stage: Sendable {
    /// No byte of a next request is here.
    case idle
    case head
    case body
  }

  package init(limits: HTTPLimits) {
    self.limits = limits
    chunks = ChunkedBody(limits: limits)
  }

  package var stage: Stage {
    switch phase {
    case .between: input.isEmpty ? .idle : .head
    case .head: .head
    case .sized, .chunked: .body
    case .failed: .idle
    }
  }

  /// Whether no byte of a next request is here.
  package var isIdle: Bool { stage == .idle }

  package mutating func receive(_ bytes: UnsafeRawBufferPointer) {
    if case .failed = phase { return }
    input.append(bytes)
  }

  /// The next event; call until `needsMore`.
  package mutating func next() throws(HTTPViolation) -> RequestEvent {
    do throws(HTTPViolation) {
      return try step()
    } catch {
      phase = .failed(error)
      input.clear()
      chunks = ChunkedBody(limits: limits)
      throw error
    }
  }

  private mutating func step() throws(HTTPViolation) -> RequestEvent {
    while true {
      switch phase {
      case .between(let skipped):
        guard try beginHead(skippedEmptyLine: skipped) else { return .needsMore }
      case .head:
        guard try readHead() else { return .needsMore }
      case .sized(let head, let bodyCount):
        let arrived = input.count - head.byteCount
        guard arrived >= bodyCount else { return waiting(contentHasBegun: arrived > 0) }
        phase = .between(skippedEmptyLine: false)
        let bytes = input.take(head.byteCount + bodyCount)
        return .request(RequestMessage(head: RequestHead(bytes, read: head), bodyCount: bodyCount))
      case .chunked(let head):
        let arrived = !input.isEmpty
        guard let bytes = try readChunks() else { return waiting(contentHasBegun: arrived) }
        phase = .between(skippedEmptyLine: false)
        return .request(
          RequestMessage(head: RequestHead(bytes, read: head), bodyCount: bytes.count - head.byteCount))
      case .failed(let violation):
        throw violation
      }
    }
  }

  private mutating func waiting(contentHasBegun: Bool) -> RequestEvent {
    defer { owesContinue = false }
    return owesContinue && !contentHasBegun ? .continueExpected : .needsMore
  }

  /// Skips one empty line. Returns whether to go on.
  private mutating func beginHead(skippedEmptyLine: Bool) throws(HTTPViolation) -> Bool {
    guard !input.isEmpty else { return false }
    let first = input.bytes[input.start]
    if first == .carriageReturn, !skippedEmptyLine {
      guard input.count > 1 else { return false }
      guard input.bytes[input.start + 1] == .lineFeed else { throw .bareCR }
      input.discard(2)
      phase = .between(skippedEmptyLine: true)
      return true
    }
    // Told at the first byte, not at the end of a line: a TLS hello on a plain port, for one.
    guard ByteSet.token.contains(first) else { throw .badMethod }
    phase = .head
    return true
  }

  /// Returns whether the head is complete.
  private mutating func readHead() throws(HTTPViolation) -> Bool {
    guard let head = try reader.next(in: input, limit: limits.headerBytes) else { return false }
    reader = HeadReader()
    let framing = head.fields.framing
    try head.fields.checkFraming(minorVersion: head.line.minorVersion)
    guard framing.hosts == 1 || head.line.minorVersion == 0 else { throw .missingHost }
    let bodyCount = framing.contentLength ?? 0
    guard bodyCount <= limits.bodyBytes else { throw .bodyTooLarge }
    owesContinue = head.expectsContinue
    if framing.isChunked {
      chunks = ChunkedBody(behind: input.take(head.byteCount), limits: limits)
      phase = .chunked(head)
    } else {
      phase = .sized(head, bodyCount: bodyCount)
    }
    return true
  }

  /// Returns the head with the content behind it once that is complete.
  private mutating func readChunks() throws(HTTPViolation) -> [UInt8]? {
    let progress = try chunks.decode(input)
    input.discard(progress.consumed)
    return progress.isComplete ? chunks.takeMessage() : nil
  }
}

extension CompleteHead<RequestLine> {
  /// An expectation in HTTP/1.0 is ignored (RFC 9110 section 10.1.1).
  var expectsContinue: Bool { fields.framing.expectsContinue && line.minorVersion > 0 }
}

extension RequestHead {
  init(_ bytes: [UInt8], read head: CompleteHead<RequestLine>) {
    self.init(
      bytes: bytes, method: ByteSlice(head.line.method), target: ByteSlice(head.line.target),
      path: ByteSlice(head.line.path), query: head.line.query.map { ByteSlice($0) },
      fields: head.fields.lines, minorVersion: head.line.minorVersion,
      keepAlive: head.fields.persists(minorVersion: head.line.minorVersion),
      expectsContinue: head.expectsContinue)
  }

  /// Reads a head that is complete and followed by nothing.
  package init(parsing bytes: [UInt8]) throws(HTTPViolation) {
    var reader = HeadReader<RequestLine>()
    guard let head = try reader.next(in: bytes.span.bytes, limit: bytes.count),
      head.byteCount == bytes.count
    else { throw .truncated }
    try head.fields.checkFraming(minorVersion: head.line.minorVersion)
    guard head.fields.framing.hosts == 1 || head.line.minorVersion == 0 else { throw .missingHost }
    self.init(bytes, read: head)
  }
}
