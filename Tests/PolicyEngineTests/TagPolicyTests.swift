import ChimeIdentity
import Configuration
import Primitives
import Testing

@testable import PolicyEngine

@Suite struct TagPolicyTests {
  private static func tagPolicy(for types: String..., reportedFor: String = "") -> String {
    let enforced = types.map { "\"\($0)\"" }.joined(separator: ",")
    let report = reportedFor.isEmpty ? "" : #","report_required_tag_for":{"@@assign":["\#(reportedFor)"]}"#
    return #"""
      {"tags":{"costcenter":{"tag_key":{"@@assign":"CostCenter"},"tag_value":{"@@assign":["4711","48*","a?c"]},
      "enforced_for":{"@@assign":[\#(enforced)]}\#(report)}}}
      """#
  }

  private func decide(
    _ tagPolicy: String, _ body: String, as operation: Operation = .createAppInstanceUser,
    beside policies: [String] = []
  ) throws -> Outcome {
    var files = ["org.tag-policy.json": tagPolicy]
    for (index, text) in policies.enumerated() { files["p\(index).json"] = text }
    let (set, _) = PolicySet.compile(documents: try documents(files), tenants: [crm])
    return set.outcome(of: try request(body, as: operation))
  }

  @Test(
    arguments: [
      ([("CostCenter", "4711")], []), ([("CostCenter", "4899")], []), ([("CostCenter", "a?c")], []), ([], []),
      ([("Other", "x")], []), ([("CostCenter", "abc")], ["tags.value Tags.CostCenter"]),
      ([("CostCenter", "47110")], ["tags.value Tags.CostCenter"]),
      ([("costcenter", "4711")], ["tags.keyCase Tags.costcenter"]),
      (
        [("CostCenter", "1"), ("COSTCENTER", "2")],
        ["tags.value Tags.CostCenter", "tags.keyCase Tags.COSTCENTER", "tags.value Tags.COSTCENTER"]
      ),
    ] as [([(String, String)], [String])])
  func keysAndValuesAreHeldToThePolicy(_ tags: [(String, String)], _ violations: [String]) throws {
    let outcome = try decide(Self.tagPolicy(for: "chime:app-instance-user"), createBody(tags: tags))
    #expect(outcome.violations == violations)
    #expect(outcome.warnings == [])
    #expect(outcome.decision.violations.allSatisfy { $0.policy == "tag-policy:CostCenter" })
  }

  /// AWS's example "Prevent use of a tag key": absent values and none are two things.
  @Test func anEmptyListOfValuesForbidsTheTag() throws {
    func colour(_ values: String, enforced: String = "chime:app-instance-user") -> String {
      #"{"tags":{"Color":{"tag_key":{"@@assign":"Color"},\#(values)"enforced_for":{"@@assign":["\#(enforced)"]}}}}"#
    }
    let red = createBody(tags: [("Color", "red")])
    for values in [#""tag_value":{"@@assign":[]},"#, #""tag_value":[],"#] {
      let outcome = try decide(colour(values), red)
      #expect(outcome.violations == ["tags.value Tags.Color"])
      #expect(outcome.decision.violations.first?.message.contains("the tag is forbidden") == true)
      #expect(
        try decide(colour(values), createBody(tags: [("color", "red")])).violations
          == ["tags.keyCase Tags.color", "tags.value Tags.color"])
      #expect(try decide(colour(values), createBody()).violations == [])
      let elsewhere = try decide(colour(values, enforced: "chime:app-instance"), red)
      #expect(elsewhere.violations == [])
      #expect(elsewhere.warnings == ["tag-policy:Color tags.value Tags.Color"])
    }
    #expect(try decide(colour(""), red).violations == [])
  }

  /// What `aws organizations describe-effective-policy` gives: values without operators.
  @Test func theEffectiveFormMeansTheSame() throws {
    let effective = #"""
      {"tags":{"costcenter":{"tag_key":"CostCenter","tag_value":["4711","48*","a?c"],
      "enforced_for":["chime:app-instance-user"],"report_required_tag_for":["chime:app-instance-user"]}}}
      """#
    let written = Self.tagPolicy(for: "chime:app-instance-user", reportedFor: "chime:app-instance-user")
    for tags in [[("CostCenter", "4711")], [("CostCenter", "1")], [("costcenter", "1")], []] {
      let (one, other) = (
        try decide(effective, createBody(tags: tags)), try decide(written, createBody(tags: tags))
      )
      #expect(one.violations == other.violations)
      #expect(one.warnings == other.warnings)
    }
  }

  @Test func withoutEnforcementItOnlyWarns() throws {
    for policy in [Self.tagPolicy(for: "secretsmanager:*"), Self.tagPolicy(for: "chime:app-instance-bot")] {
      let outcome = try decide(policy, createBody(tags: [("CostCenter", "1")]))
      #expect(outcome.decision.isAllowed)
      #expect(outcome.warnings == ["tag-policy:CostCenter tags.value Tags.CostCenter"])
    }
  }

  private static let bad = #""Tags":[{"Key":"CostCenter","Value":"1"}]"#
  private static let calls: [(type: String, Operation, String)] = [
    ("chime:app-instance-user", .createAppInstanceUser, createBody(tags: [("CostCenter", "1")])),
    ("chime:app-instance", .createAppInstance, #"{"Name":"n","ClientRequestToken":"t1",\#(bad)}"#),
    (
      "chime:app-instance-bot", .createAppInstanceBot,
      #"{"AppInstanceArn":"\#(appInstance)","ClientRequestToken":"t1","Configuration":{"Lex":{"LexBotAliasArn":"arn:aws:lex:us-east-1:123456789012:bot-alias/ABCDEFGHIJ/KLMNOPQRST","LocaleId":"en_US"}},\#(bad)}"#
    ),
    ("chime:app-instance-user", .tagResource, tagBody([("CostCenter", "1")])),
    ("chime:app-instance", .tagResource, tagBody([("CostCenter", "1")], arn: appInstance)),
    ("chime:app-instance-bot", .tagResource, tagBody([("CostCenter", "1")], arn: "\(appInstance)/bot/b")),
    ("chime:channel", .tagResource, tagBody([("CostCenter", "1")], arn: "\(appInstance)/channel/b")),
    (
      "chime:channel-flow", .tagResource, tagBody([("CostCenter", "1")], arn: "\(appInstance)/channel-flow/b")
    ),
  ]

  /// AWS names these types in two ways.
  @Test(arguments: [
    ("chime:app-instance/user", userArn), ("chime:app-instance/bot", "\(appInstance)/bot/b"),
    ("chime:app-instance/channel", "\(appInstance)/channel/b"),
  ])
  func typesAreKnownByTheFormOfTheirARNsToo(_ type: String, _ arn: String) throws {
    let outcome = try decide(
      Self.tagPolicy(for: type), tagBody([("CostCenter", "1")], arn: arn), as: .tagResource)
    #expect(outcome.violations == ["tags.value Tags.CostCenter"])
  }

  @Test(arguments: calls.indices)
  func eachOperationIsHeldToWhatIsEnforcedForItsResource(_ index: Int) throws {
    let (type, operation, body) = Self.calls[index]
    let types = [
      "chime:app-instance-user", "chime:app-instance", "chime:app-instance-bot", "chime:channel",
      "chime:channel-flow",
    ]
    for enforced in types + ["chime:*", "chime:ALL_SUPPORTED"] {
      let outcome = try decide(Self.tagPolicy(for: enforced), body, as: operation)
      let isEnforced = !types.contains(enforced) || enforced == type
      #expect(outcome.violations == (isEnforced ? ["tags.value Tags.CostCenter"] : []))
      #expect(outcome.warnings.count == (isEnforced ? 0 : 1))
    }
  }

  @Test func anArnThatNobodyCanReadIsAnything() throws {
    let body = tagBody([("CostCenter", "1")], arn: userArn.replacing("/user/", with: "%2Fuser%2F"))
    for type in ["chime:app-instance-user", "chime:app-instance", "chime:channel"] {
      #expect(
        try decide(Self.tagPolicy(for: type), body, as: .tagResource).violations
          == ["tags.value Tags.CostCenter"])
    }
  }

  @Test func takingATagAwayIsNoneOfItsBusiness() throws {
    let body = #"{"ResourceARN":"\#(userArn)","TagKeys":["CostCenter"]}"#
    #expect(try decide(Self.tagPolicy(for: "chime:*"), body, as: .untagResource).violations == [])
  }

  @Test func aMissingTagIsReportedAndNeverRefused() throws {
    let policy = Self.tagPolicy(for: "chime:*", reportedFor: "chime:app-instance-user")
    let outcome = try decide(policy, createBody())
    #expect(outcome.decision.isAllowed)
    #expect(outcome.warnings == ["tag-policy:CostCenter tags.required Tags.CostCenter"])
    #expect(try decide(policy, createBody(tags: [("CostCenter", "4711")])).warnings == [])
    #expect(try decide(policy, tagBody([("Other", "x")]), as: .tagResource).warnings == [])
    #expect(
      try decide(policy, #"{"Name":"n","ClientRequestToken":"t1"}"#, as: .createAppInstance).warnings == [])
  }

  @Test func whatPoliciesPutInIsHeldToIt() throws {
    let policies = [policy(#""tags":{"set":{"CostCenter":"1"}}"#)]
    let outcome = try decide(
      Self.tagPolicy(for: "chime:*"), createBody(tags: [("CostCenter", "4711")]), beside: policies)
    #expect(outcome.violations == ["tags.value Tags.CostCenter"])
  }

  @Test func ordinaryPoliciesStillDoNotApplyToOtherResources() throws {
    let policies = [policy(#""tags":{"allowedKeys":["Nothing"]}"#)]
    let body = tagBody([("CostCenter", "4711")], arn: appInstance)
    let outcome = try decide(Self.tagPolicy(for: "chime:*"), body, as: .tagResource, beside: policies)
    #expect(outcome.violations == [])
  }

  @Test func anExplanationNamesTheTagPolicyAndItsVerdicts() throws {
    let files = ["org.tag-policy.json": Self.tagPolicy(for: "chime:app-instance")]
    let (set, _) = PolicySet.compile(documents: try documents(files), tenants: [crm])
    let body = tagBody([("CostCenter", "1")], arn: appInstance)
    let explanation = set.explain(try request(body, as: .tagResource), tenant: crm)
    #expect(explanation.appliedPolicies == ["tag-policy:CostCenter"])
    #expect(explanation.policies.first?.mode == .enforce)
    #expect(explanation.policies.first?.verdicts.map(\.rule) == ["tags.value"])
    #expect(!explanation.decision.isAllowed)
    let onUser = set.explain(try request(createBody()), tenant: crm)
    #expect(onUser.policies.first?.mode == .warn)
  }

  @Test func policiesThatContradictAnEnforcedTagPolicyAreWarnedAbout() throws {
    let files = [
      "org.tag-policy.json": Self.tagPolicy(for: "chime:app-instance-user"),
      "a.json": policy(#""tags":{"set":{"CostCenter":"1"}}"#, name: "a"),
      "b.json": policy(#""tags":{"required":[{"key":"costcenter"}]}"#, name: "b"),
      "c.json": policy(
        #""tags":{"set":{"CostCenter":"${tenant.id}"}}"#, name: "c", match: #"{"tenants":["x"]}"#),
    ]
    let (_, problems) = PolicySet.compile(documents: try documents(files), tenants: [crm])
    let found = problems.filter { $0.message.contains("tag-policy:CostCenter") }
    #expect(found.map(\.file) == ["policies/a.json", "policies/b.json"])
    #expect(found.allSatisfy { $0.severity == .warning })
  }
}
