internal import CPCRE2
internal import Primitives

/// Patterns all of which must match the whole of a text, as few of them asked one by one as can be.
///
/// Patterns that differ only in how often something may stand (`[a-z]{1,60}`, `[a-z]{1,80}`) are one with the narrowest
/// number. Of patterns that begin with the same alternatives, these are asked first, as PCRE2 would: a text that matches
/// one of them matches all the patterns. And since most of what a match of a short text costs is the call, patterns that
/// stay what they are within a larger one are made into one: `(?=(?:first)\z)(?=(?:second)\z)`.
package final class WholeMatches: Sendable {
  private let groups: LentObjects<MatchGroup>

  package init(_ patterns: [Pattern]) {
    let (narrowed, others) = Self.narrow(patterns)
    var groups = narrowed.map { MatchGroup(lead: nil, [$0]) }
    var byFirst: [String: [(pattern: Pattern, branches: [String])]] = [:]
    var rest: [Pattern] = []
    for pattern in others {
      if let branches = Alternatives.of(pattern) {
        byFirst[branches[0], default: []].append((pattern, branches))
      } else {
        rest.append(pattern)
      }
    }
    for (_, alike) in byFirst.sorted(by: { $0.key < $1.key }) {
      let shared = alike.dropFirst().reduce(alike[0].branches) { Self.commonStart($0, $1.branches) }
      if alike.count > 1, let lead = try? Pattern(shared.joined(separator: "|")) {
        groups.append(MatchGroup(lead: lead, alike.map(\.pattern)))
      } else {
        rest += alike.map(\.pattern)
      }
    }
    if !rest.isEmpty { groups.append(MatchGroup(lead: nil, rest)) }
    self.groups = LentObjects(groups)
  }

  /// Whether every pattern surely matches the whole of `text`, each within its bound. `false` is no more than a doubt: the
  /// patterns themselves say which does not.
  package func surelyMatch(_ text: Span<UInt8>) -> Bool {
    for index in groups.indices where !groups.with(index, { $0.surelyMatch(text) }) { return false }
    return true
  }

  /// Makes one of patterns that differ only in the number of one item.
  private static func narrow(_ patterns: [Pattern]) -> (narrowed: [Pattern], others: [Pattern]) {
    var shapes: [String: CharacterSequence] = [:]
    var members: [String: [Pattern]] = [:]
    var others: [Pattern] = []
    for pattern in patterns {
      guard let sequence = pattern.sequence else {
        others.append(pattern)
        continue
      }
      let shape = sequence.shape
      if let known = shapes[shape] {
        guard let both = known.intersection(sequence) else {
          // No text matches both, which they may say themselves.
          others.append(pattern)
          continue
        }
        shapes[shape] = both
      } else {
        shapes[shape] = sequence
      }
      members[shape, default: []].append(pattern)
    }
    var narrowed: [Pattern] = []
    for (shape, sequence) in shapes.sorted(by: { $0.key < $1.key }) {
      let alike = members[shape] ?? []
      if alike.count > 1, let one = try? Pattern(sequence.source) {
        narrowed.append(one)
      } else {
        others += alike
      }
    }
    return (narrowed, others)
  }

  private static func commonStart(_ one: [String], _ other: [String]) -> [String] {
    Array(zip(one, other).prefix { $0 == $1 }.map(\.0))
  }
}

/// Patterns that a text must match as a whole, or one that implies them all.
private final class MatchGroup: Sendable {
  /// As many as one pattern may be made of: its bound is shared by them all.
  private static let mostTogether = 50

  private let lead: Pattern?
  private let together: LentObjects<Conjunction>
  private let single: LentObjects<Pattern>

  /// - Parameter lead: what all patterns try before anything else, and match where it matches.
  init(lead: Pattern?, _ patterns: [Pattern]) {
    self.lead = lead
    let isCombinable = patterns.map { $0.options.isEmpty && CombinableSource.admits($0.source) }
    let combinable = zip(patterns, isCombinable).filter(\.1).map(\.0)
    var together: [Conjunction] = []
    var single = zip(patterns, isCombinable).filter { !$0.1 }.map(\.0)
    for start in stride(from: 0, to: combinable.count, by: Self.mostTogether) {
      let some = combinable[start..<min(start + Self.mostTogether, combinable.count)]
      if some.count > 1, let conjunction = Conjunction(of: some.map(\.source)) {
        together.append(conjunction)
      } else {
        single += some
      }
    }
    self.together = LentObjects(together)
    self.single = LentObjects(single)
  }

