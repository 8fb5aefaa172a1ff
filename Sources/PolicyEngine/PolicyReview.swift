internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

/// Looks for what cannot be right about policies that the loader found well-formed: values that the service would
/// refuse, templates that have none for a tenant, policies that contradict each other or themselves.
struct PolicyReview {
  private(set) var problems: [Problem] = []

  init(_ policies: [CompiledPolicy], _ tenants: [TenantFacts]) {
    let live = policies.filter { $0.document.mode != .off }
    for policy in live {
      reviewLimits(of: policy.document)
      reviewTemplates(of: policy, tenants)
    }
    problems += PolicyConflicts(live).problems
    problems += Contradictions(live).problems
  }

  /// What a policy puts in must be what the service model lets a request have.
  private mutating func reviewLimits(of document: PolicyDocument) {
    let keys = (document.tags?.required ?? []).map(\.key) + (document.tags?.set ?? []).map(\.key)
    for key in keys where !(1...128).contains(key.value.scalarCount) {
      problems.append(
        document.problem(
          at: key.position,
          "the key of a tag must have 1 to 128 characters, and this has \(key.value.scalarCount)"))
    }
    if let days = document.expiration?.defaultDays, days.value > 5475 {
      problems.append(
        document.problem(
          at: days.position, "ExpirationDays must be 1 to 5475, and the default is \(days.value)"))
    }
  }

  private mutating func reviewTemplates(of policy: CompiledPolicy, _ tenants: [TenantFacts]) {
    let templates = policy.document.templates
    guard !templates.isEmpty else { return }
    let matching = tenants.filter(policy.matches)
    for placed in templates {
      // One that cannot be read is the loader's to refuse.
      guard let template = placed.template, let message = Self.fault(of: template, placed, for: matching)
      else { continue }
      problems.append(policy.document.problem(at: placed.position, message))
    }
  }

  /// Why the template has no value for some of the tenants, or `nil`.
  private static func fault(
    of template: Template, _ placed: PlacedTemplate, for tenants: [TenantFacts]
  ) -> String? {
    for label in template.labels {
      let lacking = tenants.filter { $0.labels[label] == nil }
      guard lacking.isEmpty else {
        return "`${tenant.labels.\(Wording.shown(label))}` has no value for \(names(of: lacking))"
      }
    }
    guard placed.isTagValue else { return nil }
    guard template.needsTenant else {
      // The length that comes from the request is not known here; a template without it is the same for all.
      let value = BoundTemplate(template, for: TenantFacts(id: "")).constant
      return value.flatMap { fits($0) ? nil : "\(Unresolved.tagValueLimits), and this has \($0.scalarCount)" }
    }
    let unfit = tenants.filter { tenant in
      BoundTemplate(template, for: tenant).constant.map { !fits($0) } ?? false
    }
    return unfit.isEmpty
      ? nil : "\(Unresolved.tagValueLimits), which this does not have for \(names(of: unfit))"
  }

  private static func fits(_ value: Text) -> Bool { (1...256).contains(value.scalarCount) }

  private static func names(of tenants: [TenantFacts]) -> String {
    "tenant\(tenants.count == 1 ? "" : "s") \(Wording.list(tenants.map { Wording.shown($0.id) }))"
  }
}

extension PolicyDocument {
  func problem(
    at position: SourcePosition, severity: Problem.Severity = .error, _ message: String
  ) -> Problem {
    Problem(file: file, position: position, severity: severity, message: message)
  }
}
