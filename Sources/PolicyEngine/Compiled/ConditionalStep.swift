internal import Configuration
internal import Primitives

/// The policies of a step that have a `when`, which is asked of each request.
final class ConditionalStep: Sendable {
  typealias Entry = TenantPlan.Entry

  /// In the order of the policies' names.
  let enforced: [Entry]
  let warned: [Entry]
  /// The policies of both, the enforced ones first.
  let policies: LentObjects<BoundPolicy>
  /// What the enforced ones may put in, and for each of that the place of its policy.
  let filling: LentObjects<TenantPlan.Filler>
  let fillers: [Int]
  /// Whether an enforced one may change something.
  let changes: Bool
  /// Whether it matters which of them hold, even to a request that keeps all their rules.
  let mustAsk: Bool
  /// All enforced ones as if each `when` held; `nil`: not worth making.
  let merged: MergedChecks?

  init(_ entries: [Entry], as governance: Governance, merges: Bool, _ cache: PatternCache) {
    enforced = entries.filter { $0.policy.mode == .enforce }
    warned = entries.filter { $0.policy.mode == .warn }
    policies = LentObjects((enforced + warned).map(\.policy))
    let fillings = enforced.enumerated().flatMap { place, entry in
      (entry.fills ? entry.policy.fillings : []).filter { $0.applies(to: governance) }.map {
        (place, TenantPlan.Filler(policy: entry.policy, filling: $0))
      }
    }
    filling = LentObjects(fillings.map(\.1))
    fillers = fillings.map(\.0)
    changes = enforced.contains { $0.fills || $0.clamps }
    mustAsk = changes || !warned.isEmpty
    // What tags are guarded hangs on more than the rules on tags.
    let isMerged = merges && !enforced.isEmpty && governance != .tagUser && governance != .untagUser
    merged = isMerged ? MergedChecks(enforced, as: governance, cache) : nil
  }
}

/// For each policy with a `when` whether it holds: those that are enforced, then those that warn.
struct HeldPolicies: Sendable {
  private var first: UInt64 = 0
  /// Of those beyond the 64th.
  private var rest: [Bool] = []

  mutating func append(_ holds: Bool, at index: Int) {
    if index < 64 {
      first |= (holds ? 1 : 0) &<< UInt64(index)
    } else {
      rest.append(holds)
    }
  }

  func contains(_ index: Int) -> Bool {
    index < 64 ? first &>> UInt64(index) & 1 == 1 : rest[index - 64]
  }
}
