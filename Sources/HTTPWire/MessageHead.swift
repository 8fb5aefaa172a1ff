public import Primitives

/// Looking things up in a head, the same for requests and answers.
@usableFromInline package protocol MessageHead: Sendable {
  /// The whole head, to the empty line's CRLF, and the content behind it. All positions are positions in it.
  var bytes: [UInt8] { get }
  var fields: [FieldLine] { get }
}

extension RequestHead: MessageHead {}
extension ResponseHead: MessageHead {}

extension RequestHead {
  /// The bytes of a slice of this head, or of the content behind it.
  @inlinable package subscript(slice: ByteSlice) -> Span<UInt8> {
    @_lifetime(borrow self) get { bytes.span[slice] }
  }
}

extension ResponseHead {
  /// The bytes of a slice of this head, or of the content behind it.
  @inlinable package subscript(slice: ByteSlice) -> Span<UInt8> {
    @_lifetime(borrow self) get { bytes.span[slice] }
  }
}

extension MessageHead {
  /// The value of the first field of that name.
  @inlinable package func first(_ name: FieldName) -> ByteSlice? {
    for field in fields where field.known == name { return field.value }
    return nil
  }

  /// The value of the first field with that name, which is in lower case; for names without a `FieldName`.
  package func first(named name: StaticString) -> ByteSlice? {
    let raw = bytes.span.bytes
    for field in fields where raw.matches(field.name.range, token: name) { return field.value }
    return nil
  }

  /// How many lines bear that name.
  package func count(of name: FieldName) -> Int {
    var count = 0
    for field in fields where field.known == name { count += 1 }
    return count
  }

  /// Whether the bytes of `slice` are `literal`.
  package func equals(_ slice: ByteSlice, _ literal: StaticString) -> Bool {
    bytes.span.bytes.equals(slice.range, literal)
  }
}
