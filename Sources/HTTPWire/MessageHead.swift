/// Looking things up in a head, the same for requests and answers.
package protocol MessageHead: Sendable {
  /// The whole head, to the empty line's CRLF. All positions are positions in it.
  var bytes: [UInt8] { get }
  var fields: [FieldLine] { get }
}

extension RequestHead: MessageHead {}
extension ResponseHead: MessageHead {}

extension MessageHead {
  /// The value of the first field of that name.
  package func first(_ name: FieldName) -> Range<Int>? {
    for field in fields where field.known == name { return field.value }
    return nil
  }

  /// The value of the first field with that name, which is in lower case; for names without a `FieldName`.
  package func first(named name: StaticString) -> Range<Int>? {
    let raw = bytes.span.bytes
    for field in fields where raw.matches(field.name, token: name) { return field.value }
    return nil
  }

  /// How many lines bear that name.
  package func count(of name: FieldName) -> Int {
    var count = 0
    for field in fields where field.known == name { count += 1 }
    return count
  }

  package func slice(_ range: Range<Int>) -> ArraySlice<UInt8> { bytes[range] }

  /// Whether the bytes at `range` are `literal`; with `ignoringCase`, ASCII letters match in either case.
  package func equals(_ range: Range<Int>, _ literal: StaticString, ignoringCase: Bool = false) -> Bool {
    let expected = UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    guard range.count == expected.count else { return false }
    return ignoringCase
      ? bytes[range].elementsEqual(expected) { $0.asciiLowercased == $1.asciiLowercased }
      : bytes[range].elementsEqual(expected)
  }
}
