/// Writing text and numbers into a growing byte array without going through `String`.
///
/// These are inlinable because every module writes with them, and neither generic nor small functions
/// are specialised across modules otherwise (cross-module optimisation leaves out `package` ones).
extension [UInt8] {
  @inlinable package mutating func append(_ literal: StaticString) {
    append(contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }

  @inlinable package mutating func append(text: Text) { append(contentsOf: text.utf8) }

  @inlinable package mutating func append(string: String) { append(contentsOf: string.utf8) }

  /// Decimal digits, with a leading `-` when negative.
  package mutating func append(decimal value: Int) {
    if value < 0 {
      append(UInt8(ascii: "-"))
      append(decimal: value.magnitude)
    } else {
      append(decimal: UInt(value))
    }
  }

  package mutating func append(decimal value: UInt) {
    let start = count
    var rest = value
    repeat {
      append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    self[start...].reverse()
  }

  /// `value` in decimal, padded with zeros to at least `width` digits.
  package mutating func append(decimal value: Int, width: Int) {
    precondition(value >= 0, "padded numbers are not negative")
    var digits = 1
    var rest = value / 10
    while rest > 0 {
      digits += 1
      rest /= 10
    }
    for _ in 0..<Swift.max(0, width - digits) { append(UInt8(ascii: "0")) }
    append(decimal: UInt(value))
  }

  /// Lower-case hexadecimal of `bytes`.
  @inlinable package mutating func append(hex bytes: some Sequence<UInt8>) {
    for byte in bytes {
      append(Hex.digit(byte >> 4))
      append(Hex.digit(byte & 15))
    }
  }
}
