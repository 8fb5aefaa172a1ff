internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

/// Compares policies as `PolicyReview` does where templates stand in keys of tags: what these come to, and so which
/// policies are about the same tag, only a tenant decides.
struct TenantKeyReview {
  private(set) var problems: [Problem] = []

  /// Comparing all policies with all others for each of many tenants would take seconds, at each load.
  private static let mostComparisons = 2_000_000

  /// - Parameter known: is not said again.
  init(_ policies: [CompiledPolicy], _ tenants: [TenantFacts], known: [Problem]) {
    let templated = policies.filter { $0.document.hasTemplatesInKeys }
    let concerned = tenants.filter { tenant in templated.contains { $0.matches(tenant) } }
    let most = max(1, Self.mostComparisons / (policies.count * policies.count))
    var said = Set(known)
    var places: Set<Place> = []
    for tenant in concerned.prefix(most) {
      let matching = policies.filter { $0.matches(tenant) }
      let resolved = matching.map { CompiledPolicy($0.document.comparable(for: tenant)) }
      for problem in PolicyReview.comparisons(of: resolved, [tenant]) where said.insert(problem).inserted {
        // What is wrong for many tenants is said of the first.
        guard places.insert(Place(problem)).inserted else { continue }
        problems.append(
          Problem(
            file: problem.file, position: problem.position, severity: problem.severity,
            isAboutTenants: problem.isAboutTenants,
            message: "\(problem.message) (for tenant `\(MessageText.shown(tenant.id))`)"))
      }
    }
  }

  private struct Place: Hashable {
    let file: String
    let line: Int
    let column: Int
    let severity: Problem.Severity

    init(_ problem: Problem) {
      file = problem.file
      line = problem.position.line
      column = problem.position.column
      severity = problem.severity
    }
  }
}

extension PolicyDocument {
  /// As it is for a tenant. What hangs on the AppInstance, too, is left out: nothing can be said of it here.
  fileprivate func comparable(for tenant: TenantFacts) -> PolicyDocument {
    var copy = resolved(for: TemplateValues(tenant: tenant, appInstanceID: nil))
    if copy.tags?.allowedKeysFailure != nil { copy.tags?.allowedKeys = nil }
    return copy
  }
}
