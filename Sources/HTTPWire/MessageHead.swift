public import Primitives

/// What heads of requests and of answers have in common: the bytes that they arrived in, and where the fields stand.
///
/// An object, because it goes from stage to stage: one reference to count. A reader uses its memory again for another
/// message once nobody else holds it.
///
/// `@unchecked Sendable`: it is only written while its reader alone holds it.
@usableFromInline package class MessageHead: @unchecked Sendable {
  /// The whole head, from its first byte to the empty line's CRLF, and the content behind it, if there is any (chunked
  /// framing taken off). The one copy of a message that is made; all positions are positions in it.
  @usableFromInline package final private(set) var bytes: [UInt8]
  @usableFromInline internal final private(set) var lines = ScratchArray<FieldLine>()

  init(bytes: [UInt8] = [], fields: [FieldLine] = []) {
    self.bytes = bytes
    for field in fields { lines.append(field) }
  }

  /// Puts another message into it, whose memory the list of the earlier one's fields becomes.
  final func replace(with message: RawSpan, _ fields: inout ScratchArray<FieldLine>) {
    bytes.removeAll(keepingCapacity: true)
    message.withUnsafeBytes { bytes.append(contentsOf: $0) }
    swap(&lines, &fields)
    fields.removeAll()
  }

  /// Whether it holds too much memory to be kept for the next message.
  final var isLarge: Bool { bytes.capacity > 16 << 10 || lines.count > 64 }
}

extension MessageHead {
  /// All of `bytes`, lent by the head itself.
  @inlinable package final var span: Span<UInt8> {
    @_lifetime(borrow self) get {
      // The head owns the array and does not change it while anybody holds the head, so its memory stays where it is.
      _overrideLifetime(Span(_unsafeElements: bytes.withUnsafeBufferPointer { $0 }), borrowing: self)
    }
  }

  /// The field lines, in the order of arrival.
  @inlinable package final var fields: Span<FieldLine> {
    @_lifetime(borrow self) get { _overrideLifetime(lines.span, borrowing: self) }
  }

  /// The bytes of a slice of this head, or of the content behind it.
  @inlinable package final subscript(slice: ByteSlice) -> Span<UInt8> {
    @_lifetime(borrow self) get { span[slice] }
  }

  /// The value of the first field of that name.
  @inlinable package final func first(_ name: FieldName) -> ByteSlice? {
    let fields = fields
    for index in fields.indices where fields[index].known == name { return fields[index].value }
    return nil
  }

  /// The value of the first field with that name, which is in lower case; for names without a `FieldName`.
  package final func first(named name: StaticString) -> ByteSlice? {
    let (raw, fields) = (span.bytes, fields)
    for index in fields.indices where raw.matches(fields[index].name.range, token: name) {
      return fields[index].value
    }
    return nil
  }

  /// The values of all fields with that name, which is in lower case, in the order of arrival.
  package final func values(named name: StaticString) -> [ByteSlice] {
    let (raw, fields) = (span.bytes, fields)
    var values: [ByteSlice] = []
    for index in fields.indices where raw.matches(fields[index].name.range, token: name) {
      values.append(fields[index].value)
    }
    return values
  }

  /// How many lines bear that name.
  package final func count(of name: FieldName) -> Int {
    var count = 0
    let fields = fields
    for index in fields.indices where fields[index].known == name { count += 1 }
    return count
  }

  /// Whether the bytes of `slice` are `literal`.
  package final func equals(_ slice: ByteSlice, _ literal: StaticString) -> Bool {
    span.bytes.equals(slice.range, literal)
  }
}
