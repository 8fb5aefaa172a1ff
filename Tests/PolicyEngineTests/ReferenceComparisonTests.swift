import ChimeIdentity
import Configuration
import Primitives
import StrictJSON
import Testing

@testable import PolicyEngine

/// Random policies, tenants and requests: the engine against the reference evaluator, and laws that hold for all.
@Suite struct ReferenceComparisonTests {
  /// A random world: policies for its three tenants, compiled.
  struct World {
    let policies: [PlainPolicy]
    let tagPolicies: [PlainTagPolicy]
    let tenants: [PlainTenant]
    let set: PolicySet
    let problems: [Problem]
    var isConsistent: Bool { problems.allSatisfy { $0.severity == .warning } }

    init(
      _ policies: [PlainPolicy], _ tenants: [PlainTenant], tagPolicies: [PlainTagPolicy] = []
    ) throws {
      self.policies = policies
      self.tagPolicies = tagPolicies
      self.tenants = tenants
      var files = Dictionary(
        uniqueKeysWithValues: policies.enumerated().map { index, policy in ("p\(index).json", policy.json) })
      if !tagPolicies.isEmpty { files["org.tag-policy.json"] = PlainTagPolicy.json(tagPolicies) }
      let (set, problems) = PolicySet.compile(
        documents: try documents(files), tenants: tenants.map(\.facts))
      self.set = set
      self.problems = problems
    }
  }

  static let requestsPerWorld = 20

