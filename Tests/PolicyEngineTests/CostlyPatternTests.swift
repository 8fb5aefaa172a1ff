import Configuration
import Patterns
import Primitives
import Testing

@testable import PolicyEngine

@Suite struct CostlyPatternTests {
  @Test(arguments: [
    "(a+)+", "(a*)*b", "([a-z]+)+!?x", "(a|aa)+", "(\\w+\\s?)+;", "(x+x+)+y", "(.*)*x",
    "(([a-z])+.)+[A-Z]([a-z])+",
    "(\\d+)*-", "(?:[a-z0-9]+-?)*\\.",
  ])
  func aPatternThatExplodesIsFound(_ source: String) throws {
    let pattern = try Pattern(source)
    let value = try #require(CostlyPatterns.costlyValue(for: pattern, isWhole: true, longest: 100))
    #expect(value.scalarCount <= 100)
    #expect(pattern.matchesWhole(value) == .exceededBound)
  }

  @Test(arguments: [
    "[a-z0-9-]+", "[\\p{L}\\p{M}' .-]+", "[a-z0-9]([a-z0-9._-]*[a-z0-9])?", "[^@]+@example\\.com",
    "[A-Z][a-z]+( [A-Z][a-z]+)*", "(?i)\\btest\\b", "\\d{4}(-\\d{2}){2}", "(foo|bar)-[0-9]+",
    "[\\w.]+@[\\w.]+",
    "https?://[^ ]+", "\\S+( \\S+)*", "(?:[a-z]+-)*[a-z]+", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", ".*",
    "",
    "[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}", "[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]", "^\\s+|\\s+$",
  ])
  func commonPatternsAreNot(_ source: String) throws {
    let pattern = try Pattern(source)
    #expect(CostlyPatterns.costlyValue(for: pattern, isWhole: true, longest: 256) == nil)
    #expect(CostlyPatterns.costlyValue(for: pattern, isWhole: false, longest: 1024) == nil)
  }

  @Test func checkWarnsWhereThePatternStands() throws {
    let (set, compiled) = try compile([policy(#""name":{"pattern":"(a+)+b","forbidden":["(x|xx)+!y"]}"#)])
    // A gateway that loads policies does not try their patterns.
    #expect(compiled.isEmpty)
    let problems = set.advice
    #expect(problems.map(\.severity) == [.warning, .warning])
    #expect(
      problems.allSatisfy { $0.message.hasPrefix("matching takes more steps than allowed on some values") })
    let (off, _) = try compile([policy(#""name":{"pattern":"(a+)+b"}"#, mode: "off")])
    #expect(off.advice.isEmpty)
  }
}
