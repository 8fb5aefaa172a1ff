public import Primitives

/// One header field line: where its name and its value (without surrounding whitespace) stand in the message's bytes.
@usableFromInline package struct FieldLine: BitwiseCopyable, Sendable, Hashable {
  @usableFromInline package let name: ByteSlice
  @usableFromInline package let value: ByteSlice
  /// What the gateway looks up by; `other` for names it has no use for.
  @usableFromInline package let known: FieldName

  @inline(__always)
  init(name: Range<Int>, value: Range<Int>, known: FieldName) {
    self.name = ByteSlice(name)
    self.value = ByteSlice(value)
    self.known = known
  }
}

extension FieldLine {
  /// Reads one field line (RFC 9112 section 5): `name ":" OWS value OWS`.
  @inline(__always)
  init(_ line: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) {
    let colon = bytes.first(UInt8(ascii: ":"), from: line.lowerBound, to: line.upperBound)
    let name = line.lowerBound..<colon
    // A name that is known needs no look at its characters.
    let known = FieldName(recognisingWhole: name, in: bytes)
    guard colon < line.upperBound, known != nil || bytes.isToken(name) else {
      throw Self.whyNotAName(line, in: bytes)
    }
    var start = colon + 1
    var end = line.upperBound
    while start < end, bytes.byte(start).isBlank { start += 1 }
    while end > start, bytes.byte(end - 1).isBlank { end -= 1 }
    self.init(
      name: name, value: start..<end, known: known ?? FieldName(recognisingPrefixOf: name, in: bytes))
  }

  private static func whyNotAName(_ line: Range<Int>, in bytes: RawSpan) -> HTTPViolation {
    var index = line.lowerBound
    while index < line.upperBound, ByteSet.token.contains(bytes.byte(index)) { index += 1 }
    guard index < line.upperBound else { return .missingColon }
    if index == line.lowerBound {
      if bytes.byte(index).isBlank { return .obsFold }
      return bytes.byte(index) == UInt8(ascii: ":") ? .emptyFieldName : .badFieldName
    }
    return bytes.byte(index).isBlank ? .spaceBeforeColon : .badFieldName
  }
}
