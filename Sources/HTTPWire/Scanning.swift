/// Reading eight bytes at a time.
extension RawSpan {
  /// The first position in `start..<end` that holds a control byte (0x00–0x1F, 0x7F), or `end`.
  @inline(__always)
  func firstControl(from start: Int, to end: Int) -> Int {
    precondition(0 <= start && end <= byteCount, "scanning inside the buffer")
    var index = start
    while index &+ 8 <= end {
      let word = UInt64(
        // Inside the span: `index + 8 <= end <= byteCount`.
        littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
      // Zero when all eight are printable ASCII, which nearly all are.
      if ((word &- 0x2020_2020_2020_2020) | (word &+ 0x0101_0101_0101_0101)) & 0x8080_8080_8080_8080 != 0 {
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

  /// The first position in `start..<end` that holds `byte`, or `end`.
  @inline(__always)
  func first(_ byte: UInt8, from start: Int, to end: Int) -> Int {
    precondition(0 <= start && end <= byteCount, "scanning inside the buffer")
    var index = start
    while index &+ 8 <= end {
      let word = UInt64(
        littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
      let flipped = word ^ 0x0101_0101_0101_0101 &* UInt64(byte)
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

  /// Compares eight bytes at a time; with a literal known at compile time that is a few instructions.
  @inline(__always)
  private func equals(_ range: Range<Int>, _ literal: StaticString, folding mask: UInt64) -> Bool {
    let count = literal.utf8CodeUnitCount
    guard range.count == count, range.lowerBound >= 0, range.upperBound <= byteCount else { return false }
    let expected = UnsafeRawPointer(literal.utf8Start)
    var index = 0
    // Both sides hold `count` bytes, checked above.
    while index &+ 8 <= count {
      let word = unsafeLoadUnaligned(fromUncheckedByteOffset: range.lowerBound &+ index, as: UInt64.self)
      let wanted = expected.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      if word | mask != wanted { return false }
      index &+= 8
    }
    while index < count {
      let byte = unsafeLoadUnaligned(fromUncheckedByteOffset: range.lowerBound &+ index, as: UInt8.self)
      let wanted = expected.load(fromByteOffset: index, as: UInt8.self)
      if byte | UInt8(truncatingIfNeeded: mask) != wanted { return false }
      index &+= 1
    }
    return true
  }

  /// The byte at `index`, which is checked.
  @inline(__always)
  func byte(_ index: Int) -> UInt8 {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: byteCount), "reading inside the buffer")
    return unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt8.self)
  }
}
