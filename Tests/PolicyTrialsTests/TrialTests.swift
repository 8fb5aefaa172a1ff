import ChimeIdentity
import Primitives
import Testing

@testable import PolicyTrials

@Suite struct TrialTests {
  static let length = policy(#""name":{"maxLength":3}"#)
  static let owner = policy(##""tags":{"required":[{"key":"Owner","default":"${tenant.labels.owner}"}]}"##)

  @Test(arguments: [
    (#"{"decision":"denied","violations":["name.length"]}"#, [String]()),
    (#"{"violations":["name.length","name.length"],"warnings":[]}"#, []),
    (#"{"decision":"denied"}"#, []),
    (
      #"{"decision":"allowed"}"#,
      [
        "decision: expected allowed, got denied",
        "violation: name.length: p: Name: the value has 5 characters; accepted: at most 3 characters",
      ]
    ),
    (
      #"{"decision":"allowed","violations":["tags.required"]}"#,
      [
        "decision: expected allowed, got denied", "violations: missing tags.required",
        "violations: unexpected name.length: p: Name: the value has 5 characters; accepted: at most 3 characters",
      ]
    ),
    (#"{"warnings":["name.length"]}"#, ["warnings: missing name.length"]),
  ])
  func theExpectationIsHeldAgainstTheDecision(_ expect: String, _ lines: [String]) throws {
    #expect(try failures([Self.length], create(expect)) == lines)
  }

  @Test func warningsAreThoseOfWarnPoliciesAndOnlyTheirs() throws {
    let warn = policy(#""name":{"maxLength":3}"#, mode: "warn")
    let expect = #"{"decision":"allowed","violations":[],"warnings":["name.length"]}"#
    #expect(try failures([warn], create(expect)) == [])
  }

  /// A case with `rules` says the same before and after the promotion of what it is about, defaults included.
  @Test(arguments: ["warn", "enforce"])
  func rulesHoldInEitherMode(_ mode: String) throws {
    let policies = [
      policy(#""name":{"maxLength":3},"tags":{"required":[{"key":"Owner","default":"o"}]}"#, mode: mode)
    ]
    #expect(try failures(policies, create(#"{"rules":["name.length"]}"#)) == [])
    #expect(try failures(policies, create(#"{"rules":[]}"#, user: "Al")) == [])
    #expect(
      try failures(policies, create(#"{"rules":["name.trimmed"]}"#)) == [
        "rules: missing name.trimmed",
        "rules: unexpected name.length: p: Name: the value has 5 characters; accepted: at most 3 characters",
      ])
  }

  @Test(arguments: [
    (#"{"Tags.Owner":"o@example.com"}"#, [String]()),
    (#"{"Tags.Other":null}"#, []),
    (#"{"Tags.Owner":"me"}"#, ["changes: Tags.Owner: expected `me`, got `o@example.com`"]),
    (#"{"Tags.Owner":null}"#, ["changes: Tags.Owner: expected no change, got `o@example.com`"]),
    (#"{"Tags.Other":"x"}"#, ["changes: Tags.Other: expected `x`, got no change"]),
    ("{}", ["changes: unexpected Tags.Owner: `o@example.com`"]),
  ])
  func changesAreComparedFieldByField(_ changes: String, _ lines: [String]) throws {
    #expect(try failures([Self.owner], create(#"{"changes":\#(changes)}"#)) == lines)
  }

  @Test func aNumberMayStandForDays() throws {
    let rules = [policy(#""expiration":{"defaultDays":30}"#)]
    let expect = #"{"changes":{"ExpirationSettings.ExpirationDays":30}}"#
    #expect(try failures(rules, create(expect)) == [])
  }

  @Test func whatBreaksTheModelIsInvalid() throws {
    #expect(try failures([], create(#"{"decision":"invalid"}"#, more: #","Nickname":"Al""#)) == [])
    let lines = try failures([], create(#"{"decision":"allowed"}"#, more: #","Nickname":"Al""#))
    #expect(lines.count == 2)
    #expect(lines[0].hasPrefix("the request is invalid: `Nickname` is not a member"))
    #expect(lines[1] == "decision: expected allowed, got invalid")
  }

  @Test(arguments: [
    #"{"violations":[]}"#, #"{"warnings":[]}"#, #"{"changes":{}}"#, #"{"changes":{"Name":null}}"#,
  ])
  func anInvalidRequestFailsACaseThatExpectsNothingToHappen(_ expect: String) throws {
    let lines = try failures([Self.length], create(expect, more: #","Nickname":"Al""#))
    #expect(lines.count == 1)
    #expect(lines.first?.hasPrefix("the request is invalid: `Nickname` is not a member") == true)
  }

  @Test func anInvalidRequestSaysWhyViolationsAreMissing() throws {
    let lines = try failures(
      [Self.length], create(#"{"violations":["name.length"]}"#, more: #","Nickname":1"#))
    #expect(lines.count == 2)
    #expect(lines[0].hasPrefix("the request is invalid: ") && lines[1] == "violations: missing name.length")
  }

  @Test func aStringIsTheBodyAsItStands() throws {
    let one =
      #"{"name":"n","tenant":{"id":"crm"},"request":"{\"Name\":\"a\",\"Name\":\"b\"}","expect":{"decision":"invalid"}}"#
    let result = try run([], [one]).results[0]
    #expect(result.hasPassed)
    #expect(result.message?.hasPrefix("the body is not strict JSON") == true)
  }

  static let update = #"{"AppInstanceUserArn":"\#(appInstance)/user/crm-1","Name":"Alice","Metadata":""}"#

  @Test(arguments: [
    #""request":\#(update)"#, #""request":{"Name":"Alice","Metadata":""}"#,
    #""path":"/app-instance-users/\#(appInstance.replacing(":", with: "%3A").replacing("/", with: "%2F"))%2Fuser%2Fcrm-1","#
      + #""request":{"Name":"Alice","Metadata":""}"#,
  ])
  func theTargetIsGivenOrMadeFromTheRequest(_ members: String) throws {
    let one =
      #"{"name":"n","tenant":{"id":"crm"},"operation":"UpdateAppInstanceUser",\#(members),"#
      + #""expect":{"decision":"denied","violations":["name.length"]}}"#
    #expect(try failures([Self.length], one) == [])
  }

  @Test func everyOperationCanBeMadeFromItsMembersAndReadBack() throws {
    for operation in Operation.allCases {
      let made = CallTarget.make(operation, from: [])
      #expect(made.rest.isEmpty)
      #expect(try CallTarget.identify(operation, target: made.target).operation == operation)
    }
  }

  @Test func aTargetOfAnotherOperationIsNoTarget() {
    #expect(throws: TargetFault.self) {
      try CallTarget.identify(.updateAppInstanceUser, target: "/app-instances")
    }
    #expect(throws: TargetFault.self) { try CallTarget.identify(.updateAppInstanceUser, target: nil) }
  }

  @Test(arguments: [
    (#""operations":["DescribeAppInstanceUser"]"#, "tenant.operation"),
    (#""appInstances":["arn:aws:chime:us-east-1:123456789012:app-instance/other"]"#, "tenant.appInstance"),
  ])
  func confinementIsCheckedWhenItIsGiven(_ confinement: String, _ rule: String) throws {
    let one = create(#"{"decision":"denied","violations":["\#(rule)"]}"#)
      .replacing(#""id":"crm","#, with: #""id":"crm",\#(confinement),"#)
    #expect(try failures([Self.length], one) == [])
  }

  static func nobody(_ appInstances: String) -> String {
    #"{"name":"n","tenant":{"id":"crm","appInstances":\#(appInstances)},"operation":"UpdateAppInstanceUser","#
      + #""request":{"Name":"Al","Metadata":""},"expect":{"decision":"allowed"}}"#
  }

  @Test func aUserWhoIsNotNamedIsOneOfTheTenants() throws {
    let demo = "arn:aws:chime:eu-central-1:111122223333:app-instance/demo"
    #expect(try failures([Self.length], Self.nobody(#"["\#(demo)"]"#)) == [])
    #expect(try failures([Self.length], Self.nobody(#"["*/crm-*","\#(demo)"]"#)) == [])
    #expect(try failures([Self.length], Self.nobody(#"["*"]"#)) == [])
  }

  @Test func aUserWhoCannotBeTheTenantsIsSaidToBeMadeUp() throws {
    for globs in [#"["*/crm-*"]"#, #"["demo"]"#] {
      let lines = try failures([Self.length], Self.nobody(globs))
      #expect(lines.count == 3 && lines[0] == "decision: expected allowed, got denied")
      #expect(
        lines.last
          == "AppInstanceUserArn is not in the request; `arn:aws:chime:us-east-1:123456789012:app-instance"
          + "/00000000-0000-0000-0000-000000000000/user/somebody` was made up in its place")
    }
  }
}