  func forEachCase(
    seeds: Range<UInt64>, requests: Int = requestsPerWorld,
    _ body: (World, PlainTenant, PlainRequest, borrowing GovernedRequest, inout RandomPolicies) throws -> Void
  ) throws {
    for seed in seeds {
      var random = RandomPolicies(seed: seed)
      let world = try World(random.policies(), random.tenants(), tagPolicies: random.tagPolicies())
      for _ in 0..<requests {
        let plain = random.request()
        let request = try plain.governed()
        for tenant in world.tenants { try body(world, tenant, plain, request, &random) }
      }
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func theEngineDecidesAsTheReferenceDoes(_ part: UInt64) throws {
    var seen = (allowed: 0, denied: 0, changed: 0, warned: 0)
    // 8 parts, 80 worlds, 53 requests and 3 tenants: 101 760 cases.
    try forEachCase(seeds: part * 1000..<part * 1000 + 80, requests: 53) {
      world, tenant, plain, request, _ in
      let comparison = Comparison(world.set, request, plain, Counterexample(world, tenant, plain))
      if comparison.differs {
        let small = Counterexample(world, tenant, plain).smallest { try Comparison($0).differs }
        let again = try Comparison(small)
        Issue.record(
          """
          \(small.tenant) \(small.request)
          \(small.policies.map(\.json)) \(PlainTagPolicy.json(small.tagPolicies))
          \(again.outcome.decision)
          \(again.reference)
          """)
      }
      let outcome = comparison.outcome
      let found = outcome.decision.violations
      if found.isEmpty { seen.allowed += 1 } else { seen.denied += 1 }
      if !outcome.changes.isEmpty { seen.changed += 1 }
      if !outcome.warnings.isEmpty { seen.warned += 1 }
    }
    // The cases are worth something only if they go all ways.
    #expect(min(seen.allowed, seen.denied, seen.changed, seen.warned) > 500, "\(seen)")
  }

  @Test func evaluatingTheForwardedBodyAgainChangesNothingAndDeniesNothing() throws {
    var repeated = 0
    try forEachCase(seeds: 50_000..<50_060) { world, tenant, plain, request, _ in
      guard world.isConsistent else { return }
      let first = world.set.outcome(of: request, tenant: tenant.facts)
      guard first.decision.isAllowed else { return }
      let body = first.request.body()
      let again = try PolicyEngineTests.request(
        String(decoding: body, as: UTF8.self), as: first.request.operation, appInstance: plain.appInstance)
      let second = world.set.outcome(of: again, tenant: tenant.facts)
      #expect(
        second.changes == [] && second.violations == [], "\(tenant) \(plain)\n\(world.policies.map(\.json))")
      repeated += 1
    }
    #expect(repeated > 200)
  }

  @Test func anotherPolicyThatOnlyChecksNeverAllowsMore() throws {
    try forEachCase(seeds: 60_000..<60_010) { world, tenant, _, request, random in
      let more = random.policy(named: "0-more", changes: false)
      let larger = try World(world.policies + [more], world.tenants, tagPolicies: world.tagPolicies)
      let before = world.set.outcome(of: request, tenant: tenant.facts)
      let after = larger.set.outcome(of: request, tenant: tenant.facts)
      #expect(before.decision.isAllowed || !after.decision.isAllowed, "\(more.json)")
      #expect(after.changes == before.changes)
    }
  }

  /// A policy that lowers days to its own ceiling allows no more than before where the days it leaves were allowed
  /// before: lowering can lead out of another policy's refusal of long days, which is what a clamp is for.
  @Test func anotherPolicyThatClampsAllowsMoreOnlyWhereItLowersDays() throws {
    try forEachCase(seeds: 65_000..<65_004) { world, tenant, _, request, random in
      var more = random.policy(named: "0-more", changes: false)
      more.maxDays = 3
      more.clamps = true
      let larger = try World(world.policies + [more], world.tenants, tagPolicies: world.tagPolicies)
      let before = world.set.outcome(of: request, tenant: tenant.facts)
      let after = larger.set.outcome(of: request, tenant: tenant.facts)
      guard before.request.expirationDays != after.request.expirationDays else {
        #expect(before.decision.isAllowed || !after.decision.isAllowed, "\(more.json)")
        return
      }
      // Even then the days are all that can have become right.
      #expect(after.request.expirationDays ?? .max <= 3)
      let others = before.decision.violations.filter { !$0.rule.hasPrefix("expiration.") }
      #expect(Set(others).isSubset(of: Set(after.decision.violations)), "\(more.json)")
    }
  }

  @Test func policiesInWarnOrOffOrForOtherTenantsDecideNothing() throws {
    try forEachCase(seeds: 90_000..<90_005) { world, tenant, _, request, random in
      var more = random.policy(named: "0-more", changes: true)
      let before = world.set.outcome(of: request, tenant: tenant.facts)
      more.mode = "warn"
      let warned = try World(world.policies + [more], world.tenants, tagPolicies: world.tagPolicies).set
        .outcome(of: request, tenant: tenant.facts)
      #expect(warned.decision.violations == before.decision.violations, "\(more.json)")
      #expect(warned.request.changes == before.request.changes)
      #expect(warned.request.body() == before.request.body())
      var off = more
      off.mode = "off"
      var others = more
      others.mode = "enforce"
      others.tenants = ["nobody"]
      for silent in [off, others] {
        let after = try World(world.policies + [silent], world.tenants, tagPolicies: world.tagPolicies).set
          .outcome(of: request, tenant: tenant.facts)
        #expect(after.decision.violations == before.decision.violations, "\(silent.json)")
        #expect(after.decision.warnings == before.decision.warnings)
        #expect(after.decision.wouldChange == before.decision.wouldChange)
        #expect(after.request.changes == before.request.changes)
        #expect(after.request.body() == before.request.body())
      }
    }
  }

  @Test func theOrderOfFilesDoesNotMatter() throws {
    try forEachCase(seeds: 70_000..<70_020) { world, tenant, _, request, random in
      let shuffled = try World(
        random.shuffled(world.policies), world.tenants, tagPolicies: world.tagPolicies)
      let one = world.set.outcome(of: request, tenant: tenant.facts)
      let other = shuffled.set.outcome(of: request, tenant: tenant.facts)
      #expect(one.decision.violations == other.decision.violations)
      #expect(one.decision.warnings == other.decision.warnings)
      #expect(one.request.changes == other.request.changes)
      #expect(one.request.body() == other.request.body())
    }
  }

  @Test func explainingDecidesTheSame() throws {
    try forEachCase(seeds: 80_000..<80_020) { world, tenant, plain, request, _ in
      let outcome = world.set.outcome(of: request, tenant: tenant.facts)
      let explanation = world.set.explain(request, tenant: tenant.facts)
      #expect(explanation.decision.violations == outcome.decision.violations)
      #expect(explanation.decision.warnings == outcome.decision.warnings)
      #expect(explanation.changes == outcome.request.changes)
      #expect(PlainFacts(explanation.request).body() == outcome.request.body())
      let speaking = Set(explanation.policies.filter { $0.silence == nil }.map(\.name))
      for violation in outcome.decision.violations + outcome.decision.warnings {
        #expect(speaking.contains(violation.policy))
      }
    }
  }
}

/// One case, by the engine and by the reference.
private struct Comparison {
  let outcome: Outcome
  let reference: ReferenceEvaluator
  let differs: Bool

