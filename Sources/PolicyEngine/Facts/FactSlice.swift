/// Where the bytes of a fact stand: in the buffer that the request came in, or in the request's side buffer, which holds
/// what was unescaped, decoded from path or query, or put in by policy.
struct FactSlice: BitwiseCopyable, Sendable {
  private static let sideBit: UInt32 = 0x8000_0000

  /// The upper bit says which buffer; all ones: the fact is absent.
  private let start: UInt32
  private let length: UInt32

  private init(start: UInt32, length: UInt32) {
    self.start = start
    self.length = length
  }

  static let absent = FactSlice(start: .max, length: 0)

  /// Traps beyond 2 GiB, which no request comes near.
  init(inSource range: Range<Int>) {
    let start = UInt32(range.lowerBound)
    precondition(start < Self.sideBit, "a fact within the first 2 GiB of its buffer")
    self.init(start: start, length: UInt32(range.count))
  }

  /// Traps beyond 2 GiB, which no request comes near.
  init(inSide range: Range<Int>) {
    let start = UInt32(range.lowerBound)
    precondition(start < Self.sideBit - 1, "a fact within the first 2 GiB of its buffer")
    self.init(start: start | Self.sideBit, length: UInt32(range.count))
  }

  @inline(__always) var isAbsent: Bool { start == .max }
  /// In the side buffer, and not in the request's own.
  @inline(__always) var isInSide: Bool { start & Self.sideBit != 0 }
  @inline(__always) var count: Int { Int(length) }

  @inline(__always) var range: Range<Int> {
    let lower = Int(start & ~Self.sideBit)
    // Both are below 2^32, so the sum cannot overflow.
    return Range(uncheckedBounds: (lower, lower &+ Int(length)))
  }

  /// A part of it, counted from its first byte.
  func part(_ part: Range<Int>) -> FactSlice {
    precondition(part.lowerBound >= 0 && part.upperBound <= count, "a part within the fact")
    return FactSlice(start: start + UInt32(part.lowerBound), length: UInt32(part.count))
  }
}

/// A tag of a request.
struct TagFact: BitwiseCopyable, Sendable {
  let key: FactSlice
  /// As it would be forwarded.
  var value: FactSlice
  /// As the caller gave it; absent when they did not and policy added the tag.
  let received: FactSlice
  /// The same for keys that differ only in case; see `FoldedKey`.
  let fingerprint: UInt64
}

/// Something that policy or the gateway changed in a request; of a field changed twice, the way from first to last.
struct FactChange: BitwiseCopyable, Sendable {
  enum Field: UInt8, BitwiseCopyable { case tag, expirationDays, clientRequestToken }

  let field: Field
  /// As violations and records name it: `Tags.Owner`.
  let name: FactSlice
  /// Of a tag: its place among the tags.
  let tag: Int32
  /// Absent: the request did not have the field.
  let from: FactSlice
  let to: FactSlice
  /// The policy that changed it last; `nil`: the gateway itself.
  let changer: PolicyHash?
}
