package import Primitives

/// A request line and its fields, checked against RFC 9112: positions in the bytes that they arrived in.
@usableFromInline package final class RequestHead: MessageHead, @unchecked Sendable {
  package private(set) var method = ByteSlice(0..<0)
  /// As it came, never normalised; the request target is this and the query (origin-form).
  package private(set) var path = ByteSlice(0..<0)
  /// Without the `?`; `nil` when there is none.
  package private(set) var query: ByteSlice?
  /// Whether the connection persists after this exchange (RFC 9112 section 9.3).
  package private(set) var keepAlive = false

  init() { super.init() }

  /// One that was not read from a connection.
  init(
    bytes: [UInt8], method: ByteSlice, path: ByteSlice, query: ByteSlice?, fields: [FieldLine],
    keepAlive: Bool
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.keepAlive = keepAlive
    super.init(bytes: bytes, fields: fields)
  }
}

extension RequestHead: ReadHead {
  func replaceStart(with line: RequestLine, _ framing: FramingFields) {
    method = line.method
    path = line.path
    query = line.query
    keepAlive = framing.persists(minorVersion: line.minorVersion)
  }
}

extension RequestHead {
  /// No head: what is known of a request that could not be read.
  package static let absent = RequestHead()

  /// The request target as it came (origin-form).
  package var target: ByteSlice {
    ByteSlice(path.lowerBound..<(query?.upperBound ?? path.upperBound))
  }

  /// Whether the answer has no content, whatever its fields say (RFC 9110 section 9.3.2).
  package var isHEAD: Bool { equals(method, "HEAD") }
}
