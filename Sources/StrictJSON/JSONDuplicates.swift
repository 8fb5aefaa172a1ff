internal import Primitives

/// Finds a key that stands twice in one object, compared as the strings they mean.
enum JSONDuplicates {
  /// Up to this many members (a journal record has about twenty) every pair is compared, which needs no memory; beyond,
  /// a set keeps the work linear, since the body's author chooses how many there are.
  private static let pairwiseLimit = 32

  /// - Parameter object: the index of an object whose last member has just been read.
  /// - Returns: the index of the first key that repeats an earlier one, or -1.
  @inline(__always)
  static func repeatedKey(
    in object: Int, of tape: Span<JSONTapeEntry>, _ bytes: Span<UInt8>
  ) -> Int {
    var count = 0
    var isAnyEscaped = false
    // A bit for each key's length and last byte: while no bit comes twice, no key does.
    var seen: UInt64 = 0
    var repeated: UInt64 = 0
    var key = object &+ 1
    while key < tape.count {
      let entry = tape[key]
      let length = UInt64(truncatingIfNeeded: entry.end &- entry.start)
      // Unchecked because what is on the tape lies within the text.
      let last = UInt64(bytes[unchecked: Int(entry.end) &- 2])
      let bit = 1 &<< (length &* 3 &+ last) as UInt64
      repeated |= seen & bit
      isAnyEscaped = isAnyEscaped || entry.isEscaped
      seen |= bit
      count &+= 1
      key = Int(tape[key &+ 1].next)
    }
    if repeated == 0, !isAnyEscaped { return -1 }
    return isAnyEscaped || count > pairwiseLimit
      ? repeatedKeyBySet(in: object, of: tape, bytes) : repeatedKeyByPairs(in: object, of: tape, bytes)
  }

  @inline(never)
  private static func repeatedKeyByPairs(
    in object: Int, of tape: Span<JSONTapeEntry>, _ bytes: Span<UInt8>
  ) -> Int {
    var later = object + 1
    while later < tape.count {
      let key = tape[later]
      let length = key.end - key.start
      let content = bytes.extracting(key.content)
      var earlier = object + 1
      while earlier < later {
        let other = tape[earlier]
        if other.end - other.start == length, bytes.extracting(other.content).holds(content) { return later }
        earlier = Int(tape[earlier + 1].next)
      }
      later = Int(tape[later + 1].next)
    }
    return -1
  }

  @inline(never)
  private static func repeatedKeyBySet(
    in object: Int, of tape: Span<JSONTapeEntry>, _ bytes: Span<UInt8>
  ) -> Int {
    var seen: Set<Text> = []
    var key = object + 1
    while key < tape.count {
      let name = Text(uncheckedUTF8: JSONString.unescaped(bytes, tape[key].content))
      guard seen.insert(name).inserted else { return key }
      key = Int(tape[key + 1].next)
    }
    return -1
  }
}
