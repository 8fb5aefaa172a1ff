package import Primitives

/// Looking things up in a head, the same for requests and answers.
package protocol MessageHead: Sendable {
  /// The whole head, to the empty line's CRLF, and the content behind it. All positions are positions in it.
  var bytes: [UInt8] { get }
  var fields: [FieldLine] { get }
}

extension RequestHead: MessageHead {}
extension ResponseHead: MessageHead {}

extension MessageHead {
  /// The value of the first field of that name.
  package func first(_ name: FieldName) -> ByteSlice? {
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

  package func slice(_ range: ByteSlice) -> ArraySlice<UInt8> { bytes[range] }

  /// Whether the bytes at `range` are `literal`; with `ignoringCase`, ASCII letters match in either case.
  package func equals(_ range: ByteSlice, _ literal: StaticString, ignoringCase: Bool = false) -> Bool {
    let expected = UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    guard range.count == expected.count else { return false }
    return ignoringCase
      ? bytes[range].elementsEqual(expected) { $0.asciiLowercased == $1.asciiLowercased }
      : bytes[range].elementsEqual(expected)
  }
}
