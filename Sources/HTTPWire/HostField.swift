/// The value of a Host field: `uri-host [ ":" port ]` (RFC 9110 section 7.2).
enum HostField {
  /// Names and addresses only. The sub-delims and percent-encoding that RFC 3986's `reg-name` also allows
  /// have no use in a DNS name, and a comma would be two Host fields joined by some hop before us.
  static func isValid(_ value: Range<Int>, in bytes: RawSpan) -> Bool {
    var index = value.lowerBound
    if index < value.upperBound, bytes.byte(index) == UInt8(ascii: "[") {
      index += 1
      let start = index
      while index < value.upperBound, ByteSet.ipv6.contains(bytes.byte(index)) { index += 1 }
      guard index > start, index < value.upperBound, bytes.byte(index) == UInt8(ascii: "]") else {
        return false
      }
      index += 1
    } else {
      while index < value.upperBound, ByteSet.unreserved.contains(bytes.byte(index)) { index += 1 }
      guard index > value.lowerBound else { return false }
    }
    guard index < value.upperBound else { return true }
    guard bytes.byte(index) == UInt8(ascii: ":") else { return false }
    return isPort(index + 1..<value.upperBound, in: bytes)
  }

  /// `port = *DIGIT`, and no larger than a port can be.
  private static func isPort(_ digits: Range<Int>, in bytes: RawSpan) -> Bool {
    guard digits.count <= 5 else { return false }
    var port = 0
    for index in digits {
      let digit = bytes.byte(index) &- UInt8(ascii: "0")
      guard digit < 10 else { return false }
      port = port * 10 + Int(digit)
    }
    return port <= 65535
  }
}
