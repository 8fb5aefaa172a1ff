package import Configuration
package import Primitives

/// All policies of a folder, compiled. Immutable, and the same for the same documents in any order.
package final class PolicySet: Sendable {
  let compiled: CompiledPolicies
  private let tenants: [Text: TenantPolicies]

  /// In the order of their names, which is the order in which they change requests.
  var policies: [CompiledPolicy] { compiled.policies }
  var tagPolicies: [CompiledTagPolicy] { compiled.tagPolicies }

  /// Compiles the documents and looks for what cannot be right about them together or for one of the tenants. A set
  /// with errors among its problems is not to be put in force, unless all of them are about certain tenants only.
  package static func compile(
    documents: [PolicyDocument], exceptions: [ExceptionDocument] = [], tenants: [TenantFacts]
  ) -> (PolicySet, [Problem]) {
    let set = PolicySet(documents, exceptions, tenants)
    let problems =
      PolicyReview(set.policies, tenants).problems + PrefixReview(set.compiled.prefixes, tenants).problems
      + TagPolicyReview(set.policies, set.tagPolicies).problems
      + ExceptionReview(exceptions, policies: documents).problems
    return (set, problems.withoutRepeats)
  }

  /// Warnings about rules that can hardly be meant and patterns that run into their bound. Looking for them takes
  /// milliseconds each, which a gateway that loads policies does not have; whoever reads about problems does.
  package var advice: [Problem] {
    let live = policies.filter { $0.document.mode != .off }
    let tenants = tenants.values.map(\.facts).sorted { $0.id < $1.id }
    let problems =
      UnknownTenants(live, tenants).problems + UselessRules(live, tenants).problems
      + CostlyPatterns(live).problems
    return problems.withoutRepeats
  }

  private init(_ documents: [PolicyDocument], _ exceptions: [ExceptionDocument], _ tenants: [TenantFacts]) {
    let compiled = CompiledPolicies(documents, exceptions, tenants)
    self.compiled = compiled
    self.tenants = Dictionary(
      tenants.map { ($0.id, TenantPolicies($0, compiled)) }, uniquingKeysWith: { first, _ in first })
  }

  /// Plans ahead for some tenants, each under other policies than those before: what tenants share, compiled patterns
  /// above all, is then there before the first request. For whoever puts a set in force, on a thread that has the time.
  package func prepare() {
    var seen: Set<[Bool]> = []
    for tenant in tenants.values.prefix(1000) where seen.count < 8 {
      guard seen.insert(policies.map { $0.matches(tenant.facts) }).inserted else { continue }
      tenant.prepare()
    }
  }

  /// What the policies say about a tenant's requests; to be looked up once and kept. `explain`, tests and replays may ask
  /// about one that no file has, or with other labels.
  package func policies(for tenant: TenantFacts) -> TenantPolicies {
    if let known = tenants[tenant.id], known.facts == tenant { return known }
    return TenantPolicies(tenant, compiled)
  }

  /// Whether what they say about a tenant's requests may hang on the tenant's labels.
  package func needLabels(of tenant: Text) -> Bool {
    if compiled.exceptions.contains(where: \.needsLabels) { return true }
    return policies.contains { policy in
      policy.document.mode != .off && policy.document.match.tenants.admits(tenant)
        && policy.document.needsLabels
    }
  }
}

extension [Problem] {
  /// What is wrong with a policy that has parts of two modes shows in each of them.
  fileprivate var withoutRepeats: [Problem] {
    var seen: Set<Problem> = []
    return filter { seen.insert($0).inserted }
  }
}

/// What the tenants of a set have in common.
final class CompiledPolicies: Sendable {
  /// In the order of their names.
  let policies: [CompiledPolicy]
  /// In the order of their names; they change nothing.
  let tagPolicies: [CompiledTagPolicy]
  let patterns = PatternCache()
  let prefixes: OwnedPrefixes
  /// In the order of their names.
  let exceptions: [ExceptionDocument]

  init(_ documents: [PolicyDocument], _ exceptions: [ExceptionDocument], _ tenants: [TenantFacts]) {
    self.exceptions = exceptions.sorted { $0.name.value < $1.name.value }
    let sorted = documents.flatMap(\.parts).sorted {
      ($0.name.value, $0.mode == .enforce ? 0 : 1, $0.file)
        < ($1.name.value, $1.mode == .enforce ? 0 : 1, $1.file)
    }
    policies = sorted.filter { $0.tagPolicy == nil }.map(CompiledPolicy.init)
    tagPolicies = sorted.compactMap(CompiledTagPolicy.init)
    prefixes = OwnedPrefixes(policies, tenants)
  }
}
