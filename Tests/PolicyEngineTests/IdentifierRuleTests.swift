import Primitives
import Testing

@testable import PolicyEngine

@Suite struct IdentifierRuleTests {
  static let userIDCases: [RuleCase] = [
    RuleCase("prefix kept", #""appInstanceUserId":{"prefix":"crm-"}"#, createBody(id: "crm-alice")),
    RuleCase("prefix is the whole id", #""appInstanceUserId":{"prefix":"crm"}"#, createBody(id: "crm")),
    RuleCase(
      "prefix broken", #""appInstanceUserId":{"prefix":"crm-"}"#, createBody(id: "alice"),
      "appInstanceUserId.prefix AppInstanceUserId"),
    RuleCase(
      "prefix in another case is another prefix", #""appInstanceUserId":{"prefix":"crm-"}"#,
      createBody(id: "CRM-alice"), "appInstanceUserId.prefix AppInstanceUserId"),
    RuleCase(
      "id shorter than the prefix", #""appInstanceUserId":{"prefix":"crm-"}"#, createBody(id: "crm"),
      "appInstanceUserId.prefix AppInstanceUserId"),
    RuleCase(
      "prefix is no glob", #""appInstanceUserId":{"prefix":"c*"}"#, createBody(id: "crm"),
      "appInstanceUserId.prefix AppInstanceUserId"),
    RuleCase("pattern kept", #""appInstanceUserId":{"pattern":"[a-z-]+"}"#, createBody(id: "crm-alice")),
    RuleCase(
      "pattern must match the whole", #""appInstanceUserId":{"pattern":"[a-z-]+"}"#,
      createBody(id: "crm-alice1"), "appInstanceUserId.pattern AppInstanceUserId"),
    RuleCase(
      "the first alternative that matches need not be the whole",
      #""appInstanceUserId":{"pattern":"crm|crm-alice"}"#, createBody(id: "crm-alice")),
    RuleCase(
      "pattern holds for the prefix too", #""appInstanceUserId":{"prefix":"crm-","pattern":"[a-z]+"}"#,
      createBody(id: "crm-alice"), "appInstanceUserId.pattern AppInstanceUserId"),
    RuleCase(
      "forbidden anywhere", #""appInstanceUserId":{"forbidden":["ali"]}"#, createBody(id: "crm-alice"),
      "appInstanceUserId.forbidden AppInstanceUserId"),
    RuleCase(
      "each forbidden pattern is said", #""appInstanceUserId":{"forbidden":["ali","bob","ce$"]}"#,
      createBody(id: "crm-alice"), "appInstanceUserId.forbidden AppInstanceUserId",
      "appInstanceUserId.forbidden AppInstanceUserId"),
    RuleCase("exactly the least", #""appInstanceUserId":{"minLength":3}"#, createBody(id: "abc")),
    RuleCase(
      "one below the least", #""appInstanceUserId":{"minLength":3}"#, createBody(id: "ab"),
      "appInstanceUserId.length AppInstanceUserId"),
    RuleCase("exactly the most", #""appInstanceUserId":{"maxLength":3}"#, createBody(id: "abc")),
    RuleCase(
      "one above the most", #""appInstanceUserId":{"maxLength":3}"#, createBody(id: "abcd"),
      "appInstanceUserId.length AppInstanceUserId"),
  ]

  @Test(arguments: userIDCases)
  func rulesOnTheUserID(_ example: RuleCase) throws {
    #expect(try example.outcome().violations == example.violations)
  }

  static let nameCases: [RuleCase] = [
    RuleCase("pattern kept", #""name":{"pattern":"\\p{L}+"}"#, createBody(name: "J\u{F6}rg")),
    RuleCase(
      "pattern broken by a line break at the end", #""name":{"pattern":"[A-Z][a-z]+"}"#,
      createBody(name: "Alice\n"), "name.pattern Name"),
    RuleCase(
      "forbidden in any case", #""name":{"forbidden":["(?i)test"]}"#, createBody(name: "My TEST user"),
      "name.forbidden Name"),
    RuleCase("forbidden nowhere", #""name":{"forbidden":["(?i)test"]}"#, createBody(name: "Tes Tow")),
    RuleCase(
      "one scalar of four bytes counts one", #""name":{"minLength":2}"#, createBody(name: "\u{1F600}"),
      "name.length Name"),
    RuleCase("a combining mark counts", #""name":{"minLength":2}"#, createBody(name: "e\u{301}")),
    RuleCase(
      "composed, the same letter counts once", #""name":{"minLength":2}"#, createBody(name: "\u{E9}"),
      "name.length Name"),
    RuleCase("a range of one", #""name":{"minLength":5,"maxLength":5}"#, createBody(name: "Alice")),
    RuleCase(
      "the longest the service takes", #""name":{"maxLength":99}"#,
      createBody(name: repeated("\u{10400}", 100)),
      "name.length Name"),
    RuleCase("trimmed", #""name":{"trimmed":true}"#, createBody(name: "Alice B")),
    RuleCase(
      "space before", #""name":{"trimmed":true}"#, createBody(name: " Alice"), "name.trimmed Name"),
    RuleCase("space behind", #""name":{"trimmed":true}"#, createBody(name: "Alice "), "name.trimmed Name"),
    RuleCase("tab behind", #""name":{"trimmed":true}"#, createBody(name: "Alice\t"), "name.trimmed Name"),
    RuleCase(
      "no-break space", #""name":{"trimmed":true}"#, createBody(name: "Alice\u{A0}"), "name.trimmed Name"),
    RuleCase(
      "ideographic space", #""name":{"trimmed":true}"#, createBody(name: "\u{3000}Alice"), "name.trimmed Name"
    ),
    RuleCase(
      "next line", #""name":{"trimmed":true}"#, createBody(name: "Alice\u{85}"), "name.trimmed Name"),
    RuleCase(
      "a zero-width space is no White_Space", #""name":{"trimmed":true}"#, createBody(name: "Alice\u{200B}")),
    RuleCase("not asked for", #""name":{"trimmed":false}"#, createBody(name: " Alice ")),
    RuleCase("one script", #""name":{"singleScript":true}"#, createBody(name: "Alice O'Neil 3rd")),
    RuleCase(
      "a Cyrillic letter among Latin ones", #""name":{"singleScript":true}"#, createBody(name: "\u{410}lice"),
      "name.singleScript Name"),
    RuleCase("not asked for", #""name":{"singleScript":false}"#, createBody(name: "\u{410}lice")),
  ]

  @Test(arguments: nameCases)
  func rulesOnTheName(_ example: RuleCase) throws {
    #expect(try example.outcome().violations == example.violations)
  }

  @Test(arguments: [#""name":{"pattern":"(a+)+$"}"#, #""name":{"forbidden":["(a+)+$"]}"#])
  func aPatternThatRunsIntoItsBoundIsAViolationOfItsRule(_ rules: String) throws {
    let outcome = try decide([policy(rules)], createBody(name: repeated("a", 60) + "!"))
    #expect(outcome.violations.count == 1)
    #expect(
      outcome.decision.violations.first?.message.hasPrefix("matching took more steps than allowed") == true)
  }
}
