import ChimeIdentity
import Configuration
import Primitives
import Testing

@testable import PolicyEngine

/// Which requests a `when` holds for, and what of a policy is left where it does not.
@Suite struct WhenTests {
  static let tenant = TenantFacts(id: "crm", labels: ["environment": "staging-2"])

  /// A policy that refuses every creation, update, Put and Tag which its `when` holds for.
  static func refusing(_ when: String, mode: String = "enforce", more: String = "") -> String {
    #"""
    {"policy":"p","mode":"\#(mode)","when":\#(when),\#(more)"rules":{
      "appInstanceUserId":{"maxLength":1},"name":{"maxLength":1},"expiration":{"required":true,"maxDays":1},
      "tags":{"allowedKeys":["none"]}}}
    """#
  }

  private func isDenied(
    _ when: String, _ body: String, as operation: ChimeIdentity.Operation = .createAppInstanceUser
  ) throws -> Bool {
    !(try decide([Self.refusing(when)], body, as: operation, tenant: Self.tenant)).decision.isAllowed
  }

  @Test(arguments: [
    (#"{"appInstanceUserId":["crm-*"]}"#, true), (#"{"appInstanceUserId":["erp-*"]}"#, false),
    (#"{"name":{"pattern":"A.*"}}"#, true), (#"{"name":{"pattern":"A"}}"#, false),
    (#"{"metadata":{"present":true}}"#, false), (#"{"metadata":{"present":false}}"#, true),
    (#"{"metadata":["*"]}"#, false),
    (#"{"expirationDays":{"min":30}}"#, true), (#"{"expirationDays":{"min":31}}"#, false),
    (#"{"expirationDays":{"min":1,"max":30}}"#, true), (#"{"expirationDays":{"max":29}}"#, false),
    (#"{"expirationDays":{"present":false}}"#, false),
    (#"{"tags.DataClass":["public","restricted*"]}"#, true), (#"{"tags.DataClass":["public"]}"#, false),
    (#"{"tags.Other":["*"]}"#, false), (#"{"tags.Other":{"present":false}}"#, true),
    (#"{"tenant.id":["crm"]}"#, true), (#"{"tenant.id":["erp"]}"#, false),
    (#"{"tenant.labels.environment":["staging*"]}"#, true), (#"{"tenant.labels.region":["*"]}"#, false),
    (#"{"tenant.labels.region":{"present":false}}"#, true),
    (#"{"not":{"tags.DataClass":["public"]}}"#, true), (#"{"not":{"name":["Alice"]}}"#, false),
    (#"{"any":[{"name":["Bob"]},{"tags.DataClass":["restricted"]}]}"#, true),
    (#"{"any":[{"name":["Bob"]},{"tags.DataClass":["public"]}]}"#, false),
    (#"{"all":[{"name":["Alice"]},{"tags.DataClass":["restricted"]}]}"#, true),
    (#"{"all":[{"name":["Alice"]},{"tags.DataClass":["public"]}]}"#, false),
    // What stands in one object must all hold.
    (#"{"name":["Alice"],"tenant.id":["crm"],"not":{"tags.DataClass":["x"]}}"#, true),
    (#"{"name":["Alice"],"tenant.id":["erp"]}"#, false),
  ])
  func aCreationHasAllFacts(_ when: String, _ holds: Bool) throws {
    let body = createBody(tags: [("DataClass", "restricted")], days: 30)
    #expect(try isDenied(when, body) == holds)
  }

  @Test func anEmptyTextCountsAsNone() throws {
    let body = createBody(metadata: "")
    #expect(try isDenied(#"{"metadata":{"present":false}}"#, body))
    #expect(try !isDenied(#"{"metadata":{"present":true}}"#, body))
  }

  /// Readers of tags differ in whether case counts, so neither holds for sure.
  @Test func aKeyInAnotherCaseMakesTheTagUnknown() throws {
    for tags in [[("dataclass", "restricted")], [("DataClass", "public"), ("DATACLASS", "restricted")]] {
      #expect(try isDenied(#"{"tags.DataClass":["restricted"]}"#, createBody(tags: tags)))
      #expect(try isDenied(#"{"not":{"tags.DataClass":["restricted"]}}"#, createBody(tags: tags)))
    }
  }

  static let update = #"{"Name":"Alice","Metadata":"m"}"#
  static let put =
    #"{"ExpirationSettings":{"ExpirationDays":30,"ExpirationCriterion":"CREATED_TIMESTAMP"}}"#
  static let tag = #"{"ResourceARN":"\#(userArn)","Tags":[{"Key":"DataClass","Value":"restricted"}]}"#

  /// What an operation cannot carry counts as held, also under `not`; what it carries decides.
  @Test(arguments: [
    (#"{"tags.DataClass":["x"]}"#, true, true, false),
    (#"{"not":{"tags.DataClass":["x"]}}"#, true, true, true),
    (#"{"tags.Other":["x"]}"#, true, true, true),
    (#"{"name":["Bob"]}"#, false, true, true),
    (#"{"name":["Alice"]}"#, true, true, true),
    (#"{"metadata":{"present":false}}"#, false, true, true),
    (#"{"expirationDays":{"min":31}}"#, true, false, true),
    (#"{"appInstanceUserId":["erp-*"]}"#, false, false, false),
    (#"{"appInstanceUserId":["crm-*"]}"#, true, true, true),
    (#"{"tenant.id":["erp"]}"#, false, false, false),
    (#"{"tags.Other":["x"],"tenant.id":["erp"]}"#, false, false, false),
    (#"{"any":[{"tenant.id":["erp"]},{"tags.Other":["x"]}]}"#, true, true, true),
    (#"{"all":[{"name":["Bob"]},{"tags.Other":["x"]}]}"#, false, true, true),
  ])
  func whatACallCannotCarryCountsAsHeld(_ when: String, _ update: Bool, _ put: Bool, _ tag: Bool) throws {
    #expect(try isDenied(when, Self.update, as: .updateAppInstanceUser) == update)
    #expect(try isDenied(when, Self.put, as: .putAppInstanceUserExpirationSettings) == put)
    // The tag itself is not the caller's to write, where `when` asks for it.
    let mutable = #""mutable":["DataClass"],"#
    let more = when.contains("DataClass") ? mutable : ""
    let outcome = try decide(
      [Self.refusing(when, more: more)], Self.tag, as: .tagResource, tenant: Self.tenant)
    #expect(outcome.decision.isAllowed != tag)
  }

  @Test func aPatternThatRunsIntoItsBoundCountsAsHeld() throws {
    let body = createBody(name: repeated("a", 90) + "!")
    #expect(try isDenied(#"{"name":{"pattern":"(a+)+$"}}"#, body))
  }

  @Test func aPolicyThatDoesNotHoldChangesAndRefusesNothing() throws {
    let text = #"""
      {"policy":"p","when":{"name":["Bob"]},"rules":{"name":{"maxLength":1},
       "tags":{"required":[{"key":"A","default":"a"}],"set":{"B":"b"}},"expiration":{"defaultDays":3}}}
      """#
    let outcome = try decide([text], createBody())
    #expect(outcome.violations == [] && outcome.changes == [])
    #expect(try decide([text], createBody(name: "Bob")).changes.count == 3)
  }
}

/// What happens in which order, and what no other call may change afterwards.
@Suite struct WhenOrderTests {
  private func policy(_ name: String, when: String? = nil, _ rules: String, mode: String = "enforce")
    -> String
  {
    let condition = when.map { #""when":\#($0),"# } ?? ""
    return #"{"policy":"\#(name)","mode":"\#(mode)",\#(condition)"rules":{\#(rules)}}"#
  }

  static let needsC = #""tags":{"required":[{"key":"C"}]}"#

  @Test func aWhenSeesTheChangesOfPoliciesWithoutOne() throws {
    // By its name the policy that changes comes last.
    let policies = [
      policy("a", when: #"{"tags.Env":["prod"]}"#, Self.needsC),
      policy("z", #""tags":{"required":[{"key":"Env","default":"prod"}]}"#),
    ]
    #expect(try decide(policies, createBody()).violations == ["tags.required Tags.C"])
    #expect(try decide(policies, createBody(tags: [("Env", "dev")])).violations == [])
  }

  @Test func aWhenDoesNotSeeTheChangesOfPoliciesWithOne() throws {
    let policies = [
      policy("a", when: #"{"name":["Alice"]}"#, #""tags":{"set":{"Env":"prod"}}"#),
      policy("b", when: #"{"tags.Env":["prod"]}"#, Self.needsC),
    ]
    #expect(try decide(policies, createBody()).violations == [])
    let problems = try compile(policies).1.map(\.line)
    #expect(problems.count == 1)
    #expect(
      problems[0].contains(
        "warning: the tag `Env` is changed where this policy's when holds, and policy `b`'s"))
  }

  @Test func daysOfAPolicyThatHoldsAreLoweredByAllCeilings() throws {
    let policies = [
      policy("a", #""expiration":{"maxDays":10,"onExcess":"clamp"}"#),
      policy("b", when: #"{"name":["Alice"]}"#, #""expiration":{"defaultDays":30}"#),
      policy("c", when: #"{"name":["Alice"]}"#, #""expiration":{"maxDays":7,"onExcess":"clamp"}"#),
      policy("d", when: #"{"name":["Bob"]}"#, #""expiration":{"maxDays":3,"onExcess":"clamp"}"#),
    ]
    #expect(try decide(policies, createBody()).request.expirationDays == 7)
  }

  @Test func aWarnPolicyIsTriedWhereItsWhenHolds() throws {
    let text = policy("w", when: #"{"name":["Alice"]}"#, Self.needsC, mode: "warn")
    #expect(try decide([text], createBody()).warnings == ["w tags.required Tags.C"])
    #expect(try decide([text], createBody(name: "Bob")).warnings == [])
  }

  private func tag(_ text: String, _ key: String) throws -> [String] {
    let outcome = try decide(
      [text], #"{"ResourceARN":"\#(userArn)","Tags":[{"Key":"\#(key)","Value":"x"}]}"#, as: .tagResource)
    return outcome.violations + outcome.warnings
  }

  private func untag(_ text: String, _ key: String) throws -> [String] {
    let outcome = try decide(
      [text], #"{"ResourceARN":"\#(userArn)","TagKeys":["\#(key)"]}"#, as: .untagResource)
    return outcome.violations + outcome.warnings
  }

  @Test func whatAWhenAsksForIsProtectedAfterwards() throws {
    let text = policy("p", when: #"{"not":{"tags.Class":["public"]}}"#, #""name":{"maxLength":9}"#)
    for key in ["Class", "class"] {
      #expect(try tag(text, key) == ["tags.protected Tags.\(key)"])
      #expect(try untag(text, key) == ["tags.protected Tags.\(key)"])
    }
    #expect(try tag(text, "Other") == [] && untag(text, "Other") == [])
    let warning = text.replacing("\"enforce\"", with: "\"warn\"")
    #expect(try tag(warning, "Class") == ["p tags.protected Tags.Class"])
    let mutable = text.replacing(#""rules""#, with: #""mutable":["Class"],"rules""#)
    #expect(try tag(mutable, "Class") == [] && untag(mutable, "Class") == [])
    let elsewhere = text.replacing(#""rules""#, with: #""match":{"operations":["Create*"]},"rules""#)
    #expect(try tag(elsewhere, "Class") == ["tags.protected Tags.Class"])
  }

  @Test func theStrongestPartGuardsWhatIsAskedForOnce() throws {
    let text = policy(
      "p", when: #"{"tags.Class":["x"]}"#, #""name":{"maxLength":9},"metadata":{"maxBytes":9,"mode":"warn"}"#)
    #expect(try untag(text, "Class") == ["tags.protected Tags.Class"])
    let weak = policy("p", when: #"{"tags.Class":["x"]}"#, #""metadata":{"maxBytes":9,"mode":"warn"}"#)
    #expect(try untag(weak, "Class") == ["p tags.protected Tags.Class"])
  }

  @Test func whatAPolicySetsStaysProtectedWhereItDoesNotHold() throws {
    let text = policy(
      "p", when: #"{"tenant.id":["erp"]}"#, #""tags":{"set":{"Via":"x"},"required":[{"key":"Owner"}]}"#)
    #expect(try tag(text, "via") == ["tags.protected Tags.via"])
    #expect(try untag(text, "Via") == ["tags.protected Tags.Via"])
    #expect(try untag(text, "Owner") == [])
    let held = text.replacing("erp", with: "crm")
    #expect(try untag(held, "Owner") == ["tags.protected Tags.Owner"])
  }

  @Test(arguments: [
    (#"{"tags.Env":["prod*"]}"#, #"{"tags.Env":["dev"]}"#, false),
    (#"{"tags.Env":["prod*"]}"#, #"{"tags.Env":["prod-1"]}"#, true),
    (#"{"tags.Env":["prod"]}"#, #"{"not":{"tags.Env":["prod","test"]}}"#, false),
    (#"{"tags.Env":["prod"]}"#, #"{"tags.Env":{"present":false}}"#, false),
    (#"{"expirationDays":{"max":30}}"#, #"{"expirationDays":{"min":31}}"#, false),
    (#"{"expirationDays":{"max":30}}"#, #"{"expirationDays":{"min":30}}"#, true),
    (#"{"name":["A"],"tags.Env":["prod"]}"#, #"{"any":[{"tags.Env":["dev"]},{"name":["B"]}]}"#, false),
    (#"{"name":["A"]}"#, #"{"any":[{"tags.Env":["dev"]},{"name":["B"]}]}"#, true),
  ])
  func valuesConflictOnlyWhereBothCanHold(_ one: String, _ other: String, _ conflicts: Bool) throws {
    let problems = try compile([
      policy("a", when: one, #""tags":{"set":{"K":"1"}}"#),
      policy("b", when: other, #""tags":{"set":{"K":"2"}}"#),
    ]).1
    #expect(problems.contains { $0.severity == .error } == conflicts, "\(problems.map(\.line))")
  }

  @Test func moreThan64PoliciesAreAskedEach() throws {
    let policies = (0..<70).map {
      policy(
        "p\($0 < 10 ? "0" : "")\($0)", when: #"{"name":["\#($0 % 2 == 0 ? "Alice" : "Bob")"]}"#, Self.needsC)
    }
    #expect(try decide(policies, createBody()).decision.violations.count == 35)
    #expect(try decide(policies, createBody(tags: [("C", "1")])).decision.violations.isEmpty)
  }

  @Test func explainSaysWhyAPolicyHoldsOrNot() throws {
    let text = policy("p", when: #"{"tags.Class":["x"],"name":["Alice"]}"#, #""name":{"maxLength":9}"#)
    func report(_ body: String, as operation: ChimeIdentity.Operation = .createAppInstanceUser) throws
      -> Explanation.PolicyReport
    {
      try compile([text]).0.explain(try request(body, as: operation), tenant: crm).policies[0]
    }
    let silent = try report(createBody(tags: [("Class", "y")]))
    #expect(silent.silence == .unheld)
    #expect(silent.when?.reason == "its when does not hold: tags.Class is `y`")
    #expect(try report(createBody(tags: [("Class", "x")])).silence == nil)
    let unknown = try report(#"{"Name":"Alice","Metadata":"m"}"#, as: .updateAppInstanceUser)
    #expect(unknown.silence == nil)
    #expect(
      unknown.when?.reason
        == "its when counts as held: tags.Class is not known on UpdateAppInstanceUser")
  }

  @Test func coverageCountsTheGuardOfWhatIsAskedFor() throws {
    let set = try compile([policy("p", when: #"{"tags.Class":["x"]}"#, #""name":{"maxLength":9}"#)]).0
    #expect(Set(set.breakableRules.flatMap(\.rules)) == [.nameLength, .tagsProtected])
  }

  /// What the journal hides may decide whether a policy holds; then what it finds is not sure.
  @Test func aHiddenValueThatAWhenAsksForLeavesItsRulesOpen() throws {
    let texts = [
      policy("a", when: #"{"name":["Bob"]}"#, #""appInstanceUserId":{"maxLength":1}"#),
      policy("b", #""appInstanceUserId":{"maxLength":2}"#, mode: "warn"),
    ]
    let set = try compile(texts).0
    var hidden = HiddenFacts()
    hidden.name = true
    let facts = try request(createBody())
    #expect(set.policies(for: crm).decide(facts, hiding: HiddenFacts()).verdict == .allowed)
    let open = set.policies(for: crm).decide(facts, hiding: hidden)
    #expect(open.verdict == .undecidable)
    #expect(open.findings.map(\.hangsOn) == [.name, nil])
    let changing = policy("c", when: #"{"name":["Bob"]}"#, #""tags":{"set":{"K":"v"}}"#)
    let sure = policy("d", #""appInstanceUserId":{"maxLength":1}"#)
    let doubtful = try compile([changing, sure]).0.policies(for: crm).decide(facts, hiding: hidden)
    #expect(doubtful.verdict == .undecidable)
  }
}
