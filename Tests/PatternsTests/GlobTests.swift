import Patterns
import Primitives
import Testing

@Suite struct GlobTests {
  @Test(arguments: [
    ("*", ""), ("*", "anything"), ("", ""), ("48*", "4811"), ("48*", "48"), ("?", "é"), ("?", "😀"),
    ("a?c", "a漢c"),
    ("*漢?", "漢漢漢字"), ("a*b*c", "a-b-b-c"), ("**", "x"), ("a[b]{c}\\", "a[b]{c}\\"), ("*é", "éé"),
    ("arn:aws:chime:us-east-1:*:app-instance/*", "arn:aws:chime:us-east-1:123456789012:app-instance/x"),
  ])
  func matches(_ glob: String, _ text: String) {
    #expect(Glob(Text(glob)).matches(Text(text)))
  }

  @Test(arguments: [
    ("", "a"), ("a", ""), ("?", ""), ("?", "ab"), ("?", "e\u{301}"), ("48*", "148"), ("*a", "ab"),
    ("a*b", "ba"),
    ("*??", "漢"), ("*é", "e\u{301}"), ("Owner", "owner"), ("a*b*c", "a-c-b"),
  ])
  func doesNotMatch(_ glob: String, _ text: String) {
    #expect(!Glob(Text(glob)).matches(Text(text)))
  }

  @Test func literalPartsAreNoGlob() {
    let glob = Glob(parts: [.literal("a*"), .glob("-*"), .literal("?")])
    #expect(glob.matches("a*-xyz?"))
    #expect(!glob.matches("ab-xyz?"))
    #expect(!glob.matches("a*-xyz!"))
    #expect(glob.source == "a*-*?")
    #expect(Glob(parts: [.literal("*")]) != Glob("*"))
    #expect(!Glob(parts: [.literal("*")]).overlaps(Glob("a")))
  }

  @Test func aGlobMadeToExplodeDoesNot() {
    let glob = Glob(Text(String(repeating: "a*", count: 200) + "b"))
    #expect(!glob.matches(Text(String(repeating: "a", count: 20_000))))
  }

  @Test(arguments: [
    ("*", "*", true), ("a*", "*b", true), ("a*", "b*", false), ("?", "漢", true), ("??", "漢", false),
    ("*-x", "crm-*", true), ("", "*", true), ("", "?", false), ("a?c", "a*bc", true), ("a?c", "a*bbc", false),
    ("*漢", "?", true), ("*字", "?漢*", true), ("Env*", "Environment", true), ("crm", "CRM", false),
  ])
  func overlaps(_ left: String, _ right: String, _ expected: Bool) {
    #expect(Glob(Text(left)).overlaps(Glob(Text(right))) == expected)
    #expect(Glob(Text(right)).overlaps(Glob(Text(left))) == expected)
  }

  /// The obvious definition, exponential and over scalars.
  static func reference(_ glob: Substring.UnicodeScalarView, _ text: Substring.UnicodeScalarView) -> Bool {
    guard let first = glob.first else { return text.isEmpty }
    let rest = glob.dropFirst()
    if first == "*" { return reference(rest, text) || (!text.isEmpty && reference(glob, text.dropFirst())) }
    guard let scalar = text.first, first == "?" || first == scalar else { return false }
    return reference(rest, text.dropFirst())
  }

  static func texts(of scalars: [String], upTo length: Int) -> [String] {
    var all = [""]
    var longest = [""]
    for _ in 0..<length {
      longest = longest.flatMap { text in scalars.map { text + $0 } }
      all += longest
    }
    return all
  }

  @Test func everySmallGlobAgreesWithTheDefinition() {
    // 漢 and 字 share their lead byte's range and differ in the rest; é shares a continuation byte with neither.
    let texts = Self.texts(of: ["a", "漢", "字"], upTo: 4)
    let globs = Self.texts(of: ["a", "漢", "?", "*"], upTo: 4)
    for source in globs {
      let glob = Glob(Text(source))
      for text in texts {
        let expected = Self.reference(Substring(source).unicodeScalars, Substring(text).unicodeScalars)
        if glob.matches(Text(text)) != expected {
          Issue.record("`\(source)` on `\(text)`: expected \(expected)")
        }
      }
    }
  }

  @Test func overlapMeansThatSomeTextMatchesBoth() {
    // Two globs of up to three tokens have a common text of at most six scalars, if any; `b` stands for
    // whatever neither names.
    let texts = Self.texts(of: ["a", "漢", "b"], upTo: 6).map { Text($0) }
    let globs = Self.texts(of: ["a", "漢", "?", "*"], upTo: 3).map { Glob(Text($0)) }
    let matched = globs.map { glob in Set(texts.indices.filter { glob.matches(texts[$0]) }) }
    for (left, leftMatched) in zip(globs, matched) {
      for (right, rightMatched) in zip(globs, matched) {
        let expected = !leftMatched.isDisjoint(with: rightMatched)
        if left.overlaps(right) != expected {
          Issue.record("`\(left.source)` and `\(right.source)`: expected \(expected)")
        }
      }
    }
  }
}
