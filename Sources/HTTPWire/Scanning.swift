/// Reading eight bytes at a time.
extension RawSpan {
  /// Eight bytes, the first one lowest. The caller has made sure that they lie inside the span.
  @inline(__always)
  private func word(_ index: Int) -> UInt64 {
    UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
  }

  /// No bit of 0x80 in any byte when all eight are printable ASCII, which nearly all are.
  @inline(__always)
  private static func unprintable(_ word: UInt64) -> UInt64 {
    (word &- 0x2020_2020_2020_2020) | (word &+ 0x0101_0101_0101_0101)
  }

  /// The first position in `start..<end` that holds a control byte (0x00–0x1F, 0x7F), or `end`.
  @inline(__always)
  func firstControl(from start: Int, to end: Int) -> Int {
    precondition(0 <= start && end <= byteCount, "scanning inside the buffer")
    var index = start
    while index &+ 16 <= end {
      let marks = Self.unprintable(word(index)) | Self.unprintable(word(index &+ 8))
      guard marks & 0x8080_8080_8080_8080 == 0 else { break }
      index &+= 16
    }
    while index &+ 8 <= end {
      let word = word(index)
      if Self.unprintable(word) & 0x8080_8080_8080_8080 != 0 {
        // Of these two tests the lowest mark is exact; a borrow can only mark bytes above a true one.
        let below = (word &- 0x2020_2020_2020_2020) & ~word
        let flipped = word ^ 0x7F7F_7F7F_7F7F_7F7F
        let delete = (flipped &- 0x0101_0101_0101_0101) & ~flipped
        let marks = (below | delete) & 0x8080_8080_8080_8080
        if marks != 0 { return index &+ marks.trailingZeroBitCount / 8 }
      }
      index &+= 8
    }
    while index < end {
      let byte = unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt8.self)
      if byte < 0x20 || byte == 0x7F { return index }
      index &+= 1
    }
    return end
  }

  /// The first position in `start..<end` that holds no visible ASCII character (0x21–0x7E), or `end`.
  @inline(__always)
  func firstInvisible(from start: Int, to end: Int) -> Int {
    precondition(0 <= start && end <= byteCount, "scanning inside the buffer")
    var index = start
    while index &+ 8 <= end {
      let word = word(index)
      let marks = (word &- 0x2121_2121_2121_2121) | (word &+ 0x0101_0101_0101_0101) | word
      // A mark may come from a borrow, so its place is looked for below.
      guard marks & 0x8080_8080_8080_8080 == 0 else { break }
      index &+= 8
    }
    while index < end {
      let byte = unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt8.self)
      if byte <= 0x20 || byte >= 0x7F { return index }
      index &+= 1
    }
    return end
  }

  /// The first position in `start..<end` that holds `byte`, or `end`.
  @inline(__always)
  func first(_ byte: UInt8, from start: Int, to end: Int) -> Int {
    precondition(0 <= start && end <= byteCount, "scanning inside the buffer")
    var index = start
    while index &+ 8 <= end {
      let flipped = word(index) ^ 0x0101_0101_0101_0101 &* UInt64(byte)
      let marks = (flipped &- 0x0101_0101_0101_0101) & ~flipped & 0x8080_8080_8080_8080
      if marks != 0 { return index &+ marks.trailingZeroBitCount / 8 }
      index &+= 8
    }
    while index < end {
      if unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt8.self) == byte { return index }
      index &+= 1
    }
    return end
  }

  /// Whether the bytes at `range` are `literal`, which is in lower case, letters compared in either case.
  ///
  /// The bytes hold no control byte, and the literal only letters, digits and hyphens: for those, setting
  /// bit 5 makes exactly the two cases of a letter equal.
  @inline(__always)
  func matches(_ range: Range<Int>, token literal: StaticString) -> Bool {
    equals(range, literal, folding: 0x2020_2020_2020_2020)
  }

  /// Whether the bytes at `range` are exactly `literal`.
  @inline(__always)
  func equals(_ range: Range<Int>, _ literal: StaticString) -> Bool { equals(range, literal, folding: 0) }

  /// Compares words; the last one may overlap the one before it. With a literal known at compile time that is a few
  /// instructions.
  @inline(__always)
  private func equals(_ range: Range<Int>, _ literal: StaticString, folding mask: UInt64) -> Bool {
    let count = literal.utf8CodeUnitCount
    guard range.count == count, range.lowerBound >= 0, range.upperBound <= byteCount else { return false }
    let start = range.lowerBound
    // Both sides hold `count` bytes, checked above.
    let expected = UnsafeRawPointer(literal.utf8Start)
    if count >= 8 {
      var index = 0
      while index &+ 8 < count {
        if isSame(start, expected, index, UInt64.self, mask) { index &+= 8 } else { return false }
      }
      return isSame(start, expected, count &- 8, UInt64.self, mask)
    }
    if count >= 4 {
      return isSame(start, expected, 0, UInt32.self, mask)
        && isSame(start, expected, count &- 4, UInt32.self, mask)
    }
    var index = 0
    while index < count {
      if isSame(start, expected, index, UInt8.self, mask) { index &+= 1 } else { return false }
    }
    return true
  }

  /// Compares one word at the same distance from both starts.
  @inline(__always)
  private func isSame<Word: FixedWidthInteger & BitwiseCopyable>(
    _ start: Int, _ expected: UnsafeRawPointer, _ offset: Int, _ type: Word.Type, _ mask: UInt64
  ) -> Bool {
    let word = unsafeLoadUnaligned(fromUncheckedByteOffset: start &+ offset, as: Word.self)
    return word | Word(truncatingIfNeeded: mask)
      == expected.loadUnaligned(fromByteOffset: offset, as: Word.self)
  }

  /// The byte at `index`, which is checked.
  @inline(__always)
  func byte(_ index: Int) -> UInt8 {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: byteCount), "reading inside the buffer")
    return unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt8.self)
  }
}
