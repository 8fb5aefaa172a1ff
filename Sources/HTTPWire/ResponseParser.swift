package import Primitives

/// An answer with its content.
package struct ResponseMessage: Sendable {
  package let head: ResponseHead
  /// Where in `head.bytes` the content stands; empty when there is none.
  package let body: ByteSlice

  /// - Parameter bodyCount: how many of the head's bytes are content.
  init(head: ResponseHead, bodyCount: Int) {
    self.head = head
    body = ByteSlice(head.bytes.count - bodyCount..<head.bytes.count)
  }

  /// A copy of the content.
  package var bodyArray: [UInt8] { Array(head.bytes[body]) }
}

package enum ResponseEvent: Sendable {
  case needsMore
  case response(ResponseMessage)
}

/// Reads the answers on a connection to a server, with the strictness of `RequestParser`.
///
/// Interim answers (1xx) are skipped. An answer that has neither Content-Length nor Transfer-Encoding lasts
/// until the connection ends, which the owner reports with `finish`.
package struct ResponseParser: ~Copyable {
  private let limits: HTTPLimits
  private var input = InputBuffer()
  private var phase = Phase.head
  private var reader = HeadReader<StatusLine>()
  private var chunks: ChunkedBody
  private var interimAnswers = 0

  /// Where in an answer the parser is.
  private enum Phase {
    /// At or in a head; then one of the three below, or `head` again after an interim answer.
    case head
    /// So many bytes of content follow the head, which stays in the buffer; then `head`.
    case sized(CompleteHead<StatusLine>, bodyCount: Int)
    /// Chunked content, whose head has left the buffer; then `head`.
    case chunked(CompleteHead<StatusLine>)
    /// Content until the connection ends, behind the head in the buffer; then nothing.
    case untilClose(CompleteHead<StatusLine>)
    /// Nothing follows.
    case failed(HTTPViolation)
  }

  /// More than any server sends; each costs the peer more than us.
  private static let interimLimit = 8

  package init(limits: HTTPLimits) {
    self.limits = limits
    chunks = ChunkedBody(limits: limits)
  }

  /// Whether bytes are here that no `next` has taken. After an answer that means bytes nobody asked for:
  /// the connection must not be used again.
  package var hasLeftover: Bool { !input.isEmpty }

  package mutating func receive(_ bytes: UnsafeRawBufferPointer) {
    if case .failed = phase { return }
    input.append(bytes)
  }

  /// The next event. An answer to HEAD has no content whatever its fields say (RFC 9112 section 6.3).
  package mutating func next(requestMethodIsHEAD: Bool = false) throws(HTTPViolation) -> ResponseEvent {
    do throws(HTTPViolation) {
      return try step(requestMethodIsHEAD)
    } catch {
      fail(error)
      throw error
    }
  }

  /// Says that the server closed. Returns the answer that ended with the connection, or `nil` when none
  /// had begun; throws `truncated` in the middle of one.
  package mutating func finish() throws(HTTPViolation) -> ResponseMessage? {
    switch phase {
    case .head where input.isEmpty && interimAnswers == 0:
      return nil
    case .untilClose(let head):
      phase = .failed(.truncated)
      let bytes = input.take(input.count)
      return ResponseMessage(
        head: ResponseHead(bytes, read: head, keepAlive: false), bodyCount: bytes.count - head.byteCount)
    case .failed(let violation):
      throw violation
    case .head, .sized, .chunked:
      fail(.truncated)
      throw .truncated
    }
  }

  private mutating func fail(_ violation: HTTPViolation) {
    phase = .failed(violation)
    input.clear()
    chunks = ChunkedBody(limits: limits)
  }

  private mutating func step(_ isHEAD: Bool) throws(HTTPViolation) -> ResponseEvent {
    while true {
      switch phase {
      case .head:
        guard try readHead(isHEAD) else { return .needsMore }
      case .sized(let head, let bodyCount):
        guard input.count >= head.byteCount + bodyCount else { return .needsMore }
        return .response(answered(head, input.take(head.byteCount + bodyCount)))
      case .chunked(let head):
        guard let bytes = try readChunks() else { return .needsMore }
        return .response(answered(head, bytes))
      case .untilClose(let head):
        guard input.count - head.byteCount <= limits.bodyBytes else { throw .bodyTooLarge }
        return .needsMore
      case .failed(let violation):
        throw violation
      }
    }
  }

  private mutating func answered(
    _ head: CompleteHead<StatusLine>, _ bytes: [UInt8]
  ) -> ResponseMessage {
    phase = .head
    interimAnswers = 0
    return ResponseMessage(
      head: ResponseHead(bytes, read: head), bodyCount: bytes.count - head.byteCount)
  }

  /// Returns whether a head was complete.
  private mutating func readHead(_ isHEAD: Bool) throws(HTTPViolation) -> Bool {
    guard let head = try reader.next(in: input, limit: limits.headerBytes) else { return false }
    reader = HeadReader()
    try head.fields.checkFraming(minorVersion: head.line.minorVersion)
    switch try ResponseContent(of: head, toHEAD: isHEAD) {
    case .interim:
      interimAnswers += 1
      guard interimAnswers <= Self.interimLimit else { throw .tooManyInterimAnswers }
      input.discard(head.byteCount)
    case .sized(let bodyCount):
      guard bodyCount <= limits.bodyBytes else { throw .bodyTooLarge }
      phase = .sized(head, bodyCount: bodyCount)
    case .chunked:
      chunks = ChunkedBody(behind: input.take(head.byteCount), limits: limits)
      phase = .chunked(head)
    case .untilClose:
      phase = .untilClose(head)
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

/// How an answer's content is delimited (RFC 9112 section 6.3).
private enum ResponseContent {
  case interim
  case sized(Int)
  case chunked
  case untilClose

  init(of head: CompleteHead<StatusLine>, toHEAD: Bool) throws(HTTPViolation) {
    let framing = head.fields.framing
    let status = head.line.status
    if status == 101 { throw .unexpectedUpgrade }
    if status < 200 || status == 204 {
      // Some servers write a length of 0 here, which changes nothing; content would be taken for an answer.
      guard !framing.isChunked, framing.contentLength ?? 0 == 0 else { throw .unexpectedBody }
      self = status < 200 ? .interim : .sized(0)
    } else if status == 304 || toHEAD {
      self = .sized(0)
    } else if framing.isChunked {
      self = .chunked
    } else if let length = framing.contentLength {
      self = .sized(length)
    } else {
      self = .untilClose
    }
  }
}

extension ResponseHead {
  fileprivate init(_ bytes: [UInt8], read head: CompleteHead<StatusLine>, keepAlive: Bool? = nil) {
    self.init(
      bytes: bytes, status: head.line.status, reason: ByteSlice(head.line.reason), fields: head.fields.lines,
      minorVersion: head.line.minorVersion,
      keepAlive: keepAlive ?? head.fields.persists(minorVersion: head.line.minorVersion))
  }
}
