/// Requests of one zone: a bit for each.
struct RequestSet: BitwiseCopyable {
  private var words = InlineArray<64, UInt64>(repeating: 0)

  static let capacity = 4096

  /// The first `count` requests.
  init(first count: Int) {
    for word in 0..<64 {
      let bits = min(64, max(0, count - 64 * word))
      words[word] = bits == 64 ? .max : 1 << UInt64(bits) - 1
    }
  }

  init() {}

  var isEmpty: Bool {
    var all: UInt64 = 0
    for word in 0..<64 { all |= words[word] }
    return all == 0
  }

  func contains(_ request: Int) -> Bool { words[request >> 6] & 1 << UInt64(request & 63) != 0 }

  mutating func insert(_ request: Int) { words[request >> 6] |= 1 << UInt64(request & 63) }

  mutating func remove(_ request: Int) { words[request >> 6] &= ~(1 << UInt64(request & 63)) }

  mutating func formUnion(_ other: RequestSet) {
    for word in 0..<64 { words[word] |= other.words[word] }
  }

  /// 64 requests.
  func word(at index: Int) -> UInt64 { words[index] }

  mutating func formUnion(word: UInt64, at index: Int) { words[index] |= word }

  mutating func formIntersection(_ other: RequestSet) {
    for word in 0..<64 { words[word] &= other.words[word] }
  }

  /// In order.
  var requests: [Int] {
    var requests: [Int] = []
    for word in 0..<64 {
      var bits = words[word]
      while bits != 0 {
        requests.append(64 * word + bits.trailingZeroBitCount)
        bits &= bits - 1
      }
    }
    return requests
  }
}
