internal import Primitives

/// Counts by a number that stands for some labels: a hash table with open addressing over two flat lists.
///
/// One request counts itself under one key, of which a gateway sees a few dozen; a `Dictionary` would hash with SipHash and
/// check for uniqueness each time.
struct CounterTable: ~Copyable {
  private var keys = ScratchArray<UInt64>()
  private var counts = ScratchArray<Int>()
  private var used = 0

  /// How many keys have a count.
  var count: Int { used }

  /// - Parameter key: not 0, which marks a free place.
  mutating func increment(_ key: UInt64, by amount: Int = 1) {
    precondition(key != 0, "0 marks a free place")
    // At most three quarters full, so that a search ends soon.
    if 4 * (used + 1) > 3 * keys.count { grow() }
    let place = place(of: key)
    if keys[place] == 0 {
      keys[place] = key
      used += 1
    }
    counts[place] += amount
  }

  /// - Returns: whether the key had a count, and now has one more.
  mutating func increment(known key: UInt64) -> Bool {
    guard used > 0 else { return false }
    let place = place(of: key)
    guard keys[place] == key else { return false }
    counts[place] += 1
    return true
  }

  func forEach(_ body: (UInt64, Int) -> Void) {
    for place in keys.indices where keys[place] != 0 { body(keys[place], counts[place]) }
  }

  /// Where the key is, or the free place where it belongs. There is always a free place.
  private func place(of key: UInt64) -> Int {
    let mask = keys.count - 1
    // Fibonacci hashing: the upper bits of the product depend on all bits of the key.
    var place = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while keys[place] != 0, keys[place] != key { place = (place + 1) & mask }
    return place
  }

  private mutating func grow() {
    var former = ScratchArray<UInt64>()
    var formerCounts = ScratchArray<Int>()
    swap(&former, &keys)
    swap(&formerCounts, &counts)
    let size = max(64, 2 * former.count)
    keys.reserve(size)
    counts.reserve(size)
    for _ in 0..<size {
      keys.append(0)
      counts.append(0)
    }
    for index in former.indices where former[index] != 0 {
      let place = place(of: former[index])
      keys[place] = former[index]
      counts[place] = formerCounts[index]
    }
  }
}
