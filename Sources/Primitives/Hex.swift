/// Base 16 (RFC 4648 section 8), lower case, as SigV4 and digests write it.
@usableFromInline package enum Hex {
  /// The digit for a value below 16.
  @inlinable package static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? 0x30 &+ value : 0x57 &+ value
  }

  /// The eight digits of `value`, the first of them in the lowest byte.
  @inlinable @inline(__always) package static func digits(_ value: UInt32) -> UInt64 {
    // Half of it to each end, then each quarter, then each digit, until every byte is one.
    var spread = UInt64(value & 0xFFFF) << 32 | UInt64(value >> 16)
    spread = (spread & 0x0000_FF00_0000_FF00) >> 8 | (spread & 0x0000_00FF_0000_00FF) << 16
    spread = (spread & 0x00F0_00F0_00F0_00F0) >> 4 | (spread & 0x000F_000F_000F_000F) << 8
    let letters = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return spread &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
  }

  @inlinable package static func encode(_ bytes: some Sequence<UInt8>) -> String {
    var out: [UInt8] = []
    out.append(hex: bytes)
    return String(decoding: out, as: UTF8.self)
  }

  /// The value of one digit in either case, or `nil`.
  @inlinable package static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x61 + 10
    case 0x41...0x46: digit - 0x41 + 10
    default: nil
    }
  }

  /// `nil` when a digit is not hexadecimal or the count is odd.
  @inlinable package static func decode(_ digits: some Collection<UInt8>) -> [UInt8]? {
    guard digits.count.isMultiple(of: 2) else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(digits.count / 2)
    var high: UInt8?
    for digit in digits {
      guard let value = value(of: digit) else { return nil }
      if let first = high {
        out.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return out
  }
}
