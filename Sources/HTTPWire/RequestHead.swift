/// One header field line: where its name and its value (without surrounding whitespace) stand in
/// the head's bytes.
package struct FieldLine: Sendable, Hashable {
  package let name: Range<Int>
  package let value: Range<Int>
  /// What the gateway looks up by; `other` for names it has no use for.
  package let known: FieldName
}

/// A request line and its fields, checked against RFC 9112. It owns its bytes and keeps offsets.
package struct RequestHead: Sendable {
  /// From the first byte of the request line to the empty line's CRLF.
  package let bytes: [UInt8]
  package let method: Range<Int>
  /// The request target as it came (origin-form), never normalised.
  package let target: Range<Int>
  package let path: Range<Int>
  /// Without the `?`; `nil` when there is none.
  package let query: Range<Int>?
  /// In the order of arrival.
  package let fields: [FieldLine]
  /// 0 or 1.
  package let minorVersion: UInt8
  /// Whether the connection persists after this exchange (RFC 9112 section 9.3).
  package let keepAlive: Bool
  package let expectsContinue: Bool
}

extension RequestHead {
  /// No head: what is known of a request that could not be read.
  package static let absent = RequestHead(
    bytes: [], method: 0..<0, target: 0..<0, path: 0..<0, query: nil, fields: [], minorVersion: 1,
    keepAlive: false,
    expectsContinue: false)
}
