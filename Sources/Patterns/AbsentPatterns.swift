internal import Primitives

/// Patterns none of which may match anywhere in a text.
///
/// Most texts hold nothing of what is forbidden, and most forbidden patterns begin with some letters. So of each pattern
/// two characters side by side are picked that every match has, the same for as many patterns as can be: where a text does
/// not have these, none of the patterns needs to be asked.
package final class AbsentPatterns: Sendable {
  /// Patterns whose matches all have one pair of characters.
  private final class Group: Sendable {
    let pair: Int
    let ignoresCase: Bool
    let members: [Int]

    init(pair: Int, ignoresCase: Bool, members: [Int]) {
      self.pair = pair
      self.ignoresCase = ignoresCase
      self.members = members
    }
  }

  private let patterns: LentObjects<Pattern>
  private let groups: LentObjects<Group>
  /// Those that have no pair.
  private let others: [Int]

  package init(_ patterns: [Pattern]) {
    self.patterns = LentObjects(patterns)
    var count: [Int: Int] = [:]
    for pattern in patterns { for pair in pattern.needs.pairs?.all ?? [] { count[pair, default: 0] += 1 } }
    var members: [Int: [Bool: [Int]]] = [:]
    var others: [Int] = []
    for (index, pattern) in patterns.enumerated() {
      guard let pairs = pattern.needs.pairs,
        let pair = pairs.all.max(by: { (count[$0] ?? 0, $1) < (count[$1] ?? 0, $0) })
      else {
        others.append(index)
        continue
      }
      members[pair, default: [:]][pairs.ignoresCase, default: []].append(index)
    }
    groups = LentObjects(
      members.flatMap { pair, byCase in
        byCase.map { Group(pair: pair, ignoresCase: $0.key, members: $0.value) }
      })
    self.others = others
  }

  /// Whether none matches, each within its bound.
  package func areAbsent(from text: Span<UInt8>) -> Bool {
    guard !patterns.isEmpty else { return true }
    if !groups.isEmpty {
      let held = PairSet(text)
      for index in groups.indices {
        let isAbsent = groups.with(index) { group in
          // What ignores case may find a letter in characters that are not ASCII.
          !(held.contains(group.pair) || (group.ignoresCase && !held.isASCII))
            || areAbsent(group.members, from: text)
        }
        guard isAbsent else { return false }
      }
    }
    return others.isEmpty || areAbsent(others, from: text)
  }

  private func areAbsent(_ members: [Int], from text: Span<UInt8>) -> Bool {
    let bytes = TextBytes(text)
    for index in members {
      guard patterns.with(index, { $0.occurs(in: text, holding: bytes) }) == .unmatched else { return false }
    }
    return true
  }
}
