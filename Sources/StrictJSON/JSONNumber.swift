/// Numbers: RFC 8259 section 6, within what `Int` and `Double` can hold.
enum JSONNumber {
  /// Goes from the first byte, a digit or `-`, to the byte after the number.
  /// - Returns: whether it has neither fraction nor exponent.
  static func skip(_ bytes: Span<UInt8>, _ position: inout Int) throws(JSONSyntaxError) -> Bool {
    let start = position
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    let firstDigit = position
    try skipDigits(bytes, &position)
    if bytes[firstDigit] == UInt8(ascii: "0"), position > firstDigit + 1 {
      throw JSONSyntaxError(offset: firstDigit, message: "number with a leading zero")
    }
    var isWhole = true
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isWhole = false
      position += 1
      try skipDigits(bytes, &position)
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isWhole = false
      position += 1
      if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
      {
        position += 1
      }
      try skipDigits(bytes, &position)
    }
    // Eighteen digits always fit.
    if isWhole
      ? position - start > 18 && integer(bytes, start..<position) == nil
      : real(bytes, start..<position) == nil
    {
      throw JSONSyntaxError(offset: start, message: "number too large")
    }
    return isWhole
  }

  /// The value of the whole number that stands in `source`, or `nil` when `Int` cannot hold it.
  static func integer(_ bytes: Span<UInt8>, _ source: Range<Int>) -> Int? {
    let isNegative = bytes[source.lowerBound] == UInt8(ascii: "-")
    var value = 0
    for index in source.lowerBound + (isNegative ? 1 : 0)..<source.upperBound {
      let digit = Int(bytes[index] &- UInt8(ascii: "0"))
      let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
      // Downwards, because the least `Int` has no positive counterpart.
      let (next, carry) =
        isNegative
        ? shifted.subtractingReportingOverflow(digit) : shifted.addingReportingOverflow(digit)
      if overflow || carry { return nil }
      value = next
    }
    return value
  }

  /// The nearest `Double` to the number in `source`, or `nil` when it is beyond the greatest. What is too small
  /// becomes zero.
  static func real(_ bytes: Span<UInt8>, _ source: Range<Int>) -> Double? {
    let digits = source.map { bytes[$0] }
    guard let value = Double(String(decoding: digits, as: UTF8.self)), value.isFinite else { return nil }
    return value
  }

  private static func skipDigits(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(JSONSyntaxError) {
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
      position += 1
    }
    guard position > start else {
      // A number is under way, so this is not the text's start.
      throw .unexpected(bytes, at: position, textStart: start - 1, wanted: "a digit")
    }
  }
}
