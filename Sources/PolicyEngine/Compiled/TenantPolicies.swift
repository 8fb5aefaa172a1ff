internal import ChimeIdentity
internal import Patterns
internal import Primitives
internal import Synchronization

/// What the policies of a set say about one tenant's requests, and what the tenant may do at all. Whoever serves requests
/// looks it up once a snapshot and keeps it.
package final class TenantPolicies: Sendable {
  package let facts: TenantFacts
  let compiled: CompiledPolicies
  let knownAppInstances: KnownAppInstances
  /// A bit for each operation that the tenant may call.
  private let operations: UInt64
  /// Made when the tenant first calls: most of many tenants are quiet, and a set must be compiled and swapped quickly.
  private let plan = Mutex<TenantPlan?>(nil)

  init(_ facts: TenantFacts, _ compiled: CompiledPolicies) {
    self.facts = facts
    self.compiled = compiled
    knownAppInstances = KnownAppInstances(facts.appInstances)
    var bits: UInt64 = 0
    for operation in Operation.allCases where facts.operations?.contains(operation.name) ?? true {
      bits |= 1 << UInt64(operation.rawValue)
    }
    operations = bits
  }

  /// Makes the plan and its steps, except where these hang on the AppInstance.
  func prepare() { for governance in Governance.allCases { _ = step(for: nil, as: governance) } }

  func mayCall(_ operation: Operation) -> Bool { operations >> UInt64(operation.rawValue) & 1 == 1 }

  /// - Parameter appInstance: `nil`: only a step that is the same for all is wanted.
  private func step(for appInstance: Span<UInt8>?, as governance: Governance) -> TenantPlan.Step? {
    plan.withLock { known in
      if known == nil {
        known = TenantPlan(
          compiled.policies, for: facts, rivals: compiled.prefixes.rivals(of: facts).map(\.owned),
          compiled.patterns)
      }
      return known?.step(for: appInstance, as: governance)
    }
  }
}

extension TenantPolicies {
  /// Makes all changes, then holds all rules against the changed request, which is what would be forwarded.
  package func decide(_ request: inout GovernedRequest) -> Decision {
    var decision = Decision()
    evaluate(&request, &decision)
    return decision
  }

  func evaluate(_ request: inout GovernedRequest, _ recorder: inout some VerdictRecorder) {
    if let governance = request.governance { applyPolicies(to: &request, as: governance, &recorder) }
    // After all changes of policies, so that what these put in is held to tag policies too.
    guard !compiled.tagPolicies.isEmpty, let tagging = request.tagging else { return }
    for policy in compiled.tagPolicies { policy.check(request, tagging, &recorder) }
  }

  private func applyPolicies(
    to request: inout GovernedRequest, as governance: Governance, _ recorder: inout some VerdictRecorder
  ) {
    guard let step = step(for: request.appInstanceArn, as: governance) else { return }
    for index in step.filling.indices {
      step.filling.with(index) { $0.policy.fill($0.filling, &request, &recorder) }
    }
    for entry in step.clamping { entry.policy.clamp(&request, as: governance, &recorder) }
    if !step.enforced.isEmpty {
      let parts = Self.doubtful(step.merged, request, recorder)
      if !parts.isEmpty {
        for entry in step.enforced { Self.check(request, entry, parts, as: governance, &recorder) }
      }
    }
    if !step.warned.isEmpty { tryWarned(step, on: request, as: governance, &recorder) }
  }

  /// What each `warn` policy would do if it alone were promoted: its own defaults count for its own rules.
  private func tryWarned(
    _ step: TenantPlan.Step, on request: borrowing GovernedRequest, as governance: Governance,
    _ recorder: inout some VerdictRecorder
  ) {
    let parts = Self.doubtful(step.mergedWarned, request, recorder)
    for entry in step.warned {
      guard entry.fills || entry.clamps else {
        Self.check(request, entry, parts, as: governance, &recorder)
        continue
      }
      var copy = request.copy()
      if entry.fills { entry.policy.fill(&copy, as: governance, &recorder) }
      if entry.clamps { entry.policy.clamp(&copy, as: governance, &recorder) }
      Self.check(copy, entry, .all, as: governance, &recorder)
    }
  }

  /// The parts that each policy must look at for itself.
  private static func doubtful(
    _ merged: MergedChecks?, _ request: borrowing GovernedRequest, _ recorder: some VerdictRecorder
  ) -> CheckedParts {
    guard let merged, !recorder.recordsKeptRules else { return .all }
    return CheckedParts.all.subtracting(merged.kept(by: request))
  }

  private static func check(
    _ request: borrowing GovernedRequest, _ entry: TenantPlan.Entry, _ parts: CheckedParts,
    as governance: Governance, _ recorder: inout some VerdictRecorder
  ) {
    if !entry.isGuardOnly {
      entry.policy.check(request, parts, as: governance, &recorder)
    } else if let tags = entry.policy.tags, parts.contains(.tags) {
      entry.policy.protect(tags, in: request, as: governance, &recorder)
    }
  }
}
