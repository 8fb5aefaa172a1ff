import Primitives
import TestSupport
import Testing

@testable import Patterns

/// What is known of patterns without PCRE2 must be what PCRE2 says.
@Suite struct CharacterSequenceTests {
  static let items = [
    "a", "Z", "7", " ", "-", "_", "@", #"\."#, #"\-"#, #"\\"#, #"\d"#, #"\D"#, #"\w"#, #"\W"#, #"\s"#, #"\S"#,
    #"\h"#,
    "[a-z]", "[A-Za-z0-9]", "[a-z0-9._-]", "[^@]", "[^a-z ]", #"[\w.-]"#, #"[\d\s]"#, #"[^\d]"#, #"[\]\[x]"#,
    "[-a]",
    #"[\--z]"#, #"\p{L}"#, #"\P{L}"#, #"\p{Lu}"#, #"\p{Ll}"#, #"\p{Nd}"#, #"\p{N}"#, #"\p{M}"#, #"\p{Cc}"#,
    #"\p{Cf}"#,
    #"\p{Z}"#, #"\p{Zs}"#, #"[\p{L}\p{M}' .-]"#, #"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"#, #"[^\p{L}\p{N}]"#, "[é-ü]",
    "[a-é]", "é",
    #"\p{Lm}"#, #"\p{Lo}"#, #"\p{Lt}"#, #"\p{Nl}"#, #"\p{No}"#, #"\p{Mn}"#, #"\p{Co}"#,
  ]

  @Test(arguments: items)
  func anItemStandsForTheCharactersThatPCREFinds(_ item: String) throws {
    let sequence = try #require(CharacterSequence(item))
    let ascii = try #require(sequence.singleASCII)
    // In a group it is no sequence, so PCRE2 is asked.
    let asked = try Pattern("(?:\(item))")
    #expect(asked.sequence == nil)
    for byte in 1..<0x80 as Range<UInt8> {
      let matches = asked.matchesWhole(Text(uncheckedUTF8: [byte])) == .matched
      #expect(ascii.contains(byte) == matches, "\(byte)")
    }
  }

