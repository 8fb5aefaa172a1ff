internal import ChimeIdentity
internal import Patterns
package import Primitives
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
  private let boundExceptions = Mutex<TenantExceptions?>(nil)

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
  func prepare() {
    for governance in Governance.allCases { _ = step(for: nil, as: governance) }
    _ = exceptions
  }

  /// `nil`: there are none for anybody.
  var exceptions: TenantExceptions? {
    guard !compiled.exceptions.isEmpty else { return nil }
    return boundExceptions.withLock { known in
      if let known { return known }
      let bound = TenantExceptions(compiled.exceptions, facts)
      known = bound
      return bound
    }
  }

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
  ///
  /// - Parameter now: until when exceptions hold; without it none does.
  package func decide(_ request: inout GovernedRequest, at now: WallClockTime = .never) -> Decision {
    var decision = Decision()
    evaluate(&request, at: now, &decision)
    return decision
  }

  func evaluate(
    _ request: inout GovernedRequest, at now: WallClockTime = .never, _ recorder: inout some VerdictRecorder
  ) {
    applyAll(to: &request, &recorder)
    if let exceptions { recorder.soften(by: exceptions, request, at: now) }
  }

  private func applyAll(to request: inout GovernedRequest, _ recorder: inout some VerdictRecorder) {
    if let governance = request.governance, let step = step(for: request.appInstanceArn, as: governance) {
      applyPolicies(step, to: &request, as: governance, &recorder)
    }
    // After all changes of policies, so that what these put in is held to tag policies too.
    guard !compiled.tagPolicies.isEmpty, let tagging = request.tagging else { return }
    for policy in compiled.tagPolicies { policy.check(request, tagging, &recorder) }
  }
}

extension WallClockTime {
  /// Later than any exception ends.
  package static let never = WallClockTime(nanoseconds: .max)
}
