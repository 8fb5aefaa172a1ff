internal import Primitives

/// Finds a key that stands twice in one object, compared as the strings they mean.
enum JSONDuplicates {
  /// Up to this many members (a journal record has about twenty) every pair is compared, which needs no memory; beyond,
  /// a set keeps the work linear, since the body's author chooses how many there are.
  private static let pairwiseLimit = 32

  /// - Parameter object: the index of an object whose last member has just been read.
  static func refuse(
    in object: Int, of tape: [JSONTapeEntry], _ bytes: Span<UInt8>
  ) throws(JSONSyntaxError) {
    var count = 0
    var needsSet = false
    var mayRepeat = false
    // A bit for each key's length and last byte: while no bit comes twice, no key does.
    var seen: UInt64 = 0
    var key = object + 1
    while key < tape.count {
      let entry = tape[key]
      let length = UInt64(truncatingIfNeeded: entry.end &- entry.start)
      let bit = 1 &<< (length &* 3 &+ UInt64(bytes[Int(entry.end) - 2])) as UInt64
      mayRepeat = mayRepeat || seen & bit != 0
      needsSet = needsSet || entry.isEscaped
      seen |= bit
      count += 1
      key = Int(tape[key + 1].next)
    }
    if needsSet || (mayRepeat && count > pairwiseLimit) {
      try refuseBySet(in: object, of: tape, bytes)
    } else if mayRepeat {
      try refuseByPairs(in: object, of: tape, bytes)
    }
  }

  private static func refuseByPairs(
    in object: Int, of tape: [JSONTapeEntry], _ bytes: Span<UInt8>
  ) throws(JSONSyntaxError) {
    var later = object + 1
    while later < tape.count {
      var earlier = object + 1
      while earlier < later {
        if isEqual(bytes, tape[earlier], tape[later]) { throw duplicate(tape[later], bytes) }
        earlier = Int(tape[earlier + 1].next)
      }
      later = Int(tape[later + 1].next)
    }
  }

  private static func refuseBySet(
    in object: Int, of tape: [JSONTapeEntry], _ bytes: Span<UInt8>
  ) throws(JSONSyntaxError) {
    var seen: Set<Text> = []
    var key = object + 1
    while key < tape.count {
      let name = Text(uncheckedUTF8: JSONString.unescape(bytes, tape[key].content))
      guard seen.insert(name).inserted else { throw duplicate(tape[key], bytes) }
      key = Int(tape[key + 1].next)
    }
  }

  @inline(__always)
  private static func isEqual(_ bytes: Span<UInt8>, _ left: JSONTapeEntry, _ right: JSONTapeEntry) -> Bool {
    let length = left.end - left.start
    guard length == right.end - right.start else { return false }
    for index in 0..<Int(length) where bytes[Int(left.start) + index] != bytes[Int(right.start) + index] {
      return false
    }
    return true
  }

  private static func duplicate(_ key: JSONTapeEntry, _ bytes: Span<UInt8>) -> JSONSyntaxError {
    // As it stands in the text, where no control byte can be.
    let shown = key.content.prefix(64).map { bytes[$0] }
    let rest = key.content.count > 64 ? "…" : ""
    return JSONSyntaxError(
      offset: Int(key.start), message: "duplicate key \"\(String(decoding: shown, as: UTF8.self))\(rest)\"",
      reason: "duplicate key")
  }
}
