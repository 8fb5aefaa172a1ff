import ChimeIdentity
import Configuration
import Primitives
import Testing

@testable import PolicyEngine

/// Rules with modes, messages and links of their own, and what a policy says of itself.
@Suite struct RuleModeTests {
  @Test(arguments: [
    ("enforce", "enforce", "enforce"), ("enforce", "warn", "warn"), ("enforce", "off", "off"),
    ("warn", "enforce", "warn"), ("warn", "off", "off"), ("off", "enforce", "off"), ("off", "warn", "off"),
  ])
  func theWeakestModeOfRuleAndPolicyHolds(_ policyMode: String, _ ruleMode: String, _ result: String) throws {
    let rules = [
      #""appInstanceUserId":{"maxLength":1,"mode":"MODE"}"#, #""name":{"maxLength":1,"mode":"MODE"}"#,
      #""tags":{"maxCount":0,"mode":"MODE"}"#, #""tags":{"required":[{"key":"K","mode":"MODE"}]}"#,
      #""expiration":{"maxDays":1,"mode":"MODE"}"#, #""metadata":{"maxBytes":1,"mode":"MODE"}"#,
    ]
    let body = createBody(tags: [("A", "1")], days: 9, metadata: "long")
    for rule in rules {
      let outcome = try decide(
        [policy(rule.replacing("MODE", with: ruleMode), mode: policyMode)], body)
      #expect(outcome.violations.count == (result == "enforce" ? 1 : 0), "\(rule)")
      #expect(outcome.warnings.count == (result == "warn" ? 1 : 0), "\(rule)")
    }
  }

  @Test func anEntryIsAsWeakAsItsGroup() throws {
    let entry = #""required":[{"key":"A","mode":"enforce"},{"key":"B","mode":"off"}]"#
    let outcome = try decide([policy(#""tags":{"mode":"warn",\#(entry)}"#)], createBody())
    #expect(outcome.violations == [] && outcome.warnings == ["p tags.required Tags.A"])
  }

  @Test func rulesOfTwoModesAreReportedApart() throws {
    let rules = #""name":{"maxLength":1},"expiration":{"required":true,"mode":"warn"}"#
    let outcome = try decide([policy(rules)], createBody())
    #expect(outcome.violations == ["name.length Name"])
    #expect(outcome.warnings == ["p expiration.required ExpirationSettings"])
  }

  @Test func aRuleThatOnlyWarnsChangesNothing() throws {
    let rules = #"""
      "tags":{"required":[{"key":"A","default":"a","mode":"warn"},{"key":"B","default":"b"}],"set":{"C":"c"}},
      "expiration":{"defaultDays":9,"mode":"warn"}
      """#
    let outcome = try decide([policy(rules)], createBody())
    #expect(outcome.decision.isAllowed)
    #expect(outcome.request.tags.map(\.key) == ["B", "C"])
    #expect(outcome.request.expirationDays == nil)
    #expect(outcome.warnings == [])
    #expect(outcome.decision.wouldChange.map(\.field) == ["Tags.A", "ExpirationSettings.ExpirationDays"])
  }

  /// Weakening an entry must not turn its key into a wrong spelling of another.
  @Test func aKeyThatTheOtherPartRequiresIsNotInTheWrongCase() throws {
    let tags = #""tags":{"required":[{"key":"Owner"},{"key":"owner","mode":"MODE"}]}"#
    for mode in ["enforce", "warn"] {
      let outcome = try decide(
        [policy(tags.replacing("MODE", with: mode))], createBody(tags: [("Owner", "a"), ("owner", "b")]))
      #expect(outcome.violations == [] && outcome.warnings == [], "\(mode)")
    }
    let off = try decide(
      [policy(tags.replacing("MODE", with: "off"))], createBody(tags: [("Owner", "a"), ("owner", "b")]))
    #expect(off.violations == ["tags.keyCase Tags.owner"])
  }

  @Test func whatIsRequiredInWarnOnlyWarnsOfBeingTakenAway() throws {
    let rules = #""tags":{"required":[{"key":"A","mode":"warn"}],"set":{"B":"b"}}"#
    let body = #"{"ResourceARN":"\#(userArn)","TagKeys":["A","B"]}"#
    let outcome = try decide([policy(rules)], body, as: .untagResource)
    #expect(outcome.violations == ["tags.protected Tags.B"])
    #expect(outcome.warnings == ["p tags.protected Tags.A"])
  }

  @Test func messageAndHelpStandBehindWhatIsAccepted() throws {
    let text = #"""
      {"policy":"p","severity":"high","owner":"platform@example.com","help":"https://wiki.example.com/p","rules":{
        "name":{"maxLength":1,"message":"Names are short.","help":"https://wiki.example.com/name"},
        "tags":{"message":"Ask finance.","required":[{"key":"A"},{"key":"B","message":"Ask Bob."}]},
        "expiration":{"required":true}}}
      """#
    let decision = try decide([text], createBody()).decision
    let byField = Dictionary(uniqueKeysWithValues: decision.violations.map { ($0.field, $0) })
    #expect(byField["Name"]?.message.hasSuffix("accepted: at most 1 character; Names are short.") == true)
    #expect(byField["Name"]?.line.hasSuffix("Names are short. (see https://wiki.example.com/name)") == true)
    #expect(byField["Tags.A"]?.message.hasSuffix("; Ask finance.") == true)
    #expect(byField["Tags.B"]?.message.hasSuffix("; Ask Bob.") == true)
    #expect(byField["Tags.B"]?.help == "https://wiki.example.com/p")
    #expect(byField["ExpirationSettings"]?.message.contains("Ask") == false)
    #expect(decision.violations.allSatisfy { $0.severity == .high && $0.owner == "platform@example.com" })
    let json = String(
      decoding: try compile([text]).0.explain(try request(createBody()), tenant: crm).json(), as: UTF8.self)
    #expect(
      json.contains(
        #""severity":"high","owner":"platform@example.com","help":"https://wiki.example.com/name"}"#))
  }

  @Test func aPolicyOfTwoModesIsOneOfTheNamesAndTwoOfTheReports() throws {
    let rules = #""name":{"maxLength":1},"expiration":{"required":true,"mode":"warn"}"#
    let explanation = try compile([policy(rules)]).0.explain(try request(createBody()), tenant: crm)
    #expect(explanation.appliedPolicies == ["p"])
    #expect(explanation.policies.map(\.mode) == [.enforce, .warn])
    #expect(
      explanation.policies.map { $0.verdicts.map(\.rule) } == [["name.length"], ["expiration.required"]])
  }

  @Test func coverageKnowsTheRulesOfBothParts() throws {
    let rules =
      #""name":{"maxLength":1},"expiration":{"maxDays":3,"mode":"warn"},"metadata":{"maxBytes":1,"mode":"off"}"#
    let set = try compile([policy(rules)]).0
    #expect(Set(set.breakableRules.flatMap(\.rules)) == [.nameLength, .expirationMaxDays])
  }
}
