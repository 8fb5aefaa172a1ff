import Configuration
import Foundation
import Primitives
import Testing

@testable import PolicyEngine

/// The policies and the documentation in the repository, as their readers will use them.
@Suite struct ShippedPoliciesTests {
  static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  func baseline() throws -> PolicySet {
    let folder = Self.top.appending(path: "policies")
    var files: [String: String] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".json")
    {
      files[name] = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }
    // A tenant without labels: the baseline asks for none.
    let (set, problems) = PolicySet.compile(
      documents: try documents(files), tenants: [TenantFacts(id: "crm")])
    #expect(problems.map(\.line) == [])
    return set
  }

  @Test func theBaselineCompletesTheRequestOfItsReadme() throws {
    let readme = try String(contentsOf: Self.top.appending(path: "policies/README.md"), encoding: .utf8)
    let body = try #require(Self.blocks(of: readme).first)
    let outcome = try baseline().outcome(of: try request(body), tenant: TenantFacts(id: "crm"))
    #expect(outcome.violations == [])
    #expect(
      outcome.tags == [
        "CostCenter": "4711", "Environment": "production", "Application": "crm", "CreatedVia": "gatehouse",
      ])
    #expect(outcome.request.expirationDays == 90)
  }

  @Test(arguments: [
    (createBody(tags: [("CostCenter", "4711")], days: 366), "expiration.maxDays"),
    (createBody(tags: []), "tags.required"), (createBody(tags: [("CostCenter", "47")]), "tags.pattern"),
    (createBody(tags: [("costCenter", "4711")]), "tags.keyCase"),
    (createBody(tags: [("CostCenter", "4711"), ("Environment", "prod")]), "tags.value"),
    (createBody(tags: [("CostCenter", "4711"), ("aws:x", "1")]), "tags.forbiddenKeys"),
    (createBody(id: "alice", tags: [("CostCenter", "4711")]), "appInstanceUserId.prefix"),
    (createBody(id: "crm-Alice", tags: [("CostCenter", "4711")]), "appInstanceUserId.pattern"),
    (createBody(name: "\u{410}lice", tags: [("CostCenter", "4711")]), "name.singleScript"),
    (createBody(name: "Al\u{200B}ice", tags: [("CostCenter", "4711")]), "name.forbidden"),
    (createBody(name: "Alice ", tags: [("CostCenter", "4711")]), "name.trimmed"),
  ])
  func theBaselineRefuses(_ body: String, _ rule: String) throws {
    let outcome = try baseline().outcome(of: try request(body), tenant: TenantFacts(id: "crm"))
    #expect(outcome.decision.violations.map(\.rule) == [rule])
  }

  @Test func everyPolicyInTheGuideLoadsWithoutAProblem() throws {
    let guide = try String(contentsOf: Self.top.appending(path: "docs/policy-guide.md"), encoding: .utf8)
    let policies = Self.blocks(of: guide)
    #expect(policies.count >= 7)
    for policy in policies {
      let isTagPolicy = !policy.contains("\"policy\"")
      let (set, problems) = PolicySet.compile(
        documents: try documents([isTagPolicy ? "p.tag-policy.json" : "p.json": policy]), tenants: [crm])
      #expect(set.tagPolicies.isEmpty == !isTagPolicy)
      #expect(problems.map(\.line) == [], "\(policy)")
    }
  }

  @Test func thePolicyOfThePageForNewcomersLoads() throws {
    let page = try String(
      contentsOf: Self.top.appending(path: "docs/from-envoy-opa-vault.md"), encoding: .utf8)
    let production = TenantFacts(id: "crm", labels: ["environment": "production"])
    let policy = try #require(Self.blocks(of: page).first)
    let (set, problems) = PolicySet.compile(
      documents: try documents(["p.json": policy]), tenants: [production])
    #expect(problems.map(\.line) == [])
    let outcome = set.outcome(of: try request(createBody()), tenant: production)
    #expect(
      outcome.violations == ["tags.required Tags.CostCenter", "expiration.required ExpirationSettings"])
  }

  @Test func theGuideNamesEveryRule() throws {
    let guide = try String(contentsOf: Self.top.appending(path: "docs/policy-guide.md"), encoding: .utf8)
    for rule in Rule.allCases { #expect(guide.contains("`\(rule.rawValue)`")) }
  }

  @Test func theGuidesFirstPolicyAnswersAsTheGuideSays() throws {
    let guide = try String(contentsOf: Self.top.appending(path: "docs/policy-guide.md"), encoding: .utf8)
    let first = try #require(Self.blocks(of: guide).first)
    let denied = try decide([first], createBody())
    let said = try #require(denied.decision.violations.first)
    #expect(guide.contains("    \(said.policy): \(said.rule): \(said.field): \(said.message)\n"))
    let allowed = try decide([first], createBody(tags: [("CostCenter", "4811")]))
    #expect(allowed.violations == [] && allowed.request.expirationDays == 30)
  }

  /// What stands in a document's JSON blocks.
  static func blocks(of document: String) -> [String] {
    document.split(separator: "```json\n").dropFirst().compactMap {
      $0.split(separator: "```", maxSplits: 1).first.map(String.init)
    }
  }
}