  init(
    _ set: PolicySet, _ request: borrowing GovernedRequest, _ plain: PlainRequest, _ example: Counterexample
  ) {
    var reference = ReferenceEvaluator(example.policies, example.tenant, example.tagPolicies)
    let expected = reference.evaluate(plain)
    outcome = set.outcome(of: request, tenant: example.tenant.facts)
    let found = outcome.decision.violations.map { "\($0.policy) \($0.rule) \($0.field)" }
    differs =
      found.sorted() != reference.violations.sorted()
      || outcome.warnings.sorted() != reference.warnings.sorted()
      || outcome.wouldChange.sorted() != reference.wouldChange.sorted()
      || outcome.changesByField != reference.changes
      || outcome.request.tags.map { "\($0.key)=\($0.value)" } != expected.tagList
      || outcome.request.expirationDays != expected.heldDays
    self.reference = reference
  }

  /// For a case by itself, compiled anew.
  init(_ example: Counterexample) throws {
    let world = try ReferenceComparisonTests.World(
      example.policies, [example.tenant], tagPolicies: example.tagPolicies)
    self.init(world.set, try example.request.governed(), example.request, example)
  }
}

extension Counterexample {
  fileprivate init(_ world: ReferenceComparisonTests.World, _ tenant: PlainTenant, _ request: PlainRequest) {
    self.init(policies: world.policies, tagPolicies: world.tagPolicies, tenant: tenant, request: request)
  }
}

extension PlainTenant {
  var facts: TenantFacts {
    TenantFacts(
      id: Text(id),
      labels: Dictionary(uniqueKeysWithValues: labels.map { (Text($0.key), Text($0.value)) }))
  }
}

extension PlainRequest {
  private var isTagged: Bool {
    ["CreateAppInstanceUser", "TagResource"].contains(operation) && !tags.isEmpty
  }

  fileprivate var tagList: [String] { isTagged ? tags.map { "\($0.key)=\($0.value)" } : [] }

  fileprivate var heldDays: Int? {
    ["CreateAppInstanceUser", "PutAppInstanceUserExpirationSettings"].contains(operation) ? days : nil
  }

  /// As the gateway would read it.
  func governed() throws -> GovernedRequest {
    let operation = try #require(ChimeIdentity.Operation.allCases.first { $0.name == self.operation })
    return try request(body, as: operation, appInstance: appInstance)
  }

  private var body: String {
    switch operation {
    case "CreateAppInstanceUser":
      createBody(
        id: userID, name: name, tags: tags, days: days, metadata: metadata, appInstanceArn: appInstance)
    case "UpdateAppInstanceUser":
      updateBody
    case "PutAppInstanceUserExpirationSettings":
      days.map {
        #"{"ExpirationSettings":{"ExpirationDays":\#($0),"ExpirationCriterion":"CREATED_TIMESTAMP"}}"#
      } ?? "{}"
    case "TagResource":
      tagBody(tags, arn: "\(appInstance)/user/x")
    default:
      #"{"ResourceARN":"\#(appInstance)/user/x","TagKeys":[\#(keyList)]}"#
    }
  }

  private var updateBody: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("Name")
    writer.string(name)
    writer.key("Metadata")
    writer.string(metadata ?? "")
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private var keyList: String { tagKeys.map { "\"\($0)\"" }.joined(separator: ",") }
}

extension Outcome {
  fileprivate var changesByField: [Text: String] {
    Dictionary(
      request.changes.map { (Text($0.field), "\($0.from?.string ?? "nothing") -> \($0.to)") },
      uniquingKeysWith: { one, other in "\(one) and \(other)" })
  }
}
