internal import ChimeIdentity
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
    problems += Bypasses(live).problems
    let comparable = live.filter { !$0.document.hasTemplatesInKeys }
    problems += Self.comparisons(of: comparable, tenants)
    if comparable.count < live.count { problems += TenantKeyReview(live, tenants, known: problems).problems }
  }

  /// What comes of holding policies against each other and against themselves, key by key.
  static func comparisons(of policies: [CompiledPolicy], _ tenants: [TenantFacts]) -> [Problem] {
    PolicyConflicts(policies).problems + SelfContradictions(policies, tenants).problems
      + Contradictions(policies).problems + WhenReview(policies).problems
  }

  /// What a policy puts in must be what the service model lets a request have.
  private mutating func reviewLimits(of document: PolicyDocument) {
    let keys = (document.tags?.required ?? []).map(\.key) + (document.tags?.set ?? []).map(\.key)
    for key in keys where !key.value.hasTemplate && !ModelLimits.tagKey.contains(key.value.scalarCount) {
      problems.append(
        document.problem(
          at: key.position,
          "the key of a tag must have \(MessageText.range(ModelLimits.tagKey, "character")), and this has \(key.value.scalarCount)"
        ))
    }
    if let days = document.expiration?.defaultDays, !ModelLimits.expirationDays.contains(days.value) {
      problems.append(
        document.problem(
          at: days.position,
          "ExpirationDays must be \(ModelLimits.expirationDays.lowerBound) to"
            + " \(ModelLimits.expirationDays.upperBound), and the default is \(days.value)"))
    }
  }

  private mutating func reviewTemplates(of policy: CompiledPolicy, _ tenants: [TenantFacts]) {
    let templates = policy.document.templates
    guard !templates.isEmpty else { return }
    var review = TemplateReview(for: tenants.filter { policy.canMeet($0, in: Governance.allCases) })
    for placed in templates {
      // One that cannot be read is the loader's to refuse.
      guard let template = placed.template,
        let message = review.fault(of: template, as: placed.use)
      else { continue }
      problems.append(
        policy.document.problem(at: placed.position, isAboutTenants: template.needsTenant, message))
    }
  }
}

extension PolicyDocument {
  func problem(
    at position: SourcePosition, severity: Problem.Severity = .error, isAboutTenants: Bool = false,
    _ message: String
  ) -> Problem {
    Problem(
      file: file, position: position, severity: severity, isAboutTenants: isAboutTenants, message: message)
  }
}
