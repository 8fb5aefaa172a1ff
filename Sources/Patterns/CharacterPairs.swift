/// Two ASCII characters side by side as a number below 1024; different ones may be the same number. Case is left out.
private func numberOfPair(_ first: UInt8, _ second: UInt8) -> Int { Int(first & 31) << 5 | Int(second & 31) }

/// The pairs of characters that stand in a text.
struct PairSet {
  private var bits = InlineArray<16, UInt64>(repeating: 0)
  let isASCII: Bool

  init(_ text: Span<UInt8>) {
    var previous: UInt8 = 0
    var all: UInt8 = 0
    for index in text.indices {
      let byte = text[unchecked: index]
      let pair = numberOfPair(previous, byte)
      // Below 1024, so within the sixteen words. The first one is no pair of the text, which harms nothing.
      bits[pair &>> 6] |= 1 &<< UInt64(pair & 63)
      all |= byte
      previous = byte
    }
    isASCII = all < 0x80
  }

  func contains(_ pair: Int) -> Bool { bits[pair &>> 6] &>> UInt64(pair & 63) & 1 == 1 }
}

/// The pairs of characters that every match of a pattern begins with: those of the letters, digits and marks that stand
/// at its start for themselves. There is no other start if it has no alternatives.
struct RequiredPairs: Sendable {
  let all: [Int]
  let ignoresCase: Bool

  /// `nil` when nothing is known.
  init?(_ source: String) {
    var rest = Array(source.utf8)[...]
    ignoresCase = rest.starts(with: "(?i)".utf8)
    if ignoresCase { rest = rest.dropFirst(4) }
    guard !rest.contains(UInt8(ascii: "|")) else { return nil }
    var start: [UInt8] = []
    while let byte = rest.first, let length = Self.lengthOfLiteral(rest) {
      // What may stand never, or not once, is not required.
      let next = rest.dropFirst(length).first
      if let next, "*?{+".utf8.contains(next) { break }
      start.append(length == 2 ? rest[rest.startIndex + 1] : byte)
      rest = rest.dropFirst(length)
    }
    var pairs: [Int] = []
    for (first, second) in zip(start, start.dropFirst()) {
      pairs.append(numberOfPair(first, second))
    }
    guard !pairs.isEmpty else { return nil }
    all = pairs
  }

  /// How many bytes stand for one character at the start; `nil` when something else stands there.
  private static func lengthOfLiteral(_ rest: ArraySlice<UInt8>) -> Int? {
    guard let byte = rest.first, (0x20..<0x7F).contains(byte) else { return nil }
    guard byte == UInt8(ascii: "\\") else { return "()[]{}.*+?^$|#".utf8.contains(byte) ? nil : 1 }
    // An escaped letter or digit is no literal.
    guard let escaped = rest.dropFirst().first, (0x21..<0x7F).contains(escaped) else { return nil }
    let isLetterOrDigit = (0x30...0x39).contains(escaped) || (0x61...0x7A).contains(escaped | 0x20)
    return isLetterOrDigit ? nil : 2
  }
}
