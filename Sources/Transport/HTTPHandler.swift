package import HTTPWire
package import Primitives

/// An answer as a handler gives it; the server adds Date, Connection, framing and writes it.
package struct Reply: ~Copyable, Sendable {
  package var status: Int
  /// Whole field lines, each with its CRLF. A handler takes the buffer from its loop (`EventLoop.takeBuffer`) and the
  /// server gives it back.
  package var fieldLines: ByteBuffer
  /// What the body is a part of. Shared, not copied: an upstream's answer stands in the bytes that it came in.
  package let bytes: [UInt8]
  /// Where in `bytes` the body stands.
  package let body: ByteSlice
  /// The connection ends with this answer.
  package var closes: Bool

  package init(
    status: Int, fieldLines: consuming ByteBuffer, bytes: [UInt8], body: ByteSlice, closes: Bool = false
  ) {
    self.status = status
    self.fieldLines = fieldLines
    self.bytes = bytes
    self.body = body
    self.closes = closes
  }

  package init(
    status: Int, fieldLines: consuming ByteBuffer = ByteBuffer(), body: [UInt8] = [], closes: Bool = false
  ) {
    self.init(
      status: status, fieldLines: fieldLines, bytes: body, body: ByteSlice(0..<body.count), closes: closes)
  }
}

/// Why the server could not read a request.
package enum UnreadableRequest: Error, Sendable {
  case violation(HTTPViolation)
  /// The head or the body did not arrive in time.
  case tooSlow
  /// As much content of requests that nobody has judged yet is here as may be.
  case tooMuchContent
}

/// What a server does with requests. Called on the connection's loop.
package protocol HTTPHandler: AnyObject, Sendable {
  func reply(to request: RequestMessage, on connection: ByteStream) async -> Reply
  func reply(toUnreadable fault: UnreadableRequest, on connection: ByteStream) async -> Reply
  /// The answer to a request that is refused whatever its content, which is not here yet and will not be read then.
  /// `nil`: the content is awaited, and the whole request judged.
  func reply(toHead head: RequestHead, on connection: ByteStream) -> Reply?
}

extension HTTPHandler {
  package func reply(toHead head: RequestHead, on connection: ByteStream) -> Reply? { nil }
}

/// How long a server waits, in nanoseconds, and how much it reads.
package struct ServerLimits: Sendable {
  package let http: HTTPLimits
  package let header: Int64
  package let body: Int64
  package let idle: Int64

  package init(
    http: HTTPLimits = HTTPLimits(), header: Int64 = 10_000_000_000, body: Int64 = 10_000_000_000,
    idle: Int64 = 75_000_000_000
  ) {
    self.http = http
    self.header = header
    self.body = body
    self.idle = idle
  }
}
