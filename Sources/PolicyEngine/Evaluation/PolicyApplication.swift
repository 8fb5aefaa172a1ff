internal import Primitives

// The order in which policies have their say: docs/policy-semantics.md, section 5.
extension TenantPolicies {
  func applyPolicies(
    _ step: TenantPlan.Step, to request: inout GovernedRequest, as governance: Governance,
    _ recorder: inout some VerdictRecorder
  ) {
    for index in step.filling.indices {
      step.filling.with(index) { $0.policy.fill($0.filling, &request, &recorder) }
    }
    for entry in step.clamping { entry.policy.clamp(&request, as: governance, &recorder) }
    if let conditional = step.conditional {
      return applyConditional(conditional, step, to: &request, as: governance, &recorder)
    }
    checkEnforced(step, request, as: governance, &recorder)
    if !step.warned.isEmpty { tryWarned(step, on: request, as: governance, &recorder) }
  }

  /// What goes on behind the first changes where policies have a `when`.
  private func applyConditional(
    _ conditional: ConditionalStep, _ step: TenantPlan.Step, to request: inout GovernedRequest,
    as governance: Governance, _ recorder: inout some VerdictRecorder
  ) {
    // A request that keeps all their rules need not be asked which of them hold, unless that changes something.
    var parts = conditional.mustAsk ? .all : Self.doubtful(conditional.merged, request, recorder)
    let held = parts.isEmpty ? HeldPolicies() : ask(conditional, about: request, as: governance, &recorder)
    if conditional.changes, let exceptions, exceptions.ask {
      recorder.exceptionAnswers = exceptions.answers(to: request, hiding: recorder.hiddenFacts)
    }
    if conditional.changes { change(conditional, step, held, &request, as: governance, &recorder) }
    checkEnforced(step, request, as: governance, &recorder)
    if conditional.mustAsk { parts = Self.doubtful(conditional.merged, request, recorder) }
    if !parts.isEmpty {
      for (index, entry) in conditional.enforced.enumerated() {
        Self.check(request, entry, parts, holds: held.contains(index), as: governance, &recorder)
      }
    }
    if !step.warned.isEmpty { tryWarned(step, on: request, as: governance, &recorder) }
    for (index, entry) in conditional.warned.enumerated() {
      let holds = held.contains(conditional.enforced.count + index)
      tryWarned(entry, .all, holds: holds, on: request, as: governance, &recorder)
    }
  }

  /// Asks each `when` once. What is not known counts as held, so that nothing gets round a policy by another call.
  private func ask(
    _ conditional: ConditionalStep, about request: borrowing GovernedRequest, as governance: Governance,
    _ recorder: inout some VerdictRecorder
  ) -> HeldPolicies {
    var held = HeldPolicies()
    let hidden = recorder.hiddenFacts
    for index in conditional.policies.indices {
      let truth = conditional.policies.with(index) { policy in
        let truth = policy.when?.judge(request, as: governance, hiding: hidden) ?? .holds
        recorder.asked(policy, truth, request, as: governance)
        return truth
      }
      held.append(truth != .fails, at: index)
    }
    return held
  }

  private func change(
    _ conditional: ConditionalStep, _ step: TenantPlan.Step, _ held: HeldPolicies,
    _ request: inout GovernedRequest, as governance: Governance, _ recorder: inout some VerdictRecorder
  ) {
    for index in conditional.filling.indices where held.contains(conditional.fillers[index]) {
      conditional.filling.with(index) { $0.policy.fill($0.filling, &request, &recorder) }
    }
    for entry in step.clamping { entry.policy.clamp(&request, as: governance, &recorder) }
    for (index, entry) in conditional.enforced.enumerated() where entry.clamps && held.contains(index) {
      entry.policy.clamp(&request, as: governance, &recorder)
    }
  }

  private func checkEnforced(
    _ step: TenantPlan.Step, _ request: borrowing GovernedRequest, as governance: Governance,
    _ recorder: inout some VerdictRecorder
  ) {
    guard !step.enforced.isEmpty else { return }
    let parts = Self.doubtful(step.merged, request, recorder)
    guard !parts.isEmpty else { return }
    for entry in step.enforced { Self.check(request, entry, parts, as: governance, &recorder) }
  }

  private func tryWarned(
    _ step: TenantPlan.Step, on request: borrowing GovernedRequest, as governance: Governance,
    _ recorder: inout some VerdictRecorder
  ) {
    let parts = Self.doubtful(step.mergedWarned, request, recorder)
    for entry in step.warned { tryWarned(entry, parts, on: request, as: governance, &recorder) }
  }

  /// What a `warn` policy would do if it alone were promoted: its own defaults count for its own rules.
  private func tryWarned(
    _ entry: TenantPlan.Entry, _ parts: CheckedParts, holds: Bool = true,
    on request: borrowing GovernedRequest,
    as governance: Governance, _ recorder: inout some VerdictRecorder
  ) {
    guard holds, entry.fills || entry.clamps else {
      return Self.check(request, entry, parts, holds: holds, as: governance, &recorder)
    }
    var copy = request.copy()
    if entry.fills { entry.policy.fill(&copy, as: governance, &recorder) }
    if entry.clamps { entry.policy.clamp(&copy, as: governance, &recorder) }
    Self.check(copy, entry, .all, as: governance, &recorder)
  }

  /// The parts that each policy must look at for itself.
  private static func doubtful(
    _ merged: MergedChecks?, _ request: borrowing GovernedRequest, _ recorder: some VerdictRecorder
  ) -> CheckedParts {
    guard let merged, !recorder.recordsKeptRules else { return .all }
    return CheckedParts.all.subtracting(merged.kept(by: request))
  }

  /// - Parameter holds: whether the policy's `when` does. Otherwise it only guards what it sets and what it asks for.
  private static func check(
    _ request: borrowing GovernedRequest, _ entry: TenantPlan.Entry, _ parts: CheckedParts,
    holds: Bool = true, as governance: Governance, _ recorder: inout some VerdictRecorder
  ) {
    if holds, !entry.isGuardOnly {
      entry.policy.check(request, parts, as: governance, &recorder)
    } else if parts.contains(.tags) {
      entry.policy.protect(request, as: governance, requiring: holds, &recorder)
    }
  }
}
