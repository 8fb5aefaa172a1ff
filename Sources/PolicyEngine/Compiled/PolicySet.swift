package import Configuration
package import Primitives

/// All policies of a folder, compiled. Immutable, and the same for the same documents in any order.
package final class PolicySet: Sendable {
  /// In the order of their names, which is the order in which they change requests.
  let policies: [CompiledPolicy]
  /// In the order of their names; they change nothing.
  let tagPolicies: [CompiledTagPolicy]
  private let tenants: [Text: KnownTenant]
  private let shelf = PatternShelf()

  /// Compiles the documents and looks for what cannot be right about them together or for one of the tenants. A set
  /// with errors among its problems is not to be put in force, unless all of them are about certain tenants only.
  package static func compile(
    documents: [PolicyDocument], tenants: [TenantFacts]
  ) -> (PolicySet, [Problem]) {
    let set = PolicySet(documents, tenants)
    return (
      set,
      PolicyReview(set.policies, tenants).problems + TagPolicyReview(set.policies, set.tagPolicies).problems
    )
  }

  /// Warnings about patterns that run into their bound. Trying them takes milliseconds each, which a gateway that loads
  /// policies does not have; whoever reads about problems does.
  package var costlyPatterns: [Problem] {
    CostlyPatterns(policies.filter { $0.document.mode != .off }).problems
  }

  private convenience init(_ documents: [PolicyDocument], _ tenants: [TenantFacts]) {
    let sorted = documents.sorted { ($0.name.value, $0.file) < ($1.name.value, $1.file) }
    self.init(
      policies: sorted.filter { $0.tagPolicy == nil }.map(CompiledPolicy.init),
      tagPolicies: sorted.compactMap(CompiledTagPolicy.init), tenants)
  }

  private init(policies: [CompiledPolicy], tagPolicies: [CompiledTagPolicy], _ tenants: [TenantFacts]) {
    self.policies = policies
    self.tagPolicies = tagPolicies
    self.tenants = Dictionary(
      tenants.map { ($0.id, KnownTenant($0)) }, uniquingKeysWith: { first, _ in first })
  }

  /// Plans ahead for some tenants, each under other policies than those before: what tenants share, compiled patterns
  /// above all, is then there before the first request. For whoever puts a set in force, on a thread that has the time.
  package func prepare() {
    var seen: Set<[Bool]> = []
    for tenant in tenants.values.prefix(1000) where seen.count < 8 {
      guard seen.insert(policies.map { $0.matches(tenant.facts) }).inserted else { continue }
      tenant.plan(from: policies, shelf).prepare()
    }
  }

  /// The same policies for one tenant that no file has.
  package func forTenant(_ tenant: TenantFacts) -> PolicySet {
    PolicySet(policies: policies, tagPolicies: tagPolicies, [tenant])
  }

  /// Whether what they say about a tenant's requests may hang on the tenant's labels.
  package func needLabels(of tenant: Text) -> Bool {
    policies.contains { policy in
      policy.document.mode != .off && policy.matches(TenantFacts(id: tenant))
        && policy.document.templates.contains { !($0.template?.labels ?? []).isEmpty }
    }
  }

  /// Makes all changes, then holds all rules against the changed request, which is what would be forwarded.
  package func decide(_ request: inout GovernedRequest, tenant: TenantFacts) -> Decision {
    var recorder = DecisionRecorder()
    evaluate(&request, for: tenant, &recorder)
    return recorder.decision
  }

  func evaluate(
    _ request: inout GovernedRequest, for tenant: TenantFacts, _ recorder: inout some VerdictRecorder
  ) {
    if let governance = request.governance {
      applyPolicies(to: &request, as: governance, for: tenant, &recorder)
    }
    checkTagPolicies(request, &recorder)
  }

  private func applyPolicies(
    to request: inout GovernedRequest, as governance: Governance, for tenant: TenantFacts,
    _ recorder: inout some VerdictRecorder
  ) {
    let step = plan(for: tenant).step(for: request, as: governance)
    for filler in step.filling { filler.policy.fill(filler.filling, &request, &recorder) }
    for entry in step.clamping { entry.policy.clamp(&request, as: governance, &recorder) }
    let parts = Self.doubtful(step.merged, request, recorder)
    if !parts.isEmpty {
      for entry in step.enforced { Self.check(request, entry, parts, as: governance, &recorder) }
    }
    guard !step.warned.isEmpty else { return }
    let warnedParts = Self.doubtful(step.mergedWarned, request, recorder)
    for entry in step.warned {
      guard entry.fills || entry.clamps else {
        Self.check(request, entry, warnedParts, as: governance, &recorder)
        continue
      }
      // What the policy would do if it alone were promoted: its own defaults count for its own rules.
      var copy = request
      if entry.fills { entry.policy.fill(&copy, as: governance, &recorder) }
      if entry.clamps { entry.policy.clamp(&copy, as: governance, &recorder) }
      Self.check(copy, entry, .all, as: governance, &recorder)
    }
  }

  /// The parts that each policy must look at for itself.
  private static func doubtful(
    _ merged: MergedChecks?, _ request: GovernedRequest, _ recorder: some VerdictRecorder
  ) -> CheckedParts {
    guard let merged, !recorder.recordsKeptRules else { return .all }
    return CheckedParts.all.subtracting(merged.kept(by: request))
  }

  private static func check(
    _ request: GovernedRequest, _ entry: TenantPlan.Entry, _ parts: CheckedParts, as governance: Governance,
    _ recorder: inout some VerdictRecorder
  ) {
    if !entry.isGuardOnly {
      entry.policy.check(request, parts, as: governance, &recorder)
    } else if let tags = entry.policy.tags, parts.contains(.tags) {
      entry.policy.protect(tags, in: request, as: governance, &recorder)
    }
  }

  private func plan(for tenant: TenantFacts) -> TenantPlan {
    // `explain` and policy tests may ask about tenants that no file has, or with other labels.
    guard let known = tenants[tenant.id], known.facts.labels == tenant.labels else {
      return TenantPlan(policies, for: tenant, shelf)
    }
    return known.plan(from: policies, shelf)
  }
}