  func surelyMatch(_ text: Span<UInt8>) -> Bool {
    if let lead, lead.matchesWhole(text) == .matched { return true }
    for index in together.indices where !together.with(index, { $0.surelyMatches(text) }) { return false }
    for index in single.indices {
      guard single.with(index, { $0.matchesWhole(text) }) == .matched else { return false }
    }
    return true
  }
}

/// The alternatives of a pattern, which PCRE2 tries in their order.
enum Alternatives {
  /// `nil` when there is only one, or when one could mean something else without those beside it: references to groups,
  /// options that hold from one to the next, verbs.
  static func of(_ pattern: Pattern) -> [String]? {
    guard pattern.options.isEmpty, CombinableSource.admits(pattern.source) else { return nil }
    var branches: [String] = []
    var branch = String.UnicodeScalarView()
    var depth = 0
    var isEscaped = false
    var previous: Unicode.Scalar = " "
    for scalar in pattern.source.unicodeScalars {
      defer { previous = isEscaped ? " " : scalar }
      if isEscaped {
        isEscaped = false
      } else {
        switch scalar {
        case "\\": isEscaped = true
        case "(": depth += 1
        case ")": depth -= 1
        // Looking into classes is more than this is worth where they hold parentheses or bars.
        case "?" where previous == "(": return nil
        case "|" where depth == 0:
          branches.append(String(branch))
          branch = String.UnicodeScalarView()
          continue
        default: break
        }
      }
      branch.append(scalar)
    }
    branches.append(String(branch))
    // A bar or parenthesis in a class would have cut it: then a part has brackets that do not match.
    guard branches.count > 1, depth == 0, branches.allSatisfy({ (try? Pattern($0)) != nil }) else {
      return nil
    }
    return branches
  }
}

/// Several patterns as one that matches where all of them match the whole.
private final class Conjunction: Sendable {
  /// How many times fewer steps than a single pattern's it may take for each byte: seeing its end before it, a pattern
  /// can give up a last repetition at once which alone it would shorten byte by byte. So nothing passes here that would
  /// run into the bound by itself.
  private static let shareForEachByte = 84

  // As in Pattern: only read after init.
  private nonisolated(unsafe) let code: OpaquePointer

  /// `nil`: cannot be made, for which there may be reasons that only PCRE2 knows.
  init?(of sources: [String]) {
    let source = sources.map { "(?=(?:\($0))\\z)" }.joined()
    guard let code = try? Pattern.compile(source, Pattern.commonOptions | PCRE2_ANCHORED) else { return nil }
    self.code = code
  }

  deinit { pcre2_code_free_8(code) }

  func surelyMatches(_ text: Span<UInt8>) -> Bool {
    Pattern.match(code, text, startingPlaces: Self.shareForEachByte * (text.count + 1)) == .matched
  }
}

/// Patterns that mean the same inside of `(?:` and `)` among others: without references to groups, which would be
/// numbered anew, without names, verbs and comments, and without quotations that might not end.
enum CombinableSource {
  static func admits(_ source: String) -> Bool {
    let bytes = Array(source.utf8)
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\\"):
        guard index + 1 < bytes.count, admits(escape: bytes[index + 1]) else { return false }
        index += 2
      case UInt8(ascii: "("):
        guard let length = admittedOpening(bytes[index...]) else { return false }
        index += length
      default:
        index += 1
      }
    }
    return true
  }

  private static func admits(escape byte: UInt8) -> Bool {
    let isLetterOrDigit =
      (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte >= 0x80
    return !isLetterOrDigit || "dDwWsShHvVRbBpPXtnrfexAzZ".utf8.contains(byte)
  }

  /// The length of what opens a group that may be combined. Looking into classes of characters, where a parenthesis
  /// opens nothing, refuses a few more than it must.
  private static func admittedOpening(_ rest: ArraySlice<UInt8>) -> Int? {
    guard rest.dropFirst().first != UInt8(ascii: "*") else { return nil }
    guard rest.dropFirst().first == UInt8(ascii: "?") else { return 1 }
    let what = rest.dropFirst(2)
    for opening in [":", "=", "!", ">", "<=", "<!"] where what.starts(with: opening.utf8) {
      return 2 + opening.utf8.count
    }
    let flags = what.prefix { "ims-".utf8.contains($0) }
    guard !flags.isEmpty, let end = what.dropFirst(flags.count).first, ":)".utf8.contains(end) else {
      return nil
    }
    return 3 + flags.count
  }
}
