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
  /// What has come of an answer that is not whole yet, and whatever came behind one.
  private var held = InputBuffer()
  private var reader: ResponseReader

  package init(limits: HTTPLimits) { reader = ResponseReader(limits: limits) }

  /// Whether bytes are here that no answer has taken. After an answer that means bytes nobody asked for:
  /// the connection must not be used again.
  package var hasLeftover: Bool { !held.isEmpty }

  /// The next event, now that `arrived` has come. An answer that comes whole is copied out of `arrived` once; what does
  /// not make an answer is kept. An answer to HEAD has no content whatever its fields say (RFC 9112 section 6.3).
  package mutating func next(
    adding arrived: RawSpan, requestMethodIsHEAD: Bool = false
  ) throws(HTTPViolation) -> ResponseEvent {
    guard held.isEmpty else {
      held.append(arrived)
      return try next(requestMethodIsHEAD: requestMethodIsHEAD)
    }
    var consumed = 0
    let event = try reader.next(in: arrived, &consumed, requestMethodIsHEAD)
    if consumed < arrived.byteCount { held.append(arrived.extracting(droppingFirst: consumed)) }
    return event
  }

  /// The next event of what is here.
  package mutating func next(requestMethodIsHEAD: Bool = false) throws(HTTPViolation) -> ResponseEvent {
    var consumed = 0
    do throws(HTTPViolation) {
      let event = try reader.next(in: held, &consumed, requestMethodIsHEAD)
      held.discard(consumed)
      return event
    } catch {
      held.clear()
      throw error
    }
  }

  /// Says that the server closed. Returns the answer that ended with the connection, or `nil` when none
  /// had begun; throws `truncated` in the middle of one.
  package mutating func finish() throws(HTTPViolation) -> ResponseMessage? {
    defer { held.clear() }
    return try reader.finish(held)
  }
}

/// The parser without the bytes that it holds.
private struct ResponseReader: ~Copyable {
  private var message: MessageReader<ResponseHead>
  private var interimAnswers = 0

  /// More than any server sends; each costs the peer more than us.
  private static let interimLimit = 8

  init(limits: HTTPLimits) { message = MessageReader(limits: limits) }

  mutating func next(
    in held: borrowing InputBuffer, _ consumed: inout Int, _ isHEAD: Bool
  ) throws(HTTPViolation) -> ResponseEvent {
    try next(in: held.bytes, &consumed, isHEAD)
  }

  /// Reads what `bytes` hold from `consumed` on, and moves that forward.
  mutating func next(
    in bytes: RawSpan, _ consumed: inout Int, _ isHEAD: Bool
  ) throws(HTTPViolation) -> ResponseEvent {
    do throws(HTTPViolation) {
      while case .head = message.phase {
        guard try readHead(bytes, &consumed, isHEAD) else { return .needsMore }
      }
      guard let whole = try message.takeMessage(bytes, &consumed) else { return .needsMore }
      interimAnswers = 0
      return .response(ResponseMessage(head: whole.head, bodyCount: whole.bodyCount))
    } catch {
      message.fail(error)
      throw error
    }
  }

  mutating func finish(_ held: borrowing InputBuffer) throws(HTTPViolation) -> ResponseMessage? {
    switch message.phase {
    case .head where held.isEmpty && interimAnswers == 0:
      return nil
    case .content(.untilClose):
      let whole = message.takeRest(held.bytes)
      message.fail(.truncated)
      guard let whole else { return nil }
      whole.head.willNotPersist()
      return ResponseMessage(head: whole.head, bodyCount: whole.bodyCount)
    case .failed(let violation):
      throw violation
    case .head, .content:
      message.fail(.truncated)
      throw .truncated
    }
  }

  /// Returns whether a head was complete.
  private mutating func readHead(
    _ bytes: RawSpan, _ consumed: inout Int, _ isHEAD: Bool
  ) throws(HTTPViolation) -> Bool {
    guard let head = try message.readHead(bytes.extracting(droppingFirst: consumed)) else { return false }
    if let content = try Self.content(behind: head.line.status, head.framing, toHEAD: isHEAD) {
      try message.expect(content, in: bytes, &consumed)
    } else {
      interimAnswers += 1
      guard interimAnswers <= Self.interimLimit else { throw .tooManyInterimAnswers }
      message.skipHead(&consumed)
    }
    return true
  }

  /// How an answer's content is delimited (RFC 9112 section 6.3); `nil` for an interim answer.
  private static func content(
    behind status: Int, _ framing: FramingFields, toHEAD: Bool
  ) throws(HTTPViolation) -> ContentFraming? {
    if status == 101 { throw .unexpectedUpgrade }
    if status < 200 || status == 204 {
      // Some servers write a length of 0 here, which changes nothing; content would be taken for an answer.
      guard !framing.isChunked, framing.contentLength ?? 0 == 0 else { throw .unexpectedBody }
      return status < 200 ? nil : .sized(0)
    }
    if status == 304 || toHEAD { return .sized(0) }
    if framing.isChunked { return .chunked }
    return framing.contentLength.map { .sized($0) } ?? .untilClose
  }
}
