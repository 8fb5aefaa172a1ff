import Configuration
import Primitives
import Testing

@testable import PolicyEngine

/// Random sets of policies with their tenants, and requests to them.
extension ReferenceComparisonTests {
  /// Policies for three tenants, compiled.
  struct World {
    let policies: [PlainPolicy]
    let tagPolicies: [PlainTagPolicy]
    let exceptions: [PlainException]
    let tenants: [PlainTenant]
    let set: PolicySet
    let problems: [Problem]
    /// By tenant.
    let references: [String: ReferenceEvaluator]
    var isConsistent: Bool { problems.allSatisfy { $0.severity == .warning } }

    init(
      _ policies: [PlainPolicy], _ tenants: [PlainTenant], tagPolicies: [PlainTagPolicy] = [],
      exceptions: [PlainException] = []
    ) throws {
      self.policies = policies
      self.tagPolicies = tagPolicies
      self.exceptions = exceptions
      self.tenants = tenants
      var files = Dictionary(
        uniqueKeysWithValues: policies.enumerated().map { index, policy in ("p\(index).json", policy.json) })
      for list in policies.flatMap(\.lists) { files[list.file] = list.text }
      if !tagPolicies.isEmpty { files["org.tag-policy.json"] = PlainTagPolicy.json(tagPolicies) }
      for (index, exception) in exceptions.enumerated() {
        files["e\(index).exception.json"] = exception.json
      }
      let found = try loaded(files)
      let (set, problems) = PolicySet.compile(
        documents: found.documents, exceptions: found.exceptions, tenants: tenants.map(\.facts))
      self.set = set
      self.problems = problems
      references = Dictionary(
        uniqueKeysWithValues: tenants.map {
          ($0.id, ReferenceEvaluator(policies, $0, tagPolicies, exceptions, today: "2026-11-29"))
        })
    }

    /// The same with other policies, exceptions or both.
    func with(policies: [PlainPolicy]? = nil, exceptions: [PlainException]? = nil) throws -> World {
      try World(
        policies ?? self.policies, tenants, tagPolicies: tagPolicies,
        exceptions: exceptions ?? self.exceptions)
    }

    func outcome(_ request: borrowing GovernedRequest, _ tenant: PlainTenant) -> Outcome {
      set.outcome(of: request, tenant: tenant.facts, at: ReferenceComparisonTests.now)
    }
  }

  static let now = WallClockTime(rfc3339: "2026-11-29T23:59:59Z") ?? .never
  static let requestsPerWorld = 20

  static func forEachCase(
    seeds: Range<UInt64>, requests: Int = requestsPerWorld,
    _ body: (World, PlainTenant, PlainRequest, borrowing GovernedRequest, inout RandomPolicies) throws -> Void
  ) throws {
    for seed in seeds {
      var random = RandomPolicies(seed: seed)
      let policies = random.policies()
      let tenants = random.tenants()
      let tagPolicies = random.tagPolicies()
      let world = try World(
        policies, tenants, tagPolicies: tagPolicies, exceptions: random.exceptions(for: policies, tagPolicies)
      )
      for _ in 0..<requests {
        let plain = random.request()
        let request = try plain.governed()
        for tenant in world.tenants { try body(world, tenant, plain, request, &random) }
      }
    }
  }
}
