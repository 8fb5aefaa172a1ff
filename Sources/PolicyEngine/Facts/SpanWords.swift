/// Bytes eight at a time, the first of them lowest.
extension Span<UInt8> {
  /// The caller has checked that there are eight at `index`.
  @inline(__always)
  func word(at index: Int) -> UInt64 {
    UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
  }

  /// The first eight, with zeros for those that are not there.
  @inline(__always)
  var firstWord: UInt64 { count >= 8 ? word(at: 0) : shortWord }

  /// The last eight, or all, with zeros behind them.
  @inline(__always)
  var lastWord: UInt64 { count >= 8 ? word(at: count &- 8) : shortWord }

  /// All of fewer than eight, with zeros behind them.
  @inline(__always)
  private var shortWord: UInt64 {
    // In bounds by the conditions. Two loads that overlap say the same where they do.
    if count >= 4 {
      let first = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self)
      let last = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self)
      return UInt64(UInt32(littleEndian: first))
        | UInt64(UInt32(littleEndian: last)) &<< UInt64(truncatingIfNeeded: (count &- 4) &* 8)
    }
    var word: UInt64 = 0
    for index in 0..<count {
      word |= UInt64(self[unchecked: index]) &<< UInt64(truncatingIfNeeded: index &* 8)
    }
    return word
  }
}
