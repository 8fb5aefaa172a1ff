internal import Primitives

/// What rules ask of bytes that are well-formed UTF-8.
extension Span<UInt8> {
  var isASCII: Bool {
    var bits: UInt8 = 0
    for index in 0..<count { bits |= self[unchecked: index] }
    return bits < 0x80
  }

  /// Whether it neither begins nor ends with white space (Unicode property White_Space).
  package var isTrimmed: Bool {
    guard let first = scalar(at: 0), let last = lastScalar else { return true }
    return !first.isWhiteSpace && !last.isWhiteSpace
  }

  /// Whether some one script could have written all of it: UTS #39 section 5.1, with Japanese, Korean and Chinese
  /// with Bopomofo as scripts of their own. Digits, punctuation and combining marks belong to every script.
  package var isSingleScript: Bool {
    // Of ASCII only the letters are bound to a script, and all to the same.
    if isASCII { return true }
    var scripts = ScriptSet.all
    var index = 0
    while let scalar = scalar(at: index) {
      scripts.formIntersection(ScriptSet(of: scalar))
      guard !scripts.isEmpty else { return false }
      index += UTF8.width(scalar)
    }
    return true
  }

  private var lastScalar: Unicode.Scalar? {
    guard !isEmpty else { return nil }
    var start = count - 1
    while start > 0, self[start] & 0xC0 == 0x80 { start -= 1 }
    return scalar(at: start)
  }

  /// The scalar whose UTF-8 form begins at `index`; a text is well-formed, so there is one unless it has ended.
  private func scalar(at index: Int) -> Unicode.Scalar? {
    guard index < count else { return nil }
    let lead = self[index]
    guard lead >= 0x80 else { return Unicode.Scalar(lead) }
    let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    var value = UInt32(lead) & (0x7F >> UInt32(length))
    for offset in 1..<length {
      guard index + offset < count else { return nil }
      value = value << 6 | UInt32(self[index + offset] & 0x3F)
    }
    return Unicode.Scalar(value)
  }
}

extension Unicode.Scalar {
  fileprivate var isWhiteSpace: Bool {
    // Most are printable ASCII, for which the property need not be looked up.
    isASCII && value > 0x20 ? false : properties.isWhitespace
  }
}

/// Scripts as bits, numbered by `ScriptTable`.
private struct ScriptSet {
  private var low: UInt64
  private var middle: UInt64
  private var high: UInt64

  static let all = ScriptSet(index: 0)
  private static let latin = ScriptSet(lookingUp: "a")

  private init(index: Int) {
    low = ScriptTable.sets[3 * index]
    middle = ScriptTable.sets[3 * index + 1]
    high = ScriptTable.sets[3 * index + 2]
  }

  init(of scalar: Unicode.Scalar) {
    // Most names are Latin; of ASCII only the letters are bound to a script.
    if scalar.isASCII {
      self = (0x61...0x7A).contains(scalar.value | 0x20) ? Self.latin : Self.all
    } else {
      self.init(lookingUp: scalar)
    }
  }

  private init(lookingUp scalar: Unicode.Scalar) {
    let ranges = ScriptTable.ranges
    // The last range that begins at or before the scalar; the first begins at 0.
    var first = 0
    var end = ranges.count
    while end - first > 1 {
      let middle = (first + end) / 2
      if ranges[middle] >> 11 <= scalar.value { first = middle } else { end = middle }
    }
    self.init(index: Int(ranges[first] & 0x7FF))
  }

  var isEmpty: Bool { low | middle | high == 0 }

  mutating func formIntersection(_ other: ScriptSet) {
    low &= other.low
    middle &= other.middle
    high &= other.high
  }
}
