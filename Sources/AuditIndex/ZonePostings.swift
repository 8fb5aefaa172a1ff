internal import AuditTrail
internal import Primitives

/// Which requests of a zone have which terms, while the zone is being read: in any order, and a pair may come twice.
struct ZonePostings: ~Copyable {
  /// A term's 32 bits and the request's 12.
  private var pairs = ScratchArray<UInt64>()
  private var isSorted = true

  private static let requestBits: UInt64 = 12

  mutating func reserve(_ count: Int) { pairs.reserve(count) }

  mutating func add(_ term: RecordTerm, of request: Int) {
    pairs.append(UInt64(term.bits) &<< Self.requestBits | UInt64(truncatingIfNeeded: request))
    isSorted = false
  }

  /// All of them.
  mutating func add(_ terms: borrowing ScratchArray<RecordTerm>, of request: Int) {
    let terms = terms.span
    for index in terms.indices { add(terms[unchecked: index], of: request) }
  }

  /// The requests that have the term.
  func requests(with term: RecordTerm) -> RequestSet {
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
      let bucket = TermLists.bucket(of: RecordTerm(bits: Self.term(pairs[start])))
      let end =
        bucket == TermLists.buckets - 1 ? pairs.count : firstPair(from: TermLists.first(of: bucket + 1))
      var index = start
      while index < end {
        let term = Self.term(pairs[index])
        var behind = index &+ 1
        while behind < end, Self.term(pairs[behind]) == term { behind &+= 1 }
        encoder.add(term, pairs, index..<behind)
        index = behind
      }
      try encoder.take { bytes throws(E) in try body(bucket, bytes) }
      start = end
    }
  }

  private static func term(_ pair: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: pair &>> requestBits) }
  static func request(_ pair: UInt64) -> Int { Int(truncatingIfNeeded: pair & 0xFFF) }

  /// By terms. One round puts in order what differs in the first 13 bits; what those have in common is little, and is
  /// put in order by insertion. Should it be much, because two terms that many requests have fell together, further
  /// rounds do the rest.
  private mutating func sort() {
    guard !isSorted else { return }
    distribute(by: 31)
    if !insert(movesAtMost: 16 * pairs.count) {
      for shift: UInt64 in [12, 25, 31] { distribute(by: shift) }
    }
    isSorted = true
  }

  /// Orders by the thirteen bits from `shift` on, and keeps the order of before where they agree.
  private mutating func distribute(by shift: UInt64) {
    let digits = 8192
    // How often each digit stands there, and then where the next pair with it goes.
    var counts = ScratchArray<Int32>(repeating: 0, count: digits)
    var other = ScratchArray<UInt64>(repeating: 0, count: pairs.count)
    do {
      // Each index is of a pair, each digit below 8192, and each place is one pair's.
      let source = pairs.span
      var places = counts.mutableSpan
      var target = other.mutableSpan
      for index in source.indices {
        places[unchecked: Int(truncatingIfNeeded: source[unchecked: index] &>> shift & 8191)] &+= 1
      }
      var sum: Int32 = 0
      for digit in 0..<digits {
        let count = places[unchecked: digit]
        places[unchecked: digit] = sum
        sum &+= count
      }
      for index in source.indices {
        let pair = source[unchecked: index]
        let digit = Int(truncatingIfNeeded: pair &>> shift & 8191)
        let place = places[unchecked: digit]
        target[unchecked: Int(place)] = pair
        places[unchecked: digit] = place &+ 1
      }
    }
    swap(&pairs, &other)
  }

  /// Puts each pair behind those before it that do not belong behind it.
  /// - Returns: `false` when that takes too many moves; then it is not finished.
  private mutating func insert(movesAtMost limit: Int) -> Bool {
    guard !pairs.isEmpty else { return true }
    // Each index below is of a pair.
    var pairs = pairs.mutableSpan
    var moves = 0
    var last = pairs[0]
    for index in 1..<pairs.count {
      let pair = pairs[unchecked: index]
      guard Self.term(pair) < Self.term(last) else {
        last = pair
        continue
      }
      var place = index
      while place > 0, Self.term(pairs[unchecked: place - 1]) > Self.term(pair) {
        pairs[unchecked: place] = pairs[unchecked: place - 1]
        place -= 1
      }
      pairs[unchecked: place] = pair
      moves += index - place
      guard moves <= limit else { return false }
    }
    return true
  }
}
