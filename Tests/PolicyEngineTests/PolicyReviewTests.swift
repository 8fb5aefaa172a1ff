import Configuration
import Patterns
import Primitives
import Testing

@testable import PolicyEngine

@Suite struct PolicyReviewTests {
  static let set = #""tags":{"set":{"K":"1"}}"#
  static let otherSet = #""tags":{"set":{"K":"2"}}"#
  static let days = #""expiration":{"defaultDays":30}"#
  static let otherDays = #""expiration":{"defaultDays":60}"#

  /// Severity and message of each problem.
  func problems(_ policies: [String], tenants: [TenantFacts] = [crm]) throws -> [String] {
    try compile(policies, tenants: tenants).1.map { "\($0.severity): \($0.message)" }
  }

  @Test func differentValuesForOneFieldAreAnErrorAtTheLaterPolicy() throws {
    let (_, problems) = try compile([policy(Self.set, name: "a"), policy(Self.otherSet, name: "b")])
    #expect(
      problems.map(\.line) == [
        "policies/p1.json:1:71: error: sets the tag `K` to `2`, where policy `a` sets it to `1`"
          + " (policies/p0.json:1) and both can match one request"
      ])
  }

  @Test(arguments: [
    (set, otherSet), (days, otherDays), (set, #""tags":{"required":[{"key":"K","default":"2"}]}"#),
    (#""tags":{"set":{"K":"${tenant.id}"}}"#, #""tags":{"set":{"K":"crm"}}"#),
  ])
  func everyKindOfValueIsCompared(_ one: String, _ other: String) throws {
    #expect(try problems([policy(one, name: "a"), policy(other, name: "b")]).count == 1)
  }

  @Test(arguments: [
    (#"{"tenants":["a*"]}"#, #"{"tenants":["b*"]}"#, 0),
    (#"{"tenants":["a*"]}"#, #"{"tenants":["*b"]}"#, 1),
    (#"{"appInstances":["*:1"]}"#, #"{"appInstances":["*:2"]}"#, 0),
    (#"{"operations":["CreateAppInstanceUser"]}"#, #"{"operations":["Put*"]}"#, 0),
    (#"{"operations":["Create*"]}"#, #"{"operations":["*User"]}"#, 1),
    (#"{}"#, #"{"tenants":["z"]}"#, 1),
    (#"{}"#, #"{"tenants":[]}"#, 0),
    (#"{"operations":["PutAppInstanceUserExpirationSettings"]}"#, #"{"operations":["Put*"]}"#, 1),
  ])
  func onlyPoliciesThatCanMatchOneRequestAreCompared(_ one: String, _ other: String, _ count: Int) throws {
    let policies = [
      policy(Self.days, name: "a", match: one), policy(Self.otherDays, name: "b", match: other),
    ]
    #expect(try problems(policies).filter { $0.hasPrefix("error") }.count == count)
  }

  @Test func tagsAreOnlyPutInOnCreation() throws {
    let match = #"{"operations":["TagResource"]}"#
    #expect(
      try problems([
        policy(Self.set, name: "a", match: match), policy(Self.otherSet, name: "b", match: match),
      ])
        == [])
  }

  @Test(arguments: [("enforce", "error"), ("warn", "warning")])
  func aWarnPolicyIsOnlyWarnedAbout(_ mode: String, _ severity: String) throws {
    let found = try problems([policy(Self.days, name: "a"), policy(Self.otherDays, name: "b", mode: mode)])
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix(severity + ": ") == true)
  }

  @Test func offPoliciesAndEqualValuesAreNoProblem() throws {
    #expect(
      try problems([policy(Self.days, name: "a"), policy(Self.otherDays, name: "b", mode: "off")]) == [])
    #expect(try problems([policy(Self.days, name: "a"), policy(Self.days, name: "b")]) == [])
  }

  @Test func aLabelThatAMatchingTenantLacksIsAnErrorWhereItStands() throws {
    let rules = policy(#""tags":{"set":{"K":"${tenant.labels.owner}"}}"#, match: #"{"tenants":["a*"]}"#)
    let tenants = [
      TenantFacts(id: "a1"), TenantFacts(id: "a2", labels: ["owner": "x"]), TenantFacts(id: "a3"),
      TenantFacts(id: "b"),
    ]
    let (_, problems) = try compile([rules], tenants: tenants)
    #expect(
      problems.map(\.line) == [
        "policies/p0.json:1:87: error: `${tenant.labels.owner}` has no value for tenants `a1`, `a3`"
      ])
    #expect(try compile([rules], tenants: [TenantFacts(id: "b")]).1.isEmpty)
  }

  /// Policies, and whether their errors are about the tenant `crm` alone.
  @Test(arguments: [
    ([policy(set, name: "a"), policy(otherSet, name: "b")], false),
    ([policy(#""expiration":{"defaultDays":5476}"#)], false),
    ([policy(#""tags":{"set":{"K":""}}"#)], false),
    ([policy(#""tags":{"set":{"K":"b"},"required":[{"key":"K","values":["a"]}]}"#)], false),
    ([policy(#""tags":{"set":{"K":"b"},"forbiddenKeys":["K"]}"#)], false),
    ([policy(#""tags":{"set":{"K":"${tenant.labels.x}"}}"#)], true),
    ([policy(#""tags":{"set":{"K":"\#(repeated("x", 255))${tenant.id}"}}"#)], true),
    ([policy(#""tags":{"set":{"K":"${tenant.id}"},"required":[{"key":"K","values":["a"]}]}"#)], true),
  ])
  func onlyErrorsAboutTenantsLetASetBeUsed(_ policies: [String], _ isAboutTenants: Bool) throws {
    let (_, problems) = try compile(policies)
    #expect(problems.hasErrors)
    #expect(problems.preventUse == !isAboutTenants)
  }

  @Test(arguments: [
    #""appInstanceUserId":{"prefix":"${tenant.labels.x}"}"#,
    #""tags":{"required":[{"key":"K","values":["a","${tenant.labels.x}"]}]}"#,
    #""tags":{"required":[{"key":"K","default":"${tenant.labels.x}"}]}"#,
  ])
  func labelsAreLookedForWhereverTemplatesMayStand(_ rules: String) throws {
    #expect(try problems([policy(rules)]) == ["error: `${tenant.labels.x}` has no value for tenant `crm`"])
  }

  @Test func valuesThatNoTagCanHaveAreErrors() throws {
    #expect(
      try problems([policy(#""tags":{"set":{"K":""}}"#)])
        == ["error: the value of a tag must have 1 to 256 characters, and this has 0"])
    #expect(
      try problems([policy(#""tags":{"set":{"K":"\#(repeated("x", 255))${tenant.id}"}}"#)]) == [
        "error: the value of a tag must have 1 to 256 characters, which this does not have for tenant `crm`"
      ])
    #expect(
      try problems([policy(#""tags":{"set":{"\#(repeated("k", 129))":"1"}}"#)])
        == ["error: the key of a tag must have 1 to 128 characters, and this has 129"])
    #expect(
      try problems([policy(#""expiration":{"defaultDays":5476}"#)])
        == ["error: ExpirationDays must be 1 to 5475, and the default is 5476"])
  }

  /// Rules of policies `a` and `b`, and the warning they earn.
  @Test(arguments: [
    (
      #""tags":{"set":{"K":"b"}}"#, #""tags":{"required":[{"key":"K","pattern":"a"}]}"#,
      "the value of the tag `K` that is put in does not match the pattern in policy `b`'s required tags"
    ),
    (
      #""tags":{"set":{"K":"b"}}"#, #""tags":{"allowedKeys":["L"]}"#,
      "the tag `K` that is put in is not among policy `b`'s allowedKeys"
    ),
    (
      #""tags":{"set":{"owner":"b"}}"#, #""tags":{"required":[{"key":"Owner"}]}"#,
      "the tag `owner` that is put in differs only in case from one of policy `b`'s required tags, `Owner`"
    ),
    (
      #""tags":{"required":[{"key":"owner"}]}"#, #""tags":{"required":[{"key":"Owner"}]}"#,
      "policy `b` requires `Owner`, which differs only in case: no request has both"
    ),
    (
      #""expiration":{"defaultDays":30}"#, #""expiration":{"maxDays":29}"#,
      "the default of 30 days is above policy `b`'s maxDays, 29"
    ),
    (
      #""expiration":{"defaultDays":1}"#, #""expiration":{"minDays":2}"#,
      "the default of 1 day is below policy `b`'s minDays, 2"
    ),
  ])
  func changesThatBreakARuleAreWarnedAbout(_ one: String, _ other: String, _ message: String) throws {
    #expect(
      try problems([policy(one, name: "a"), policy(other, name: "b")]) == ["warning: \(message)"])
  }

  @Test(arguments: [
    (#""tags":{"set":{"K":"b"},"allowedKeys":["L"]}"#, #""name":{}"#),
    (#""tags":{"set":{"K":"b"}}"#, #""tags":{"set":{"K":"b"},"allowedKeys":["L"]}"#),
    (#""tags":{"set":{"K":"${tenant.id}"}}"#, #""tags":{"required":[{"key":"K","values":["a"]}]}"#),
    (#""tags":{"set":{"K":"a"}}"#, #""tags":{"required":[{"key":"K","values":["${tenant.id}"]}]}"#),
    (#""expiration":{"defaultDays":30}"#, #""expiration":{"maxDays":29,"onExcess":"clamp"}"#),
  ])
  func whatMayWellBeMeantIsNot(_ one: String, _ other: String) throws {
    #expect(try problems([policy(one, name: "a"), policy(other, name: "b")]) == [])
  }

  @Test func tagsThatAreSetInTwoCasesAreWarnedAbout() throws {
    let policies = [("owner", "a"), ("Owner", "b")].map { key, name in
      policy(#""tags":{"set":{"\#(key)":"1"}}"#, name: name)
    }
    #expect(
      try problems(policies) == [
        "warning: the tag `owner` that is put in differs only in case from one that policy `b`'s `set` puts in, `Owner`",
        "warning: the tag `Owner` that is put in differs only in case from one that policy `a`'s `set` puts in, `owner`",
      ])
  }

  static let creation = #"{"operations":["CreateAppInstanceUser"]}"#

  static func bypass(_ rules: String, _ operation: String) -> String {
    "warning: the rules on \(rules) hold when a user is created, and \(operation), which can change that"
      + " afterwards, is not among these operations"
  }

  @Test func aCallThatCanUndoWhatWasAskedOfCreationIsNamed() throws {
    let all = policy(
      #"""
      "name":{"minLength":2},"metadata":{"maxBytes":9},"expiration":{"required":true},
      "tags":{"required":[{"key":"K"}]}
      """#, match: Self.creation)
    #expect(
      try problems([all]) == [
        Self.bypass("`name` and `metadata`", "UpdateAppInstanceUser"),
        Self.bypass("`expiration`", "PutAppInstanceUserExpirationSettings"),
        Self.bypass("`tags`", "TagResource"),
      ])
  }

  @Test(arguments: [
    // All operations, or those that matter.
    (#""name":{"minLength":2}"#, "{}"), (#""name":{"minLength":2}"#, #"{"operations":["*User"]}"#),
    // What no other call can change.
    (#""appInstanceUserId":{"minLength":2}"#, creation), (#""tags":{"set":{"K":"v"}}"#, creation),
    (#""tags":{"maxCount":3}"#, creation),
    // No rules on creation.
    (#""name":{"minLength":2}"#, #"{"operations":["UpdateAppInstanceUser"]}"#),
  ])
  func whatCannotBeUndoneNeedsNoWarning(_ rules: String, _ match: String) throws {
    #expect(try problems([policy(rules, match: match)]) == [])
  }

  @Test func rulesOfTheirOwnForTheOtherCallAreMeant() throws {
    let first = policy(#""name":{"minLength":2}"#, name: "a", match: Self.creation)
    let update = #"{"operations":["UpdateAppInstanceUser"]}"#
    #expect(try problems([first, policy(#""name":{"maxLength":9}"#, name: "b", match: update)]) == [])
    // Not if they are for others, of another kind, or only reported.
    for second in [
      policy(#""name":{}"#, name: "b", match: #"{"operations":["Update*"],"tenants":["crm"]}"#),
      policy(#""metadata":{}"#, name: "b", match: update),
      policy(#""name":{}"#, name: "b", mode: "warn", match: update),
    ] {
      let one = policy(
        #""name":{"minLength":2}"#, name: "a", match: #"{"operations":["Create*"],"tenants":["erp"]}"#)
      #expect(try problems([one, second]) == [Self.bypass("`name`", "UpdateAppInstanceUser")])
    }
  }

  struct Reach {
    let operations: Set<String>?
    let appInstances: [String]?
    let isMet: Bool
  }

  /// Where a tenant without labels may go, and whether a policy for creations in `…/a*` can meet it there.
  static let reaches: [Reach] = [
    Reach(operations: nil, appInstances: nil, isMet: true),
    Reach(operations: ["CreateAppInstanceUser"], appInstances: ["*:app-instance/*b"], isMet: true),
    Reach(operations: ["TagResource"], appInstances: ["*"], isMet: false),
    Reach(
      operations: ["CreateAppInstanceUser"],
      appInstances: ["arn:aws:chime:us-east-1:123456789012:app-instance/b"], isMet: false),
    Reach(operations: ["CreateAppInstanceUser"], appInstances: [], isMet: false),
    Reach(operations: ["DescribeAppInstanceUser"], appInstances: nil, isMet: false),
    Reach(operations: [], appInstances: nil, isMet: false),
  ]

  @Test(arguments: reaches)
  func tenantsWhomThePolicyCannotMeetNeedNoLabels(_ reach: Reach) throws {
    let tenant = TenantFacts(
      id: "hr", operations: reach.operations, appInstances: reach.appInstances?.map { Glob(Text($0)) })
    let match =
      #"{"operations":["CreateAppInstanceUser"],"appInstances":["arn:aws:chime:*:app-instance/a*"]}"#
    let label = policy(#""tags":{"set":{"K":"${tenant.labels.owner}"}}"#, match: match)
    let id = policy(
      #""tags":{"set":{"K":"${tenant.id}"},"required":[{"key":"K","values":["crm"]}]}"#, name: "q",
      match: match)
    #expect(try problems([label], tenants: [tenant]).contains { $0.hasPrefix("error") } == reach.isMet)
    #expect(try problems([id], tenants: [tenant]).contains { $0.hasPrefix("error") } == reach.isMet)
  }

  /// Policies that put in what another refuses; a `warn` policy only would.
  @Test(arguments: [("enforce", "is put in"), ("warn", "would be put in")])
  func aPolicyInWarnIsSaidToPutNothingIn(_ mode: String, _ verb: String) throws {
    let changer = policy(#""tags":{"set":{"K":"b"}}"#, name: "a", mode: mode)
    let checker = policy(
      #""tags":{"allowedKeys":["L"],"forbiddenKeys":["K"],"required":[{"key":"K","pattern":"a"}]}"#, name: "b"
    )
    let found = try problems([changer, checker])
    #expect(found.count == 3)
    #expect(found.allSatisfy { $0.hasPrefix("warning: ") && $0.contains("`K` that \(verb) ") }, "\(found)")
    let itself = try problems([policy(#""tags":{"set":{"K":"b"},"forbiddenKeys":["K"]}"#, mode: mode)])
    #expect(itself.count == 1 && itself[0].contains("`K` that \(verb) is among its own forbiddenKeys"))
    let tagPolicy =
      #"{"tags":{"k":{"tag_key":{"@@assign":"K"},"tag_value":{"@@assign":["a"]},"enforced_for":{"@@assign":["chime:*"]}}}}"#
    let (_, problems) = PolicySet.compile(
      documents: try documents(["a.json": changer, "t.tag-policy.json": tagPolicy]), tenants: [])
    #expect(
      problems.map(\.message) == [
        "the value of the tag `K` that \(verb) is not among the values of `tag-policy:K`"
      ])
  }
}
