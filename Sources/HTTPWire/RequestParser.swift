package import Primitives

/// A request with its content.
package struct RequestMessage: Sendable {
  package let head: RequestHead
  /// Where in `head.bytes` the content stands; empty when there is none.
  package let body: ByteSlice

  /// - Parameter bodyCount: how many of the head's bytes are content.
  package init(head: RequestHead, bodyCount: Int = 0) {
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
  /// What has come of a request that is not whole yet, and of those behind it.
  private var held = InputBuffer()
  private var reader: RequestReader

  /// What the connection is waiting for, to choose the time limit by.
  package enum Stage: Sendable {
    /// No byte of a next request is here.
    case idle
    case head
    case body
  }

  package init(limits: HTTPLimits) { reader = RequestReader(limits: limits) }

  package var stage: Stage { reader.stage(hasBytes: !held.isEmpty) }

  /// How many bytes of content the request under way has announced; `nil` unless its head is here and its content is not.
  package var announcedContent: Int? { reader.announcedContent }

  /// The head of the request whose content is still coming.
  package var pendingHead: RequestHead? { reader.pendingHead(in: held) }

  /// Whether no byte of a next request is here.
  package var isIdle: Bool { stage == .idle }

  /// The next event, now that `arrived` has come. A request that comes whole is copied out of `arrived` once; what does
  /// not make a request is kept.
  package mutating func next(adding arrived: RawSpan) throws(HTTPViolation) -> RequestEvent {
    guard held.isEmpty else {
      held.append(arrived)
      return try next()
    }
    var consumed = 0
    let event = try reader.next(in: arrived, &consumed)
    if consumed < arrived.byteCount { held.append(arrived.extracting(droppingFirst: consumed)) }
    return event
  }

  /// The next event of what is here; call until `needsMore`.
  package mutating func next() throws(HTTPViolation) -> RequestEvent {
    var consumed = 0
    do throws(HTTPViolation) {
      let event = try reader.next(in: held, &consumed)
      held.discard(consumed)
      return event
    } catch {
      held.clear()
      throw error
    }
  }
}

/// The parser without the bytes that it holds.
private struct RequestReader: ~Copyable {
  private var message: MessageReader<RequestHead>
  /// Whether a byte of the request line has been seen.
  private var hasBegun = false
  private var skippedEmptyLine = false
  private var owesContinue = false

  /// What a TLS record of a handshake begins with (RFC 8446 section 5.1).
  private static let tlsRecord: UInt8 = 0x16

  init(limits: HTTPLimits) { message = MessageReader(limits: limits) }

  func stage(hasBytes: Bool) -> RequestParser.Stage {
    switch message.phase {
    case .head: hasBegun || hasBytes ? .head : .idle
    case .content: .body
    case .failed: .idle
    }
  }

  var announcedContent: Int? { message.announcedContent }

  func pendingHead(in held: borrowing InputBuffer) -> RequestHead? { message.pendingHead(held.bytes) }

  mutating func next(
    in held: borrowing InputBuffer, _ consumed: inout Int
  ) throws(HTTPViolation) -> RequestEvent {
    try next(in: held.bytes, &consumed)
  }

  /// Reads what `bytes` hold from `consumed` on, and moves that forward.
  mutating func next(in bytes: RawSpan, _ consumed: inout Int) throws(HTTPViolation) -> RequestEvent {
    do throws(HTTPViolation) {
      return try step(bytes, &consumed)
    } catch {
      message.fail(error)
      throw error
    }
  }

  private mutating func step(_ bytes: RawSpan, _ consumed: inout Int) throws(HTTPViolation) -> RequestEvent {
    if case .head = message.phase {
      guard try begin(bytes, &consumed), try readHead(bytes, &consumed) else { return .needsMore }
    }
    let contentHasBegun = message.hasContent(bytes, consumed)
    guard let whole = try message.takeMessage(bytes, &consumed) else {
      defer { owesContinue = false }
      return owesContinue && !contentHasBegun ? .continueExpected : .needsMore
    }
    hasBegun = false
    skippedEmptyLine = false
    return .request(RequestMessage(head: whole.head, bodyCount: whole.bodyCount))
  }

  /// Skips one empty line. Returns whether a request begins.
  private mutating func begin(_ bytes: RawSpan, _ consumed: inout Int) throws(HTTPViolation) -> Bool {
    guard !hasBegun else { return true }
    while consumed < bytes.byteCount {
      let first = bytes.byte(consumed)
      if first == .carriageReturn, !skippedEmptyLine {
        guard bytes.byteCount > consumed + 1 else { return false }
        guard bytes.byte(consumed + 1) == .lineFeed else { throw .bareCR }
        consumed += 2
        skippedEmptyLine = true
        continue
      }
      // Told at the first byte, not at the end of a line, which a TLS handshake never has.
      guard ByteSet.token.contains(first) else { throw first == Self.tlsRecord ? .tlsHandshake : .badMethod }
      hasBegun = true
      return true
    }
    return false
  }

  /// Returns whether the head is complete.
  private mutating func readHead(_ bytes: RawSpan, _ consumed: inout Int) throws(HTTPViolation) -> Bool {
    guard let head = try message.readHead(bytes.extracting(droppingFirst: consumed)) else { return false }
    try head.framing.checkHost(minorVersion: head.line.minorVersion)
    owesContinue = head.framing.asksToContinue(minorVersion: head.line.minorVersion)
    try message.expect(
      head.framing.isChunked ? .chunked : .sized(head.framing.contentLength ?? 0), in: bytes, &consumed)
    return true
  }
}

extension FramingFields {
  /// RFC 9112 section 3.2. That there is no second one was checked while reading.
  fileprivate func checkHost(minorVersion: UInt8) throws(HTTPViolation) {
    guard hosts == 1 || minorVersion == 0 else { throw .missingHost }
  }

  /// An expectation in HTTP/1.0 is ignored (RFC 9110 section 10.1.1).
  fileprivate func asksToContinue(minorVersion: UInt8) -> Bool { expectsContinue && minorVersion > 0 }
}
