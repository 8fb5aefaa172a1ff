import Patterns
import Primitives
import Testing

@Suite struct PatternTests {
  @Test(arguments: [
    ("a|ab", "ab"), ("ab|a", "a"), ("a*?", "aaa"), ("[a-z0-9-]+", "crm-alice"), ("(?i)ALICE", "alice"),
    ("^abc$", "abc"), ("", ""), ("a{2,3}", "aaa"), (".", "😀"), (".", "é"), ("\\p{L}+", "Łódź"),
    ("(?<y>[0-9]{4})-(?&y)", "2024-2025"), ("[^@]+@example\\.com", "crm@example.com"), ("(?x) a b # c", "ab"),
  ])
  func matchesTheWholeValue(_ pattern: String, _ value: String) throws {
    #expect(try Pattern(pattern).matchesWhole(Text(value)) == .matched)
  }

  @Test(arguments: [
    ("a", "ab"), ("b", "ab"), ("a|b", "ab"), ("abc", "abc\n"), ("^abc$", "abc\n"), ("abc\\Z", "abc\n"),
    (".", "e\u{301}"), ("a.c", "a\nc"), ("\\w+", "é"), ("\\d", "٣"), ("[a-z]+", ""), ("é", "e\u{301}"),
    ("a(*ACCEPT)b", "abc"), ("a\\Kb", "abb"), ("(?m)^a$", "a\na"),
  ])
  func refusesWhatMatchesOnlyInPart(_ pattern: String, _ value: String) throws {
    #expect(try Pattern(pattern).matchesWhole(Text(value)) == .unmatched)
  }

  @Test func occursFindsTheLeastTrace() throws {
    #expect(try Pattern("(?i)test").occurs(in: "my TeSt user") == .matched)
    #expect(try Pattern("[\\w.]+@[\\w.]+").occurs(in: "mail a@b.example") == .matched)
    #expect(try Pattern("^b").occurs(in: "a\nb") == .unmatched)
    #expect(try Pattern("x").occurs(in: "") == .unmatched)
    #expect(try Pattern("").occurs(in: "") == .matched)
  }

  @Test func dotMatchesLineBreaksOnlyWhenAsked() throws {
    #expect(try Pattern(".*").matchesWhole("{\n}\r\n") == .unmatched)
    #expect(try Pattern(".*", options: .dotMatchesLineBreaks).matchesWhole("{\n}\r\n") == .matched)
    #expect(try Pattern(".*\\S.*", options: .dotMatchesLineBreaks).matchesWhole("\na\n") == .matched)
    #expect(try Pattern(".*\\S.*", options: .dotMatchesLineBreaks).matchesWhole(" \n ") == .unmatched)
  }

  @Test func unicodeClassesAreThereForWhoAsks() throws {
    #expect(try Pattern("(*UCP)\\w+").matchesWhole("José") == .matched)
    #expect(try Pattern("(?i)straße").matchesWhole("STRAßE") == .matched)
    #expect(try Pattern("(?i)łódź").matchesWhole("ŁÓDŹ") == .matched)
  }

  @Test(arguments: [
    "(a+)+$", "(a|aa)+$", "(*NO_JIT)(a+)+$", "((a|aa)+)!!", "(?R)?a", "(*LIMIT_MATCH=4000000000)(a+)+$",
    "(*LIMIT_DEPTH=4000000000)(*LIMIT_HEAP=4000000000)(*NO_JIT)(a+)+$", "(a?){500}a{500}$",
    "(*NO_JIT)((((a*)*)*)*)*$",
  ])
  func aPatternThatExplodesRunsIntoItsBound(_ pattern: String) throws {
    let value = Text(String(repeating: "a", count: 600) + "!")
    let compiled = try Pattern(pattern)
    #expect(compiled.matchesWhole(value) == .exceededBound)
  }

  /// PCRE2 counts anew at each starting place; one alone is affordable here, and hundreds of them are not.
  @Test(arguments: ["(*NO_JIT)(?:a|b){0,100}[cd]", "(?:a|b){0,100}[cd]", "(?:(?:a|b)(?:a|b)?){1,9}[cd]"])
  func aSearchIsBoundedAsAWhole(_ source: String) throws {
    let pattern = try Pattern(source)
    let value = Text(String(repeating: "ab", count: 32_768))
    #expect(pattern.matchesWhole(value) == .unmatched)
    #expect(pattern.occurs(in: value) == .exceededBound)
    #expect(pattern.occurs(in: Text(String(repeating: "ab", count: 60))) == .unmatched)
  }

  @Test func ordinaryPatternsStayWithinTheBoundOnLongValues() throws {
    let value = Text(String(repeating: "ab-", count: 4000) + "c")
    for pattern in ["(a|b|c|-)*", "(?:[a-z]+-?)+", "(?:(a)(b)(-))+c", "(*NO_JIT)[a-c-]+", "(?s).*c", "(.)*"] {
      #expect(try Pattern(pattern).matchesWhole(value) == .matched, "\(pattern)")
    }
  }

  @Test(arguments: [("a(b", 3), ("[z-a]", 3), ("*a", 0), ("a\\Cb", 3), ("(?<n>a)(?<n>b)", 12), ("é(", 3)])
  func aBrokenPatternSaysWhere(_ pattern: String, _ offset: Int) throws {
    let error = #expect(throws: PatternError.self) { try Pattern(pattern) }
    #expect(error?.offset == offset)
    #expect(error?.message.isEmpty == false)
  }

  @Test func manyThreadsShareOnePattern() async throws {
    let pattern = try Pattern("(a|b)*c")
    let long = Text(String(repeating: "ab", count: 2000))
    let exploding = try Pattern("(a+)+$")
    let values = (0..<64).map {
      ($0.isMultiple(of: 2), Text(long.string + ($0.isMultiple(of: 2) ? "c" : "d")))
    }
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for (matches, value) in values {
        group.addTask {
          (0..<20).allSatisfy { _ in
            _ = exploding.matchesWhole("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")
            return pattern.matchesWhole(value) == (matches ? .matched : .unmatched)
          }
        }
      }
      for try await agreed in group { #expect(agreed) }
    }
  }
}
