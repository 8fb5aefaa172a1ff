internal import Primitives

/// What a pattern is that consists of characters and character classes only, each with a number of times: `[a-z][a-z0-9]{1,60}`.
/// At most one of them may stand a varying number of times, so that a text's length alone says which of its characters
/// belongs to which: then two patterns that differ only in that number are as one, and a text of ASCII can be held against
/// tables of bytes.
struct CharacterSequence: Sendable {
  /// One character, or a class of them.
  struct Item: Sendable {
    let source: String
    var times: ClosedRange<Int>
    /// The ASCII characters that it stands for; `nil`: not known without PCRE2.
    let ascii: ByteSet?
  }

  private(set) var items: [Item] = []
  /// Which item stands a varying number of times.
  private(set) var varying: Int?

  /// `nil` for every other pattern.
  init?(_ source: String) {
    var reader = PatternReader(source)
    while !reader.isAtEnd {
      guard let item = reader.item(), let times = reader.times() else { return nil }
      if times.lowerBound != times.upperBound {
        guard varying == nil else { return nil }
        varying = items.count
      }
      items.append(Item(source: item.source, times: times, ascii: item.ascii))
    }
    guard !items.isEmpty else { return nil }
  }

  /// The ASCII characters that the pattern stands for when it is a single item that stands once.
  var singleASCII: ByteSet? {
    items.count == 1 && items[0].times == 1...1 ? items[0].ascii : nil
  }

  /// What all sequences that are the same but for the varying number have in common.
  var shape: String {
    items.enumerated().map { index, item in
      index == varying ? "\(item.source){}" : "\(item.source){\(item.times.lowerBound)}"
    }.joined()
  }

  /// The sequence that a text matches when it matches this and the other, which has the same shape; `nil` when none does.
  func intersection(_ other: CharacterSequence) -> CharacterSequence? {
    guard let varying else { return self }
    let (mine, others) = (items[varying].times, other.items[varying].times)
    guard mine.overlaps(others) else { return nil }
    var both = self
    both.items[varying].times = mine.clamped(to: others)
    return both
  }

  /// As a pattern.
  var source: String {
    items.map { item in
      let (least, most) = (item.times.lowerBound, item.times.upperBound)
      return most == Self.unbounded ? "\(item.source){\(least),}" : "\(item.source){\(least),\(most)}"
    }.joined()
  }

  /// More than any text has characters.
  static let unbounded = Int.max / 2
}

/// What a pattern is that consists of a sequence and another one behind it that may be left out, as ids are often
/// described: `[a-z]([a-z-]*[a-z])?`. A text matches it when it matches the one or both together.
struct OptionalEnd {
  let without: CharacterSequence
  let with: CharacterSequence

  /// `nil` for every other pattern, and for those of which either would not be known by tables alone.
  init?(_ source: String) {
    // Where the parenthesis is one of a class or an escaped one, what is left on either side is no sequence.
    guard source.hasSuffix(")?"), let opening = source.firstIndex(of: "(") else { return nil }
    var end = source[source.index(after: opening)...].dropLast(2)
    if end.hasPrefix("?:") { end = end.dropFirst(2) }
    let start = String(source[..<opening])
    guard let without = CharacterSequence(start), CharacterSequence(String(end)) != nil,
      let with = CharacterSequence(start + end), ASCIIMatcher(without) != nil
    else { return nil }
    self.without = without
    self.with = with
  }
}

/// Holds texts of ASCII against a sequence, byte by byte and without PCRE2.
final class ASCIIMatcher: Sendable {
  private let sets: [ByteSet]
  private let times: [Int]
  private let varying: Int
  /// How often all items but the varying one stand together.
  private let fixed: Int
  private let least: Int
  private let most: Int

  init?(_ sequence: CharacterSequence) {
    let sets = sequence.items.compactMap(\.ascii)
    guard sets.count == sequence.items.count else { return nil }
    self.sets = sets
    times = sequence.items.map(\.times.lowerBound)
    varying = sequence.varying ?? -1
    fixed = sequence.items.indices.reduce(0) { sum, index in
      index == sequence.varying ? sum : sum + sequence.items[index].times.lowerBound
    }
    least = sequence.varying.map { sequence.items[$0].times.lowerBound } ?? 0
    most = sequence.varying.map { sequence.items[$0].times.upperBound } ?? 0
  }

  /// Whether the whole of `text` matches; `nil` when it is not ASCII.
  func matchesWhole(_ text: Span<UInt8>) -> Bool? {
    let rest = text.count - fixed
    // Too few bytes are too few characters; too many may be fewer characters in another script.
    guard rest >= least else { return isASCII(text) ? false : nil }
    guard rest <= most else { return isASCII(text) ? false : nil }
    var place = 0
    for index in sets.indices {
      let set = sets[index]
      let end = place + (index == varying ? rest : times[index])
      while place < end {
        let byte = text[place]
        guard set.contains(byte) else { return isASCII(text) ? false : nil }
        place += 1
      }
    }
    return true
  }

  private func isASCII(_ text: Span<UInt8>) -> Bool {
    var bits: UInt8 = 0
    for index in text.indices { bits |= text[unchecked: index] }
    return bits < 0x80
  }
}
