import Primitives
import Testing

@testable import PolicyEngine

@Suite struct TagRuleTests {
  static let required = #""tags":{"required":[{"key":"CostCenter","values":["4711","48*","?9"]}]}"#
  static let owner = #""tags":{"required":[{"key":"Owner","pattern":"[^@]+@example\\.com"}]}"#
  static let keys = #""tags":{"allowedKeys":["CostCenter","Env*","T?m"],"forbiddenKeys":["*Secret*"]}"#

  static let cases: [RuleCase] = [
    RuleCase("listed value", required, createBody(tags: [("CostCenter", "4711")])),
    RuleCase("value of a run", required, createBody(tags: [("CostCenter", "4800-x")])),
    RuleCase("empty run", required, createBody(tags: [("CostCenter", "48")])),
    RuleCase("one scalar of four bytes", required, createBody(tags: [("CostCenter", "\u{1F600}9")])),
    RuleCase(
      "two scalars for one", required, createBody(tags: [("CostCenter", "e\u{301}9")]),
      "tags.value Tags.CostCenter"),
    RuleCase(
      "other value", required, createBody(tags: [("CostCenter", "47110")]), "tags.value Tags.CostCenter"),
    RuleCase("missing", required, createBody(), "tags.required Tags.CostCenter"),
    RuleCase(
      "missing among others", required, createBody(tags: [("Cost", "4711")]), "tags.required Tags.CostCenter"),
    RuleCase(
      "in another case", required, createBody(tags: [("costcenter", "4711")]), "tags.keyCase Tags.costcenter"),
    RuleCase(
      "in another case with a bad value", required, createBody(tags: [("COSTCENTER", "0")]),
      "tags.keyCase Tags.COSTCENTER", "tags.value Tags.COSTCENTER"),
    RuleCase(
      "in another case with a value that breaks the pattern", owner, createBody(tags: [("owner", "x")]),
      "tags.keyCase Tags.owner", "tags.pattern Tags.owner"),
    RuleCase(
      "there, and once more in another case", required,
      createBody(tags: [("CostCenter", "4711"), ("costCenter", "1")]), "tags.keyCase Tags.costCenter",
      "tags.value Tags.costCenter"),
    RuleCase(
      "twice in other cases", required, createBody(tags: [("costcenter", "4711"), ("costCenter", "1")]),
      "tags.keyCase Tags.costcenter", "tags.keyCase Tags.costCenter", "tags.value Tags.costCenter"),
    RuleCase("pattern kept", owner, createBody(tags: [("Owner", "a@example.com")])),
    RuleCase(
      "pattern broken", owner, createBody(tags: [("Owner", "a@example.com.evil")]), "tags.pattern Tags.Owner"),
    RuleCase(
      "values and pattern, both broken",
      #""tags":{"required":[{"key":"K","values":["a"],"pattern":"[a-c]"}]}"#, createBody(tags: [("K", "d")]),
      "tags.value Tags.K", "tags.pattern Tags.K"),
    RuleCase("only the key", #""tags":{"required":[{"key":"K"}]}"#, createBody(tags: [("K", "anything")])),
    RuleCase(
      "a composed key is another than a decomposed one", #""tags":{"required":[{"key":"\#u{E9}"}]}"#,
      createBody(tags: [("e\u{301}", "1")]), "tags.required Tags.\u{E9}"),
    RuleCase(
      "case beyond ASCII", #""tags":{"required":[{"key":"Gr\#u{F6}\#u{DF}e"}]}"#,
      createBody(tags: [("GR\u{D6}SSE", "1")]), "tags.keyCase Tags.GR\u{D6}SSE"),
    RuleCase(
      "the Kelvin sign is a k in another case", #""tags":{"required":[{"key":"Kind"}]}"#,
      createBody(tags: [("\u{212A}ind", "1")]), "tags.keyCase Tags.\u{212A}ind"),
    RuleCase(
      "a confusable letter is another key", #""tags":{"required":[{"key":"Owner"}]}"#,
      createBody(tags: [("\u{41E}wner", "1")]), "tags.required Tags.Owner"),
    RuleCase(
      "allowed keys", keys,
      createBody(tags: [("CostCenter", "1"), ("Env", "1"), ("Env:x", "1"), ("Tom", "1")])),
    RuleCase(
      "keys in another case are not allowed", keys, createBody(tags: [("costCenter", "1")]),
      "tags.allowedKeys Tags.costCenter"),
    RuleCase(
      "neither allowed nor not forbidden", keys, createBody(tags: [("MySecret", "1")]),
      "tags.allowedKeys Tags.MySecret", "tags.forbiddenKeys Tags.MySecret"),
    RuleCase(
      "allowed and forbidden", keys, createBody(tags: [("EnvSecret", "1")]),
      "tags.forbiddenKeys Tags.EnvSecret"),
    RuleCase(
      "a forbidden key in another case", #""tags":{"forbiddenKeys":["Admin","Abteilung*","*Secret?"]}"#,
      createBody(tags: [("admin", "1"), ("ABTEILUNGSLEITER", "1"), ("topSECRETs", "1"), ("Adm", "1")]),
      "tags.forbiddenKeys Tags.admin", "tags.forbiddenKeys Tags.ABTEILUNGSLEITER",
      "tags.forbiddenKeys Tags.topSECRETs"),
    RuleCase(
      "a forbidden key in another case beyond ASCII",
      #""tags":{"forbiddenKeys":["k*d","\#u{C9}tat","?\#u{DF}"]}"#,
      createBody(tags: [("\u{212A}ind", "1"), ("\u{E9}TAT", "1"), ("x\u{DF}", "1"), ("XSS", "1")]),
      "tags.forbiddenKeys Tags.\u{212A}ind", "tags.forbiddenKeys Tags.\u{E9}TAT",
      "tags.forbiddenKeys Tags.x\u{DF}", "tags.forbiddenKeys Tags.XSS"),
    RuleCase("no tags, nothing wrong", keys, createBody()),
    RuleCase(
      "no key is allowed", #""tags":{"allowedKeys":[]}"#, createBody(tags: [("K", "1")]),
      "tags.allowedKeys Tags.K"),
    RuleCase("exactly the most", #""tags":{"maxCount":2}"#, createBody(tags: [("a", "1"), ("b", "1")])),
    RuleCase(
      "one too many", #""tags":{"maxCount":1}"#, createBody(tags: [("a", "1"), ("b", "1")]),
      "tags.maxCount Tags"),
    RuleCase("none allowed, none there", #""tags":{"maxCount":0}"#, createBody()),
    RuleCase(
      "none allowed", #""tags":{"maxCount":0}"#, createBody(tags: [("a", "1")]), "tags.maxCount Tags"),
    RuleCase(
      "a tag that reads like one that the policy sets", #""tags":{"set":{"Via":"g"}}"#,
      createBody(tags: [("VIA", "forged"), ("Vias", "1")]), "tags.keyCase Tags.VIA"),
    RuleCase(
      "a tag that the policy sets counts", #""tags":{"maxCount":1,"set":{"b":"2"}}"#,
      createBody(tags: [("a", "1")]), "tags.maxCount Tags"),
    RuleCase(
      "a tag that the policy sets need not be allowed", #""tags":{"allowedKeys":["a"],"set":{"b":"2"}}"#,
      createBody(tags: [("a", "1")])),
  ]

  @Test(arguments: cases)
  func rulesOnTags(_ example: RuleCase) throws {
    #expect(try example.outcome().violations == example.violations)
  }

  @Test func aTagThatAnotherPolicySetsMustBeAllowed() throws {
    let outcome = try decide(
      [
        policy(#""tags":{"set":{"Via":"x"}}"#, name: "a"),
        policy(#""tags":{"allowedKeys":["K"]}"#, name: "b"),
      ],
      createBody(tags: [("K", "1")]))
    #expect(outcome.violations == ["tags.allowedKeys Tags.Via"])
  }

  @Test func tagsThatPolicyAddsCannotLeadBeyondWhatTheServiceTakes() throws {
    let full = (1...50).map { ("k\($0)", "1") }
    let rules = policy(#""tags":{"set":{"Via":"x"}}"#)
    #expect(try decide([rules], createBody(tags: full)).violations == ["tags.maxCount Tags"])
    #expect(try decide([rules], createBody(tags: Array(full.dropLast()))).violations == [])
    let overwritten = full.dropLast() + [("Via", "y")]
    #expect(try decide([rules], createBody(tags: Array(overwritten))).violations == [])
  }

  @Test func fiftyTagsOfTheLargestSizeAreEachHeldAgainstEachRule() throws {
    let large = (0..<50).map { index in
      (
        String(UnicodeScalar(UInt8(65 + index % 26))) + repeated("\u{10400}", 126) + "\(index / 26)",
        repeated("\u{1F600}", 256)
      )
    }
    let outcome = try decide([policy(#""tags":{"forbiddenKeys":["A*"]}"#)], createBody(tags: large))
    #expect(outcome.violations.count == 2)
  }
}
