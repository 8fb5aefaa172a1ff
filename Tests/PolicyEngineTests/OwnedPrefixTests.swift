import ChimeIdentity
import Configuration
import Patterns
import Primitives
import Testing

@testable import PolicyEngine

/// Prefixes of one tenant's ids that begin those of another's.
@Suite struct OwnedPrefixTests {
  private static let byID = policy(#""appInstanceUserId":{"prefix":"${tenant.id}-"}"#)
  private static let byInstance = policy(
    #""appInstanceUserId":{"prefix":"${request.appInstanceId}-${tenant.id}-"}"#)

  /// Which of these ids a tenant may create, with tenants `a`, `a-b`, `a-b-c` and `ab`.
  @Test(arguments: [
    ("a", ["a-x", "a-bx"]), ("a-b", ["a-b-x"]), ("a-b-c", ["a-b-c-x"]), ("ab", ["ab-x"]),
  ])
  func anIdIsItsWhoseLongestPrefixItHas(_ name: String, _ own: [String]) throws {
    let id = Text(name)
    let tenants = ["a", "a-b", "a-b-c", "ab"].map { TenantFacts(id: $0) }
    for (rules, before) in [(Self.byID, ""), (Self.byInstance, "demo-")] {
      let (set, _) = try compile([rules], tenants: tenants)
      for tried in ["a-x", "a-b-x", "a-b-c-x", "ab-x", "a-bx"] {
        let found = try violations(set, id, before + tried)
        #expect(found.isEmpty == own.contains(tried), "\(id) \(before)\(tried)")
      }
    }
  }

  @Test func theRefusalSaysWhoseItIs() throws {
    let (set, _) = try compile([Self.byID], tenants: [TenantFacts(id: "a"), TenantFacts(id: "a-b")])
    let found = try violations(set, "a", "a-b-x")
    #expect(found.map(\.rule) == ["appInstanceUserId.prefix"])
    #expect(found.first?.message.contains("`a-b-`, which is the prefix of another tenant") == true)
    #expect(found.first?.message.contains("`a-` and not with `a-b-`") == true)
  }

  @Test func checkWarnsOfThePair() throws {
    let (_, problems) = try compile(
      [Self.byID], tenants: [TenantFacts(id: "a"), TenantFacts(id: "a-b"), TenantFacts(id: "crm")])
    #expect(
      problems.map(\.line) == [
        "policies/p0.json:1:82: warning: the prefix `a-` of tenant `a` begins `a-b-` of tenant `a-b`, in an AppInstance that is"
          + " theirs as well; ids that start so are refused to `a`. Expected prefixes none of which begins another"
      ])
  }

  @Test func tenantsOfDifferentAppInstancesDoNotMeet() throws {
    let tenants = [
      TenantFacts(id: "a", appInstances: [Glob("*/one")]),
      TenantFacts(id: "a-b", appInstances: [Glob("*/two")]),
    ]
    let (set, problems) = try compile([Self.byID], tenants: tenants)
    #expect(problems.isEmpty)
    #expect(try violations(set, tenants[0], "a-b-x", appInstance: "one").isEmpty)
  }

  /// `a` may use both, `a-b` one of them.
  @Test func anIdIsTakenOnlyWhereItsOwnerMayCall() throws {
    let tenants = [
      TenantFacts(id: "a", appInstances: [Glob("*")]), TenantFacts(id: "a-b", appInstances: [Glob("*/two")]),
    ]
    let (set, problems) = try compile([Self.byID], tenants: tenants)
    #expect(problems.count == 1)
    #expect(try violations(set, tenants[0], "a-b-x", appInstance: "one").isEmpty)
    #expect(try violations(set, tenants[0], "a-b-x", appInstance: "two").count == 1)
  }

  /// Two tenants have the longer prefix, each in another AppInstance.
  @Test func allOwnersOfAPrefixCount() throws {
    let rules = policy(#""appInstanceUserId":{"prefix":"${tenant.labels.team}-"}"#)
    let tenants = [("t", "a", "*"), ("u", "a-b", "*/one"), ("v", "a-b", "*/two")].map {
      TenantFacts(id: Text($0.0), labels: ["team": Text($0.1)], appInstances: [Glob(Text($0.2))])
    }
    let (set, _) = try compile([rules], tenants: tenants)
    for (name, count) in [("one", 1), ("two", 1), ("three", 0)] {
      #expect(try violations(set, tenants[0], "a-b-x", appInstance: name).count == count)
    }
    #expect(try violations(set, tenants[1], "a-b-x", appInstance: "one").isEmpty)
  }

  @Test(arguments: [
    // Everybody's, and within it each its own.
    [
      policy(#""appInstanceUserId":{"prefix":"corp-"}"#, name: "a"),
      policy(#""appInstanceUserId":{"prefix":"corp-${tenant.id}-"}"#, name: "b"),
    ],
    // The same for all.
    [policy(#""appInstanceUserId":{"prefix":"corp-"}"#)],
    [policy(#""appInstanceUserId":{"prefix":"${tenant.id}-"}"#, mode: "warn")],
    [policy(#""appInstanceUserId":{"prefix":"${tenant.id}-"}"#, mode: "off")],
    [policy(#""appInstanceUserId":{"pattern":"[a-z-]+"}"#)],
  ])
  func whatIsNoTerritoryOfOneTenantTakesNothing(_ policies: [String]) throws {
    let tenants = [TenantFacts(id: "x"), TenantFacts(id: "y")]
    let (set, problems) = try compile(policies, tenants: tenants)
    #expect(problems.isEmpty)
    #expect(try violations(set, "x", "corp-x-y").isEmpty)
  }

  @Test func prefixesOfDifferentPoliciesAreCompared() throws {
    let policies = [
      policy(#""appInstanceUserId":{"prefix":"eu-"}"#, name: "eu", match: #"{"tenants":["eu"]}"#),
      policy(#""appInstanceUserId":{"prefix":"eu-crm-"}"#, name: "crm", match: #"{"tenants":["crm"]}"#),
    ]
    let (set, problems) = try compile(policies, tenants: [TenantFacts(id: "eu"), TenantFacts(id: "crm")])
    #expect(problems.count == 1)
    #expect(try violations(set, "eu", "eu-crm-x").count == 1)
    #expect(try violations(set, "eu", "eu-x").isEmpty)
    #expect(try violations(set, "crm", "eu-crm-x").isEmpty)
  }

  /// `explain` and tests may ask about a tenant that no file has.
  @Test func aTenantThatIsNotConfiguredIsHeldToItToo() throws {
    let (set, _) = try compile([Self.byID], tenants: [TenantFacts(id: "a-b")])
    #expect(try violations(set, "a", "a-b-x").count == 1)
  }

  @Test func manyTenantsAreComparedQuickly() throws {
    let tenants = (0..<10_000).map { TenantFacts(id: Text("t\($0)")) }
    let (set, problems) = try compile(
      [policy(#""appInstanceUserId":{"prefix":"${tenant.id}"}"#)], tenants: tenants)
    // Each of one to three digits but `t0` begins others.
    #expect(problems.count == 999)
    #expect(try violations(set, "t1", "t1x").isEmpty)
    #expect(try violations(set, "t1", "t1234x").count == 1)
  }

  private func violations(
    _ set: PolicySet, _ tenant: TenantFacts, _ id: String, appInstance name: String = "demo"
  ) throws -> [Violation] {
    let arn = "arn:aws:chime:us-east-1:123456789012:app-instance/\(name)"
    var request = try request(createBody(id: id, appInstanceArn: arn), as: .createAppInstanceUser)
    return set.policies(for: tenant).decide(&request).violations
  }

  private func violations(_ set: PolicySet, _ tenant: Text, _ id: String) throws -> [Violation] {
    try violations(set, TenantFacts(id: tenant), id)
  }
}
