/// Where some bytes stand in a buffer that is known from the context: what is kept of a field instead of a copy.
///
/// 8 bytes, no reference: whoever holds slices pays nothing for passing them on. A buffer of 4 GiB or more has no slices;
/// every buffer that a peer can fill is bounded far below that.
@usableFromInline package struct ByteSlice: BitwiseCopyable, Hashable, Sendable {
  @usableFromInline let start: UInt32
  @usableFromInline let length: UInt32

  /// Traps when the range does not lie within the first 4 GiB.
  @inlinable package init(_ range: Range<Int>) {
    start = UInt32(range.lowerBound)
    length = UInt32(range.count)
  }

  @inlinable package var range: Range<Int> {
    let lower = Int(start)
    // Both are below 2^32, so the sum cannot overflow.
    return Range(uncheckedBounds: (lower, lower &+ Int(length)))
  }

  @inlinable package var lowerBound: Int { Int(start) }
  @inlinable package var upperBound: Int { Int(start) &+ Int(length) }
  @inlinable package var count: Int { Int(length) }
  @inlinable package var isEmpty: Bool { length == 0 }
}

extension [UInt8] {
  /// The bytes of a slice of this buffer, which the slice keeps alive. Where it need not outlive a call, `span` is cheaper.
  @inlinable package subscript(slice: ByteSlice) -> ArraySlice<UInt8> { self[slice.range] }
}

extension Span<UInt8> {
  /// The bytes of a slice of this buffer.
  @inlinable package subscript(slice: ByteSlice) -> Span<UInt8> {
    @_lifetime(copy self) get { extracting(slice.range) }
  }
}
