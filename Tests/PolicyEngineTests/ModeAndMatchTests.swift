import ChimeIdentity
import Primitives
import Testing

@testable import PolicyEngine

@Suite struct ModeAndMatchTests {
  static let everything = #"""
    "name":{"maxLength":3},"tags":{"required":[{"key":"Owner","default":"o"}],"set":{"Via":"x"}},
    "expiration":{"required":true,"defaultDays":30,"maxDays":10,"onExcess":"clamp"}
    """#

  @Test func warnChangesNothingAndSaysWhatItWouldHaveDone() throws {
    let outcome = try decide([policy(Self.everything, mode: "warn")], createBody(name: "Alice"))
    #expect(outcome.decision.isAllowed)
    #expect(outcome.changes == [])
    #expect(outcome.request.tags.isEmpty)
    #expect(outcome.request.expirationDays == nil)
    #expect(outcome.warnings == ["p name.length Name"])
    #expect(
      outcome.wouldChange == [
        "p tags.required Tags.Owner", "p tags.required Tags.Via",
        "p expiration.required ExpirationSettings.ExpirationDays",
        "p expiration.maxDays ExpirationSettings.ExpirationDays",
      ])
  }

  @Test func aWarnPolicySeesWhatEnforcedOnesChanged() throws {
    let policies = [
      policy(#""tags":{"required":[{"key":"Via"}]}"#, name: "a", mode: "warn"),
      policy(#""tags":{"set":{"Via":"x"}}"#, name: "b"),
    ]
    #expect(try decide(policies, createBody()).warnings == [])
  }

  @Test func aWarnPolicyDoesNotSeeWhatAnotherWouldHaveChanged() throws {
    let policies = [
      policy(#""tags":{"set":{"Via":"x"}}"#, name: "a", mode: "warn"),
      policy(#""tags":{"required":[{"key":"Via"}]}"#, name: "b", mode: "warn"),
    ]
    let outcome = try decide(policies, createBody())
    #expect(outcome.wouldChange == ["a tags.required Tags.Via"])
    #expect(outcome.warnings == ["b tags.required Tags.Via"])
  }

  @Test func enforcedViolationsDenyWhateverWarnPoliciesSay() throws {
    let policies = [
      policy(#""name":{"maxLength":3}"#, name: "a"),
      policy(#""name":{"maxLength":3}"#, name: "b", mode: "warn"),
    ]
    let outcome = try decide(policies, createBody())
    #expect(outcome.violations == ["name.length Name"])
    #expect(outcome.warnings == ["b name.length Name"])
  }

  @Test func offIsSkipped() throws {
    let outcome = try decide([policy(Self.everything, mode: "off")], createBody())
    #expect(outcome.violations == [] && outcome.warnings == [] && outcome.changes == [])
  }

  /// A `match` and whether it takes in the tenant `crm`, the AppInstance of the fixtures and CreateAppInstanceUser.
  @Test(arguments: [
    (#"{}"#, true),
    (#"{"tenants":["*"],"appInstances":["*"],"operations":["*"]}"#, true),
    (#"{"tenants":["crm"]}"#, true),
    (#"{"tenants":["erp","c?m"]}"#, true),
    (#"{"tenants":["CRM"]}"#, false),
    (#"{"tenants":["cr"]}"#, false),
    (#"{"tenants":[]}"#, false),
    (#"{"appInstances":["arn:aws:chime:us-east-1:*:app-instance/*"]}"#, true),
    (#"{"appInstances":["*/bbbb-1"]}"#, false),
    (#"{"operations":["CreateAppInstanceUser"]}"#, true),
    (#"{"operations":["Create*"]}"#, true),
    (#"{"operations":["UpdateAppInstanceUser","TagResource"]}"#, false),
    (#"{"tenants":["crm"],"appInstances":["*/bbbb-1"]}"#, false),
  ])
  func aPolicyAppliesWhereAllItsMatchListsDo(_ match: String, _ applies: Bool) throws {
    let outcome = try decide([policy(#""name":{"maxLength":1}"#, match: match)], createBody())
    #expect(outcome.violations == (applies ? ["name.length Name"] : []))
  }

  @Test func anAppInstanceThatOnlyOnePolicyMatchesGetsOnlyThatOne() throws {
    let policies = [
      policy(#""name":{"maxLength":1}"#, name: "a", match: #"{"appInstances":["*/aaaa-1"]}"#),
      policy(#""name":{"maxLength":1}"#, name: "b", match: #"{"appInstances":["*/bbbb-*"]}"#),
    ]
    let other = "arn:aws:chime:us-east-1:123456789012:app-instance/bbbb-2"
    #expect(try decide(policies, createBody()).decision.violations.map(\.policy) == ["a"])
    #expect(
      try decide(policies, createBody(appInstanceArn: other)).decision.violations.map(\.policy) == ["b"])
  }

  @Test func aTenantThatNoFileHasIsDecidedLikeAKnownOne() throws {
    let (set, _) = try compile([policy(#""appInstanceUserId":{"prefix":"${tenant.id}-"}"#)], tenants: [crm])
    let good = try request(createBody(id: "new-1"))
    #expect(set.outcome(of: good, tenant: TenantFacts(id: "new")).violations == [])
    #expect(set.outcome(of: good).violations == ["appInstanceUserId.prefix AppInstanceUserId"])
  }

  @Test func aKnownTenantWithOtherLabelsIsDecidedByThose() throws {
    let (set, _) = try compile([policy(#""tags":{"set":{"O":"${tenant.labels.owner}"}}"#)])
    let outcome = set.outcome(
      of: try request(createBody()), tenant: TenantFacts(id: "crm", labels: ["owner": "x"]))
    #expect(outcome.tags == ["O": "x"])
  }

  @Test func operationsThatPolicyHasNoSayInPassUntouched() throws {
    let (set, _) = try compile([policy(Self.everything)])
    for operation in Operation.allCases where operation != .createAppInstanceUser {
      let outcome = set.outcome(of: GovernedRequest(operation: operation))
      let isGoverned = Governance.allCases.contains { $0.operation == operation }
      #expect(isGoverned || (outcome.decision.isAllowed && outcome.changes.isEmpty), "\(operation)")
    }
  }
}
