import Configuration
import Primitives
import Testing

@testable import PolicyEngine

/// The law that a change never causes a violation of the policy that made it, over random policies that `check` accepts.
@Suite struct ChangeLawTests {
  /// Who wrote what, and what each policy refuses in the end.
  fileprivate struct Ledger: VerdictRecorder {
    struct Entry {
      let policy: String
      let rule: Rule
      let field: Text
    }

    let recordsKeptRules = false
    let hiddenFacts: HiddenFacts? = nil
    var exceptionAnswers: [Truth]?
    var lastWriters: [Text: String] = [:]
    var refusals: [Entry] = []

    mutating func soften(
      by exceptions: TenantExceptions, _ request: borrowing GovernedRequest, at now: WallClockTime
    ) {}

    mutating func asked(
      _ policy: BoundPolicy, _ truth: Truth, _ request: borrowing GovernedRequest, as governance: Governance
    ) {}

    mutating func judge(
      _ rule: Rule, of policy: BoundPolicy, saying notes: RuleNotes?, keeps: Bool,
      field: @autoclosure () -> String,
      wrong: @autoclosure () -> String, accepted: @autoclosure () -> String
    ) {
      guard !keeps, policy.mode == .enforce else { return }
      refusals.append(Entry(policy: policy.name.string, rule: rule, field: Text(field())))
    }

    mutating func change(
      _ rule: Rule, of policy: BoundPolicy, _ change: FactChange, in request: borrowing GovernedRequest
    ) {
      guard policy.mode == .enforce else { return }
      lastWriters[Text(request.field(of: change))] = policy.name.string
    }
  }

  private static func ledger(
    _ world: ReferenceComparisonTests.World, _ request: borrowing GovernedRequest, _ tenant: PlainTenant
  ) -> Ledger {
    var ledger = Ledger()
    var changed = request.copy()
    world.set.policies(for: tenant.facts).evaluate(&changed, &ledger)
    return ledger
  }

  /// A policy by itself breaks none of its rules by what it puts in: not on a field that it wrote, and not by the number
  /// of tags where the caller gave none but those that it puts in.
  @Test func aChangeNeverBreaksThePolicyThatMadeIt() throws {
    var seen = (refusedByCheck: 0, accepted: 0, changes: 0, refusals: 0)
    for seed in 95_000..<95_280 as Range<UInt64> {
      var random = RandomPolicies(seed: seed, features: RandomPolicies.withoutTemplates)
      let tenants = random.tenants()
      let policies = random.policies().filter { $0.mode == "enforce" }
      let requests = (0..<20).map { _ in random.request() }
      for policy in policies {
        let alone = try ReferenceComparisonTests.World([policy], tenants)
        guard alone.isConsistent else {
          seen.refusedByCheck += 1
          continue
        }
        seen.accepted += 1
        for plain in requests {
          let request = try plain.governed()
          for tenant in tenants {
            let ledger = Self.ledger(alone, request, tenant)
            seen.changes += ledger.lastWriters.count
            seen.refusals += ledger.refusals.count
            let broken = ledger.refusals.filter { refusal in
              refusal.rule == .tagsMaxCount
                ? ledger.wroteTags && policy.putsInAllTags(of: plain)
                : ledger.lastWriters[refusal.field] != nil && !policy.mayDiffer(refusal.rule, refusal.field)
            }
            #expect(broken.isEmpty, "\(broken)\n\(tenant) \(plain)\n\(policy.json)")
          }
        }
      }
    }
    #expect(
      min(seen.refusedByCheck, seen.accepted) > 100 && min(seen.changes, seen.refusals) > 2000, "\(seen)")
  }

  /// Among others too, as long as what it wrote is what is left in the end.
  @Test func noPolicyRefusesWhatItWroteItself() throws {
    var held = 0
    for seed in 96_000..<96_400 as Range<UInt64> {
      var random = RandomPolicies(seed: seed, features: RandomPolicies.withoutTemplates)
      let world = try ReferenceComparisonTests.World(
        random.policies(), random.tenants(), tagPolicies: random.tagPolicies())
      guard world.isConsistent else { continue }
      for _ in 0..<20 {
        let plain = random.request()
        let request = try plain.governed()
        for tenant in world.tenants {
          let ledger = Self.ledger(world, request, tenant)
          held += ledger.lastWriters.count
          for refusal in ledger.refusals where ledger.lastWriters[refusal.field] == refusal.policy {
            let writer = try #require(world.policies.first { $0.name == refusal.policy })
            #expect(
              writer.mayDiffer(refusal.rule, refusal.field),
              "\(refusal)\n\(tenant) \(plain)\n\(world.policies.map(\.json))")
          }
        }
      }
    }
    #expect(held > 1000, "\(held)")
  }
}

extension ChangeLawTests.Ledger {
  fileprivate var wroteTags: Bool {
    lastWriters.keys.contains { $0.string.hasPrefix("Tags.") }
  }
}

extension PlainPolicy {
  /// Whether the verdict on a tag that the policy puts in hangs on the request's AppInstance: then no one can know it
  /// before, and the law does not hold. Of values that are written as the tag's own is, it does.
  fileprivate func mayDiffer(_ rule: Rule, _ field: Text) -> Bool {
    guard rule == .tagsValue || rule == .tagsPattern, let part = part("enforce")?.policy,
      let required = part.required.first(where: { Text("Tags.\($0.key)") == field }),
      let written = part.set.first(where: { Text("Tags.\($0.key)") == field })?.value ?? required.standard
    else { return false }
    let isOfRequest = written.contains("${request.")
    guard rule == .tagsValue, let values = required.values else { return isOfRequest }
    return !values.contains(written) && (isOfRequest || values.contains { $0.contains("${request.") })
  }

  /// Whether the caller gave no tags but those that the policy puts in, and none of them in two cases.
  fileprivate func putsInAllTags(of request: PlainRequest) -> Bool {
    guard let part = part("enforce")?.policy else { return true }
    let put = Set(
      part.required.filter { $0.standard != nil }.map { Text($0.key) } + part.set.map { Text($0.key) })
    return request.tags.allSatisfy { put.contains(Text($0.key)) }
      && Set(request.tags.map { FoldedKey.fingerprint(of: Text($0.key)) }).count == request.tags.count
  }
}
