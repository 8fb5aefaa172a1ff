package import Primitives

/// A request line and its fields, checked against RFC 9112: positions in the bytes that they arrived in.
@usableFromInline package struct RequestHead: Sendable {
  /// From the first byte of the request line to the empty line's CRLF, and behind that the content, if there is any
  /// (chunked framing taken off). The one copy of a request that is made.
  @usableFromInline package let bytes: [UInt8]
  package let method: ByteSlice
  /// As it came, never normalised; the request target is this and the query (origin-form).
  package let path: ByteSlice
  /// Without the `?`; `nil` when there is none.
  package let query: ByteSlice?
  /// In the order of arrival.
  @usableFromInline package let fields: [FieldLine]
  /// Whether the connection persists after this exchange (RFC 9112 section 9.3).
  package let keepAlive: Bool
}

extension RequestHead {
  /// No head: what is known of a request that could not be read.
  package static let absent = RequestHead(
    bytes: [], method: ByteSlice(0..<0), path: ByteSlice(0..<0), query: nil, fields: [], keepAlive: false)

  /// The request target as it came (origin-form).
  package var target: ByteSlice {
    ByteSlice(path.lowerBound..<(query?.upperBound ?? path.upperBound))
  }

  /// Whether the answer has no content, whatever its fields say (RFC 9110 section 9.3.2).
  package var isHEAD: Bool { equals(method, "HEAD") }
}
