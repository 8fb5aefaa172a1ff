import Primitives
import Testing

@testable import Patterns

/// Patterns that are tried together, and texts that are ruled out before any is: both must say what each pattern says.
@Suite struct WholeMatchesTests {
  static let sources = [
    "[a-c]+", "a|ab", ".*-.*", "(?i)abc", "(?i:k)+", "\\p{L}+", "[\\p{L}\\p{M}' .-]{1,9}", "(a)(b)?",
    "a?b?c?", "^ab$",
    "(?=.*c)[a-c]+", "(?!b).*", "(?<=a)b", "x{2,}", "\\x61+", "\\.", "[^@]+@b", "é", "(?i)É", "ſ|k", "(?i)s",
    "\u{1F600}",
    "", "a*", "(?>a+)b", "\\bab\\b", "\\Aab\\z", "[)(]", "(?s).", "(?m)^b$", "(?-i)A", "ab+?", "(?i)straße",
    "\u{212A}",
    // These are asked one by one.
    "(a)\\1", "(?<n>a)\\k<n>", "(?x) a b # c", "(*UCP)\\w+", "\\Qa", "(?|a|b)", "(?R)?a", "a(*ACCEPT)b",
    "a\\Kb",
    "(?#x)a", "[a(?]", "(*NO_START_OPT)a",
  ]
  static let texts: [Text] = {
    let letters = [
      "a", "b", "c", "A", "-", "x", "k", "K", "\u{212A}", "s", "\u{17F}", "é", "É", "@", "(", "\n",
      "\u{1F600}",
    ]
    var texts: [Text] = ["", "abc", "ABC", "a@b", "ab ab", "STRASSE", "STRAßE", "x#", "aaab", "2"]
    for one in letters {
      texts.append(Text(one))
      for other in letters { texts.append(Text(one + other)) }
    }
    return texts
  }()

  @Test func patternsTogetherMatchWhereEachDoes() throws {
    let patterns = try Self.sources.map { try Pattern($0) }
    let verdicts = patterns.map { pattern in Self.texts.map { pattern.matchesWhole($0) == .matched } }
    var matched = 0
    for first in patterns.indices {
      // Each with a few others, so that every kind meets every kind of neighbour over the whole.
      for second in stride(from: first % 7, to: patterns.count, by: 7) {
        let both = WholeMatches([patterns[first], patterns[second]])
        for (place, text) in Self.texts.enumerated() {
          let expected = verdicts[first][place] && verdicts[second][place]
          if expected { matched += 1 }
          if both.surelyMatch(text) != expected {
            Issue.record("\(patterns[first].source) and \(patterns[second].source) on \(text)")
          }
        }
      }
    }
    #expect(matched > 500)
  }

  @Test func ofManyPatternsEachCounts() throws {
    let patterns = try (0..<120).map { try Pattern("[a-z]{1,\(200 - $0)}") }
    let all = WholeMatches(patterns)
    #expect(all.surelyMatch(Text(String(repeating: "a", count: 81))))
    #expect(!all.surelyMatch(Text(String(repeating: "a", count: 82))))
    #expect(WholeMatches([]).surelyMatch("a"))
  }

  @Test(arguments: [
    ("(a)\\1", false), ("(?<n>a)", false), ("(?x)a#", false), ("(*UCP)a", false), ("\\Qa", false),
    ("(?R)", false),
    ("(?|a)", false), ("\\g1", false), ("(?P>n)", false), ("(?(1)a)", false), ("(?#a)", false),
    ("(?<!a)b", true),
    ("(?i)a", true), ("(?i-s:a)", true), ("(a|b)+", true), ("\\p{L}\\.\\-", true),
    ("[^@]+@example\\.com", true),
  ])
  func onlyPatternsThatStayWhatTheyAreAreCombined(_ source: String, _ isCombinable: Bool) {
    #expect(CombinableSource.admits(source) == isCombinable)
  }

  /// What a single pattern refuses because it takes too long, no combination lets pass.
  @Test func theBoundHoldsTogetherToo() throws {
    let slow = try Pattern("(?:(?:a+)+b)?a*")
    let value = Text(String(repeating: "a", count: 64))
    #expect(slow.matchesWhole(value) == .exceededBound)
    #expect(!WholeMatches([slow, try Pattern("a+")]).surelyMatch(value))
  }

  /// The same search said as a match of the whole, which nothing rules out before.
  @Test func noTextIsRuledOutThatMatches() throws {
    var found = 0
    for source in Self.sources
    where CombinableSource.admits(source) && !["^", "\\A", "\\z"].contains(where: source.contains) {
      let pattern = try Pattern(source)
      let anywhere = try Pattern("(?s:.*)(?:\(source))(?s:.*)")
      for text in Self.texts {
        let expected = anywhere.matchesWhole(text)
        if pattern.occurs(in: text) != expected { Issue.record("\(source) in \(text)") }
        if expected == .matched { found += 1 }
      }
    }
    #expect(found > 500)
  }
}

extension WholeMatches {
  fileprivate func surelyMatch(_ text: Text) -> Bool { surelyMatch(text.utf8.span) }
}
