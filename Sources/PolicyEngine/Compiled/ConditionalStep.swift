internal import Configuration

/// The policies of a step that have a `when`, which is asked of each request.
final class ConditionalStep: Sendable {
  typealias Entry = TenantPlan.Entry

  /// In the order of the policies' names.
  let enforced: [Entry]
  let warned: [Entry]
  /// Both, the enforced ones first.
  let all: [Entry]
  /// Whether an enforced one may change something.
  let changes: Bool
  /// All enforced ones as if each `when` held; `nil`: whether they hold must be known anyway, or it is not worth making.
  let merged: MergedChecks?

  init(_ entries: [Entry], as governance: Governance, merges: Bool, _ cache: PatternCache) {
    enforced = entries.filter { $0.policy.mode == .enforce }
    warned = entries.filter { $0.policy.mode == .warn }
    all = enforced + warned
    changes = enforced.contains { $0.fills || $0.clamps }
    // What tags are guarded hangs on more than the rules on tags.
    let isMerged = merges && !changes && warned.isEmpty && governance != .tagUser && governance != .untagUser
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
