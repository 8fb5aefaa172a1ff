internal import Primitives

/// Which requests of a zone have which terms, while the zone is being read: in any order, and a pair may come twice.
struct ZonePostings: ~Copyable {
  /// A term's 32 bits and the request's 12.
  private var pairs = ScratchArray<UInt64>()
  private var isSorted = true

  private static let requestBits: UInt64 = 12

  mutating func add(_ term: IndexTerm, of request: Int) {
    pairs.append(UInt64(term.bits) &<< Self.requestBits | UInt64(truncatingIfNeeded: request))
    isSorted = false
  }

  /// The requests that have the term.
  func requests(with term: IndexTerm) -> RequestSet {
    var set = RequestSet()
    for index in pairs.indices where Self.term(pairs[index]) == term.bits {
      set.insert(Self.request(pairs[index]))
    }
    return set
  }

  private func firstPair(from term: UInt32) -> Int {
    var range = 0..<pairs.count
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      if Self.term(pairs[middle]) < term {
        range = middle + 1..<range.upperBound
      } else {
        range = range.lowerBound..<middle
      }
    }
    return range.lowerBound
  }

  /// Calls `body` with the lists of each bucket that has some, encoded as `TermLists` reads them.
  mutating func forEachBucket<E: Error>(
    _ body: (_ bucket: Int, _ lists: UnsafeRawBufferPointer) throws(E) -> Void
  ) throws(E) {
    sort()
    var encoder = TermListsEncoder()
    var start = 0
    while start < pairs.count {
      let bucket = TermLists.bucket(of: IndexTerm(bits: Self.term(pairs[start])))
      let end =
        bucket == TermLists.buckets - 1 ? pairs.count : firstPair(from: TermLists.first(of: bucket + 1))
      var index = start
      while index < end {
        let term = Self.term(pairs[index])
        encoder.begin(term)
        while index < end, Self.term(pairs[index]) == term {
          encoder.add(Self.request(pairs[index]))
          index &+= 1
        }
        encoder.finish()
      }
      try encoder.take { bytes throws(E) in try body(bucket, bytes) }
      start = end
    }
  }

  private static func term(_ pair: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: pair &>> requestBits) }
  private static func request(_ pair: UInt64) -> Int { Int(truncatingIfNeeded: pair & 0xFFF) }

  /// By terms; eleven of their bits at a time, from the lowest ones, each time keeping the order of before.
  private mutating func sort() {
    guard !isSorted else { return }
    var other = ScratchArray<UInt64>(capacity: pairs.count)
    for _ in pairs.indices { other.append(0) }
    var places = ScratchArray<Int>(capacity: Self.digits)
    for _ in 0..<Self.digits { places.append(0) }
    for pass: UInt64 in 0..<3 {
      let shift = Self.requestBits &+ 11 &* pass
      for digit in 0..<Self.digits { places[digit] = 0 }
      for index in pairs.indices { places[Self.digit(pairs[index], shift)] &+= 1 }
      var sum = 0
      for digit in 0..<Self.digits {
        let count = places[digit]
        places[digit] = sum
        sum &+= count
      }
      for index in pairs.indices {
        let pair = pairs[index]
        let digit = Self.digit(pair, shift)
        other[places[digit]] = pair
        places[digit] &+= 1
      }
      swap(&pairs, &other)
    }
    isSorted = true
  }

  private static let digits = 2048

  @inline(__always)
  private static func digit(_ pair: UInt64, _ shift: UInt64) -> Int {
    Int(truncatingIfNeeded: pair &>> shift & 2047)
  }
}
