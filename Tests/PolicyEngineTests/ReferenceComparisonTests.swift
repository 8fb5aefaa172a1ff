import ChimeIdentity
import Configuration
import Primitives
import StrictJSON
import Testing

@testable import PolicyEngine

/// Random policies, tenants and requests: the engine against the reference evaluator, and laws that hold for all.
@Suite struct ReferenceComparisonTests {
  @Test(arguments: 0..<8 as Range<UInt64>)
  func theEngineDecidesAsTheReferenceDoes(_ part: UInt64) throws {
    var seen = (allowed: 0, denied: 0, changed: 0, warned: 0)
    var different = 0
    // 8 parts, 80 worlds, 53 requests and 3 tenants: 101 760 cases.
    try Self.forEachCase(seeds: part * 1000..<part * 1000 + 80, requests: 53) {
      world, tenant, plain, request, _ in
      let comparison = try Comparison(world, tenant, request, plain)
      if comparison.differs {
        different += 1
        // More of one part are mostly the same once more.
        if different <= 3 { try Self.report(Counterexample(world, tenant, plain)) }
      }
      let outcome = comparison.outcome
      let found = outcome.decision.violations
      if found.isEmpty { seen.allowed += 1 } else { seen.denied += 1 }
      if !outcome.changes.isEmpty { seen.changed += 1 }
      if !outcome.warnings.isEmpty { seen.warned += 1 }
    }
    #expect(different == 0)
    // The cases are worth something only if they go all ways.
    #expect(min(seen.allowed, seen.denied, seen.changed, seen.warned) > 500, "\(seen)")
  }

  private static func report(_ example: Counterexample) throws {
    let small = example.smallest { try Comparison($0).differs }
    let again = try Comparison(small)
    Issue.record(
      """
      \(small.description)
      engine: \(again.outcome.decision)
      \(again.outcome.changes)
      reference: \(again.verdict)
      """)
  }

  @Test func explainingDecidesTheSame() throws {
    try Self.forEachCase(seeds: 80_000..<80_020) { world, tenant, plain, request, _ in
      let outcome = world.outcome(request, tenant)
      let explanation = world.set.policies(for: tenant.facts).explain(request, at: Self.now)
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
  let verdict: ReferenceEvaluator.Verdict
  let differs: Bool

  init(
    _ world: ReferenceComparisonTests.World, _ tenant: PlainTenant, _ request: borrowing GovernedRequest,
    _ plain: PlainRequest
  ) throws {
    let expected: PlainRequest
    (expected, verdict) = try #require(world.references[tenant.id]).evaluate(plain)
    outcome = world.outcome(request, tenant)
    let found = outcome.decision.violations.map { "\($0.policy) \($0.rule) \($0.field)" }
    let warnings = outcome.decision.warnings.map { warning in
      "\(warning.policy) \(warning.rule) \(warning.field)\(warning.exception.map { " (\($0))" } ?? "")"
    }
    let used = Set(verdict.warnings.compactMap(\.exception))
    differs =
      outcome.decision.exceptions.map(\.string).sorted() != used.sorted()
      || found.sorted() != verdict.violations.map(\.line).sorted()
      || warnings.sorted() != verdict.warnings.map(\.line).sorted()
      || outcome.wouldChange.sorted() != verdict.wouldChange.sorted()
      || outcome.changesByField != verdict.changes
      || outcome.request.tags.map { "\($0.key)=\($0.value)" } != expected.tagList
      || outcome.request.expirationDays != expected.heldDays
  }

  /// For a case by itself, compiled anew.
  init(_ example: Counterexample) throws {
    let world = try ReferenceComparisonTests.World(
      example.policies, [example.tenant], tagPolicies: example.tagPolicies, exceptions: example.exceptions)
    try self.init(world, example.tenant, try example.request.governed(), example.request)
  }
}

extension Counterexample {
  init(_ world: ReferenceComparisonTests.World, _ tenant: PlainTenant, _ request: PlainRequest) {
    self.init(
      policies: world.policies, tagPolicies: world.tagPolicies, exceptions: world.exceptions, tenant: tenant,
      request: request)
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
    return try request(body, as: operation, appInstance: appInstance, user: userID)
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
      tagBody(tags, arn: "\(appInstance)/user/\(userID)")
    default:
      untagBody
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

  private var untagBody: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("ResourceARN")
    writer.string("\(appInstance)/user/\(userID)")
    writer.key("TagKeys")
    writer.beginArray()
    for key in tagKeys { writer.string(key) }
    writer.endArray()
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

extension Outcome {
  fileprivate var changesByField: [Text: String] {
    Dictionary(
      request.changes.map { (Text($0.field), "\($0.from?.string ?? "nothing") -> \($0.to)") },
      uniquingKeysWith: { one, other in "\(one) and \(other)" })
  }
}