  @Test(arguments: [
    "", "a|b", "(a)", "a*?", "a++", "a{2}?", "^a", "a$", ".", "[[:alpha:]]", "[]a]", "[^]]", #"\b"#, #"\R"#,
    #"\X"#, #"\N"#,
    #"\x41"#, #"\pL"#, "a{2", "a{,3}", "a**", "[a-z", "a{3,2}", #"\1"#, "a*b*", #"\Qa\E"#, "(?i)a", "#",
    "[a-[b]",
  ])
  func whatIsMoreThanThatIsNone(_ source: String) { #expect(CharacterSequence(source) == nil) }

  @Test func aNumberOfTimesIsReadInEveryForm() throws {
    let forms: [(String, ClosedRange<Int>)] = [
      ("a", 1...1), ("a*", 0...CharacterSequence.unbounded), ("a+", 1...CharacterSequence.unbounded),
      ("a?", 0...1),
      ("a{3}", 3...3), ("a{3,}", 3...CharacterSequence.unbounded), ("a{3,5}", 3...5),
    ]
    for (source, times) in forms {
      let sequence = try #require(CharacterSequence(source))
      #expect(sequence.items.map(\.times) == [times], "\(source)")
      #expect(CharacterSequence(sequence.source)?.items.map(\.times) == [times])
    }
  }

  /// Random sequences and texts, by tables and by PCRE2.
  @Test func tablesMatchAsPCREDoes() throws {
    var random = Numbers(seed: 1)
    var seen = (matched: 0, unmatched: 0, asked: 0)
    for _ in 0..<400 {
      let source = random.sequence()
      let sequence = try #require(CharacterSequence(source), "\(source)")
      let matcher = try #require(ASCIIMatcher(sequence))
      let asked = try Pattern("(?:\(source))")
      for _ in 0..<40 {
        let text = Text(random.text())
        let matches = asked.matchesWhole(text) == .matched
        switch matcher.matchesWhole(text.utf8.span) {
        case true?: seen.matched += 1; #expect(matches, "\(source) \(text)")
        case false?: seen.unmatched += 1; #expect(!matches, "\(source) \(text)")
        case nil: seen.asked += 1
        }
      }
    }
    #expect(min(seen.matched, seen.unmatched, seen.asked) > 200, "\(seen)")
  }

  /// The same for sequences with an end that may be left out.
  @Test func anEndThatMayBeLeftOutMatchesAsPCREDoes() throws {
    var random = Numbers(seed: 4)
    var seen = (matched: 0, unmatched: 0, known: 0)
    for _ in 0..<600 {
      let source = "\(random.sequence())(\(["", "?:"][random.below(2)])\(random.sequence()))?"
      if OptionalEnd(source) != nil { seen.known += 1 }
      let (pattern, asked) = (try Pattern(source), try Pattern("(?:\(source))"))
      for _ in 0..<40 {
        let text = Text(random.text())
        let matches = asked.matchesWhole(text)
        #expect(pattern.matchesWhole(text) == matches, "\(source) \(text)")
        if matches == .matched { seen.matched += 1 } else { seen.unmatched += 1 }
      }
    }
    #expect(min(seen.matched, seen.unmatched, seen.known) > 100, "\(seen)")
  }

  @Test(arguments: [
    "[a-z0-9]([a-z0-9._-]*[a-z0-9])?", "a(?:b)?", "a{2}(b{1,3})?",
  ])
  func anEndThatMayBeLeftOutIsFound(_ source: String) { #expect(OptionalEnd(source) != nil) }

  @Test(arguments: [
    "a(b)", "a(b)??", "a(b)?+", "a(b)*", "a(?=b)?", "a(b|c)?", "a((b))?", #"a(b\)?"#, #"a\(b)?"#, "[(]b)?",
    "a*(b*)?",
    "a(?i:b)?", "a(b)?c", "(a)?", "a()?",
  ])
  func noOtherEndIs(_ source: String) { #expect(OptionalEnd(source) == nil) }

  /// Many patterns at once say no more than each by itself, and of those that tables or one pattern answer no less.
  @Test func togetherTheyMatchWhatEachMatches() throws {
    var random = Numbers(seed: 2)
    var seen = (matched: 0, unmatched: 0)
    for _ in 0..<150 {
      let patterns = try (0..<1 + random.below(5)).map { _ in try Pattern(random.pattern()) }
      let asked = try patterns.map { try Pattern("(?:\($0.source))") }
      let all = WholeMatches(patterns)
      for _ in 0..<40 {
        let text = Text(random.text())
        let expected = asked.allSatisfy { $0.matchesWhole(text) == .matched }
        #expect(all.surelyMatch(text.utf8.span) == expected, "\(patterns.map(\.source)) \(text)")
        if expected { seen.matched += 1 } else { seen.unmatched += 1 }
      }
    }
    #expect(min(seen.matched, seen.unmatched) > 200, "\(seen)")
  }

  @Test func noneIsFoundWhereEachIsAbsent() throws {
    var random = Numbers(seed: 3)
    let starts = ["", "(?i)"]
    let words = [
      "ab", "ba", "kelvin", "sis", "a", "a1", "a\\.b", "aab?", "ab+", "a|b", "[ab]1", "ab[0-9]", "b{2}a",
      "\\bab",
    ]
    let pieces = ["a", "b", "A", "B", "1", ".", "kelvin", "KELVIN", "\u{212A}elvin", "\u{17F}is", "SIS", " "]
    var seen = (absent: 0, present: 0)
    for _ in 0..<600 {
      let patterns = try (0..<1 + random.below(6)).map { _ in
        try Pattern(starts[random.below(2)] + words[random.below(words.count)])
      }
      let text = Text((0..<random.below(6)).map { _ in pieces[random.below(pieces.count)] }.joined())
      let expected = try patterns.allSatisfy {
        try Pattern("(?:\($0.source))").occurs(in: text) == .unmatched
      }
      #expect(
        AbsentPatterns(patterns).areAbsent(from: text.utf8.span) == expected,
        "\(patterns.map(\.source)) \(text)")
      if expected { seen.absent += 1 } else { seen.present += 1 }
    }
    #expect(min(seen.absent, seen.present) > 100, "\(seen)")
  }

  @Test(arguments: [
    ("a|b", ["a", "b"]), ("[^@]+@x|y", ["[^@]+@x", "y"]), ("(a|b)c|d", ["(a|b)c", "d"]),
    ("a\\|b|c", ["a\\|b", "c"]),
    ("a||b", ["a", "", "b"]),
  ])
  func alternativesAreThoseOfThePattern(_ source: String, _ branches: [String]) throws {
    #expect(Alternatives.of(try Pattern(source)) == branches)
  }

  @Test(arguments: ["a", "[|]", "(a|b)", "[a|b]c|d", "(?i)a|b", "(?:a)|b", "[)]|a", "a(?#|)b", #"(a)\1|b"#])
  func whereTheyCouldMeanSomethingElseThereAreNone(_ source: String) throws {
    #expect(Alternatives.of(try Pattern(source)) == nil)
  }
}

/// Random patterns and texts.
private struct Numbers {
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

  mutating func one(_ list: [String]) -> String { list[below(list.count)] }

  /// Of few letters, so that texts match now and then.
  mutating func sequence() -> String {
    let varying = below(4)
    return (0..<1 + below(3)).map { index in
      let item = one(["a", "b", "[ab]", "[^a]", #"\w"#, #"[\p{L}1]"#])
      return item
        + (index == varying ? one(["*", "+", "?", "{1,3}", "{2,}", "{0,2}"]) : one(["", "", "{1}", "{2}"]))
    }.joined()
  }

  mutating func pattern() -> String {
    switch below(4) {
    case 0: "\(sequence())|\(sequence())"
    case 1: "[ab]{1,\(1 + below(4))}"
    case 2: "[ab]+|\(sequence())"
    default: sequence()
    }
  }

  mutating func text() -> String { (0..<below(6)).map { _ in one(["a", "b", "a", "b", "1", "é"]) }.joined() }
}
