public import Primitives

/// One header field line: where its name and its value (without surrounding whitespace) stand in
/// the message's bytes.
@usableFromInline package struct FieldLine: BitwiseCopyable, Sendable, Hashable {
  @usableFromInline package let name: ByteSlice
  @usableFromInline package let value: ByteSlice
  /// What the gateway looks up by; `other` for names it has no use for.
  @usableFromInline package let known: FieldName

  init(name: Range<Int>, value: Range<Int>, known: FieldName) {
    self.name = ByteSlice(name)
    self.value = ByteSlice(value)
    self.known = known
  }
}

/// A request line and its fields, checked against RFC 9112: positions in the bytes that they arrived in.
@usableFromInline package struct RequestHead: Sendable {
  /// From the first byte of the request line to the empty line's CRLF, and behind that the content, if there is any
  /// (chunked framing taken off). The one copy of a request that is made.
  @usableFromInline package let bytes: [UInt8]
  package let method: ByteSlice
  /// The request target as it came (origin-form), never normalised.
  package let target: ByteSlice
  package let path: ByteSlice
  /// Without the `?`; `nil` when there is none.
  package let query: ByteSlice?
  /// In the order of arrival.
  @usableFromInline package let fields: [FieldLine]
  /// 0 or 1.
  package let minorVersion: UInt8
  /// Whether the connection persists after this exchange (RFC 9112 section 9.3).
  package let keepAlive: Bool
  package let expectsContinue: Bool
}

extension RequestHead {
  /// No head: what is known of a request that could not be read.
  package static let absent = RequestHead(
    bytes: [], method: ByteSlice(0..<0), target: ByteSlice(0..<0), path: ByteSlice(0..<0), query: nil,
    fields: [],
    minorVersion: 1, keepAlive: false, expectsContinue: false)

  /// The bytes of a slice of this head, or of the content behind it.
  @inlinable package subscript(slice: ByteSlice) -> Span<UInt8> {
    @_lifetime(borrow self) get { bytes.span[slice] }
  }
}
