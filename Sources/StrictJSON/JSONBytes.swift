public import CJansson

extension Span<UInt8> {
  /// The index of the first byte from `start` on that ends a JSON string or does not stand for itself in one: a quote, a
  /// backslash, a control or one that is not ASCII. The end if there is none.
  package func endOfPlainJSON(from start: Int) -> Int {
    JSONBytes.nextSpecial(in: self, from: start, stopAtNonASCII: true)
  }
}

extension RawSpan {
  /// How many of the sixteen bytes at `offset` stand before the first that ends a JSON string or does not stand for itself
  /// in one, as above. The caller has checked that they are there.
  #if arch(x86_64)
    @inlinable @inline(__always)
    package func plainJSONCount(ofSixteenAt offset: Int) -> Int {
      withUnsafeBytes { gh_json_plain_bytes($0.baseAddress, offset, true) }
    }
  #else
    package func plainJSONCount(ofSixteenAt offset: Int) -> Int {
      let plain = JSONBytes.plainCount(in: self, at: offset, stopAtNonASCII: true)
      return plain < 8 ? plain : 8 &+ JSONBytes.plainCount(in: self, at: offset &+ 8, stopAtNonASCII: true)
    }
  #endif
}

/// What reading and writing strings have in common: finding the bytes that need a closer look, a block at a time.
enum JSONBytes {
  #if arch(x86_64)
    private typealias Block = SIMD16<UInt8>
    /// How many bytes one look takes in.
    static let block = 16

    /// How many bytes of the block at `index` stand before the first that is a quote, a backslash, a control or, if asked
    /// for, not ASCII. The caller has checked that the block is there.
    @inline(__always)
    static func plainCount(in raw: RawSpan, at index: Int, stopAtNonASCII: Bool) -> Int {
      raw.withUnsafeBytes { gh_json_plain_bytes($0.baseAddress, index, stopAtNonASCII) }
    }

    /// The same, before the first backslash.
    @inline(__always)
    static func countBeforeBackslash(in raw: RawSpan, at index: Int) -> Int {
      raw.withUnsafeBytes { gh_json_bytes_before_backslash($0.baseAddress, index) }
    }
  #else
    private typealias Block = UInt64
    static let block = 8

    @inline(__always)
    static func plainCount(in raw: RawSpan, at index: Int, stopAtNonASCII: Bool) -> Int {
      let found = specials(in: word(raw, at: index), stopAtNonASCII: stopAtNonASCII)
      return found == 0 ? 8 : firstMark(found)
    }

    @inline(__always)
    static func countBeforeBackslash(in raw: RawSpan, at index: Int) -> Int {
      let found = backslashes(in: word(raw, at: index))
      return found == 0 ? 8 : firstMark(found)
    }
  #endif

  private static let highBits: UInt64 = 0x8080_8080_8080_8080
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let twos: UInt64 = 0x0202_0202_0202_0202
  private static let thirtyThrees: UInt64 = 0x2121_2121_2121_2121
  private static let backslashes: UInt64 = 0x5C5C_5C5C_5C5C_5C5C

  /// The high bit of each byte of `word` that is a quote, a backslash, a control or, if asked for, not ASCII.
  ///
  /// With its second bit turned a quote (0x22) is 0x20, a control stays below that, and no other byte gets there: so one
  /// subtraction of 0x21 finds both. Only the lowest bit set can be relied on: a subtraction sets the high bit of a byte
  /// that it takes below zero, but may borrow from the bytes above it and then err there.
  @inline(__always)
  static func specials(in word: UInt64, stopAtNonASCII: Bool) -> UInt64 {
    let low = ((word ^ twos) &- thirtyThrees) | ((word ^ backslashes) &- ones)
    return stopAtNonASCII ? (low | word) & highBits : low & ~word & highBits
  }

  /// The high bit of the first byte of `word` that is a backslash, and maybe bits above it; 0 when there is none.
  @inline(__always)
  static func backslashes(in word: UInt64) -> UInt64 {
    let difference = word ^ backslashes
    return (difference &- ones) & ~difference & highBits
  }

  /// The place within a word, 0 to 7, of the lowest mark that one of the functions above made.
  @inline(__always)
  static func firstMark(_ marks: UInt64) -> Int { marks.trailingZeroBitCount &>> 3 }

  /// The eight bytes at `index`, the first one lowest. The caller has checked that they are there.
  @inline(__always)
  static func word(_ raw: RawSpan, at index: Int) -> UInt64 {
    UInt64(littleEndian: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
  }

  /// All bytes of a span of fewer than eight, the first one lowest, with zeros behind them.
  @inline(__always)
  static func shortWord(_ bytes: Span<UInt8>) -> UInt64 {
    let count = bytes.count
    let raw = bytes.bytes
    // Unchecked because `count` is the check. Two loads that overlap say the same where they do.
    if count >= 4 {
      let first = UInt32(littleEndian: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self))
      let last = UInt32(
        littleEndian: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self))
      return UInt64(first) | UInt64(last) &<< UInt64(truncatingIfNeeded: (count &- 4) &* 8)
    }
    guard count > 0 else { return 0 }
    let middle = count &>> 1
    return UInt64(bytes[unchecked: 0])
      | UInt64(bytes[unchecked: middle]) &<< UInt64(truncatingIfNeeded: middle &* 8)
      | UInt64(bytes[unchecked: count &- 1]) &<< UInt64(truncatingIfNeeded: (count &- 1) &* 8)
  }

  /// Copies the block at `index`. The caller has checked that it is there, and that there is room for it.
  @inline(__always)
  static func copyBlock(of raw: RawSpan, at index: Int, to target: UnsafeMutablePointer<UInt8>) {
    UnsafeMutableRawPointer(target).storeBytes(
      of: raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: Block.self), as: Block.self)
  }

  /// The index of the first byte from `start` on that is a quote, a backslash, a control or, if asked for, not
  /// ASCII; the end if there is none.
  @inline(__always)
  static func nextSpecial(in bytes: Span<UInt8>, from start: Int, stopAtNonASCII: Bool) -> Int {
    var index = start
    let raw = bytes.bytes
    while index &+ block <= bytes.count {
      let plain = plainCount(in: raw, at: index, stopAtNonASCII: stopAtNonASCII)
      index &+= plain
      if plain < block { return index }
    }
    return nextSpecialNearEnd(in: bytes, from: index, stopAtNonASCII: stopAtNonASCII)
  }

  /// The same where less than a block is left.
  @inline(never)
  private static func nextSpecialNearEnd(
    in bytes: Span<UInt8>, from start: Int, stopAtNonASCII: Bool
  ) -> Int {
    let count = bytes.count
    var index = start
    if index &+ 8 <= count {
      let found = specials(in: word(bytes.bytes, at: index), stopAtNonASCII: stopAtNonASCII)
      if found != 0 { return index &+ firstMark(found) }
      index &+= 8
    }
    // Shifted to the front they have zeros behind them, which count as controls, so that something is found at the end
    // at the latest.
    let rest =
      count >= 8
      ? word(bytes.bytes, at: count &- 8) >> ((index &+ 8 &- count) &* 8)
      : shortWord(bytes) >> (index &* 8)
    return index &+ firstMark(specials(in: rest, stopAtNonASCII: stopAtNonASCII))
  }
}
