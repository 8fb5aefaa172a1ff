/// What reading and writing strings have in common: finding the bytes that need a closer look, eight at a time.
enum JSONBytes {
  private static let highBits: UInt64 = 0x8080_8080_8080_8080
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let spaces: UInt64 = 0x2020_2020_2020_2020
  private static let quotes: UInt64 = 0x2222_2222_2222_2222
  private static let backslashes: UInt64 = 0x5C5C_5C5C_5C5C_5C5C

  /// The index of the first byte from `start` on that is a quote, a backslash, a control or, if asked for, not
  /// ASCII; the end if there is none.
  @inline(__always)
  static func nextSpecial(in bytes: Span<UInt8>, from start: Int, stopAtNonASCII: Bool) -> Int {
    var index = start
    let count = bytes.count
    let raw = bytes.bytes
    while index &+ 8 <= count {
      // Unchecked because the condition above is the check. A subtraction sets the high bit of a byte that is below
      // 0x20, a quote or a backslash. It may borrow from the bytes above such a one and then err there, but only
      // the lowest set bit is used; in bytes that are not ASCII the bit means nothing.
      let word = UInt64(
        littleEndian: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
      let low = (word &- spaces) | ((word ^ quotes) &- ones) | ((word ^ backslashes) &- ones)
      let special = stopAtNonASCII ? (low | word) & highBits : low & ~word & highBits
      if special != 0 { return index &+ special.trailingZeroBitCount &>> 3 }
      index &+= 8
    }
    while index < count {
      let byte = bytes[index]
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
      if stopAtNonASCII, byte >= 0x80 { break }
      index &+= 1
    }
    return index
  }
}
