import ChimeIdentity
import Configuration
import Primitives
import Testing

@testable import PolicyEngine

/// `match.exclude` and `match.tenantLabels`.
@Suite struct MatchExclusionTests {
  static let staging = TenantFacts(id: "crm", labels: ["environment": "staging-2"])
  static let unlabelled = TenantFacts(id: "crm")
  static let short = #""name":{"maxLength":1}"#

  private func isDenied(
    _ match: String, tenant: TenantFacts = staging,
    as operation: ChimeIdentity.Operation = .createAppInstanceUser,
    body: String = createBody()
  ) throws -> Bool {
    !(try decide([policy(Self.short, match: match)], body, as: operation, tenant: tenant)).decision.isAllowed
  }

  @Test(arguments: [
    (#"{"tenantLabels":{"environment":["staging*"]}}"#, true, false),
    (#"{"tenantLabels":{"environment":["prod","staging-?"]}}"#, true, false),
    (#"{"tenantLabels":{"environment":["prod"]}}"#, false, false),
    // An absent label matches nothing.
    (#"{"tenantLabels":{"environment":["*"]}}"#, true, false),
    (#"{"tenantLabels":{"environment":["*"],"region":["*"]}}"#, false, false),
    (#"{"tenantLabels":{"environment":[]}}"#, false, false),
    (#"{"tenantLabels":{}}"#, true, true),
    (#"{"exclude":{"tenantLabels":{"environment":["staging*"]}}}"#, false, true),
    (#"{"exclude":{"tenantLabels":{"environment":["prod"]}}}"#, true, true),
    (#"{"exclude":{"tenants":["crm"]}}"#, false, false),
    (#"{"exclude":{"tenants":["erp"]}}"#, true, true),
    (#"{"exclude":{"tenants":["crm"],"tenantLabels":{"environment":["*"]}}}"#, false, true),
    (#"{"exclude":{"tenants":["crm"],"operations":["Update*"]}}"#, true, true),
    (#"{"exclude":{"operations":["Create*"]}}"#, false, false),
    (#"{"exclude":{"appInstances":["*/aaaa-1"]}}"#, false, false),
    (#"{"exclude":{"appInstances":["*/bbbb-*"]}}"#, true, true),
    (#"{"exclude":{"appInstances":["*/aaaa-1"],"operations":["Tag*"]}}"#, true, true),
    (#"{"exclude":{}}"#, false, false),
    (#"{"exclude":{"operations":[]}}"#, true, true),
  ])
  func requestsThatListsTakeIn(_ match: String, _ labelled: Bool, _ unlabelled: Bool) throws {
    #expect(try isDenied(match, tenant: Self.staging) == labelled)
    #expect(try isDenied(match, tenant: Self.unlabelled) == unlabelled)
  }

  @Test func anExcludedOperationStillGuardsTags() throws {
    let rules = #""tags":{"set":{"Via":"x"},"required":[{"key":"Owner"}]}"#
    func untag(_ exclude: String) throws -> [String] {
      try decide(
        [policy(rules, match: #"{"exclude":\#(exclude)}"#)],
        #"{"ResourceARN":"\#(userArn)","TagKeys":["Via","Owner"]}"#, as: .untagResource
      ).violations
    }
    let both = ["tags.protected Tags.Via", "tags.protected Tags.Owner"]
    #expect(try untag(#"{"operations":["UntagResource"]}"#) == both)
    #expect(try untag(#"{"operations":["UntagResource"],"appInstances":["*"]}"#) == both)
    #expect(try untag(#"{"operations":["*"]}"#) == [])
    #expect(try untag(#"{"operations":["*"],"appInstances":["*/aaaa-*"]}"#) == [])
    #expect(try untag(#"{"tenants":["crm"]}"#) == [])
    #expect(try untag(#"{"tenants":["erp"]}"#) == both)
  }

  @Test func explainSaysWhichListItWas() throws {
    func silence(_ match: String) throws -> Explanation.Silence? {
      try compile([policy(Self.short, match: match)], tenants: [Self.staging]).0
        .explain(try request(createBody()), tenant: Self.staging).policies[0].silence
    }
    #expect(try silence(#"{"tenants":["erp"]}"#) == .otherTenant)
    #expect(try silence(#"{"tenantLabels":{"environment":["prod"]}}"#) == .otherLabels)
    #expect(try silence(#"{"exclude":{"tenants":["crm"]}}"#) == .excluded)
    #expect(try silence(#"{"exclude":{"appInstances":["*/aaaa-1"]}}"#) == .excluded)
    #expect(try silence("{}") == nil)
  }

  /// One policy for all but some, and one for those: what the organisation means by an exclusion.
  @Test(arguments: [
    (#"{"exclude":{"tenants":["crm*"]}}"#, #"{"tenants":["crm"]}"#, false),
    (#"{"exclude":{"tenants":["crm*"]}}"#, #"{"tenants":["erp"]}"#, true),
    (#"{"exclude":{"tenants":["crm"]}}"#, #"{"tenants":["crm*"]}"#, true),
    (#"{"exclude":{"tenants":["crm"],"operations":["Update*"]}}"#, #"{"tenants":["crm"]}"#, true),
    (#"{"tenantLabels":{"env":["prod"]}}"#, #"{"tenantLabels":{"env":["dev*"]}}"#, false),
    (#"{"tenantLabels":{"env":["prod"]}}"#, #"{"tenantLabels":{"env":["p*"]}}"#, true),
    (#"{"exclude":{"tenantLabels":{"env":["prod"]}}}"#, #"{"tenantLabels":{"env":["prod"]}}"#, false),
    (#"{"exclude":{"tenantLabels":{"env":["prod"]}}}"#, #"{"tenantLabels":{"env":["dev"]}}"#, true),
  ])
  func valuesConflictOnlyWhereBothCanMatch(_ one: String, _ other: String, _ conflicts: Bool) throws {
    let problems = try compile([
      policy(#""expiration":{"defaultDays":1}"#, name: "a", match: one),
      policy(#""expiration":{"defaultDays":2}"#, name: "b", match: other),
    ]).1
    #expect(problems.contains { $0.severity == .error } == conflicts, "\(problems.map(\.line))")
  }

  @Test func labelsThatAMatchAsksForAreNeeded() throws {
    let matching = try compile([policy(Self.short, match: #"{"tenantLabels":{"env":["x"]}}"#)]).0
    #expect(matching.needLabels(of: "crm"))
    let excluding = try compile([policy(Self.short, match: #"{"exclude":{"tenantLabels":{"env":["x"]}}}"#)]).0
    #expect(excluding.needLabels(of: "crm"))
    #expect(!(try compile([policy(Self.short)]).0.needLabels(of: "crm")))
  }

  @Test func aPolicyThatExcludesEverythingIsAsGoodAsOff() throws {
    let rules = ModeAndMatchTests.everything
    for body in [createBody(), createBody(name: "A", tags: [("Owner", "o")], days: 400)] {
      let off = try decide([policy(rules, mode: "off")], body)
      let excluded = try decide([policy(rules, match: #"{"exclude":{"tenants":["*"]}}"#)], body)
      #expect(off.violations == excluded.violations && off.changes == excluded.changes)
    }
  }
}
