internal import ChimeIdentity
internal import Configuration
internal import Primitives
internal import StrictJSON

/// Looks for templates of one policy that have no value for some tenant which the policy matches.
///
/// Sets may have thousands of templates and of tenants, so what a template needs of all tenants is worked out once
/// for each fact, not once for each template.
struct TemplateReview {
  /// What is known of one fact over all tenants that matter.
  private struct Survey {
    var lacking: [TenantFacts] = []
    /// In Unicode scalars, over the tenants that have it.
    var shortest = Int.max
    var longest = 0
  }

  private let tenants: [TenantFacts]
  private var surveys: [Template.Fact: Survey] = [:]

  /// - Parameter tenants: those that the policy matches.
  init(for tenants: [TenantFacts]) { self.tenants = tenants }

  /// Why the template has no value for some of the tenants, or `nil`.
  mutating func fault(of template: Template, as use: PlacedTemplate.Use) -> String? {
    for label in template.labels {
      let lacking = survey(.tenantLabel(label)).lacking
      guard lacking.isEmpty else {
        return
          "`${tenant.labels.\(MessageText.shown(label))}` has no value for \(MessageText.names(of: lacking))"
      }
    }
    return switch use {
    case .text: nil
    case .tagValue: lengthFault(of: template, Unresolved.tagValueLength, Unresolved.tagValueLimits)
    case .tagKey: lengthFault(of: template, ModelLimits.tagKey, Unresolved.tagKeyLimits)
    }
  }

  private mutating func lengthFault(
    of template: Template, _ possible: ClosedRange<Int>, _ limits: String
  ) -> String? {
    guard template.needsTenant else {
      let length = length(of: template, for: nil)
      return possible.contains(length) ? nil : "\(limits), and this has \(length)"
    }
    guard !tenants.isEmpty, !surelyFits(template, possible) else { return nil }
    let unfit = tenants.filter { !possible.contains(length(of: template, for: $0)) }
    return unfit.isEmpty
      ? nil : "\(limits), which this does not have for \(MessageText.names(of: unfit))"
  }

  private mutating func surelyFits(_ template: Template, _ possible: ClosedRange<Int>) -> Bool {
    var shortest = 0
    var longest = 0
    for piece in template.pieces {
      switch piece {
      case .fact(let fact) where fact != .appInstanceID:
        let survey = survey(fact)
        shortest += survey.shortest
        longest += survey.longest
      case .fact, .written:
        shortest += length(of: piece, for: nil)
        longest += length(of: piece, for: nil)
      }
    }
    return shortest >= possible.lowerBound && longest <= possible.upperBound
  }

  private func length(of template: Template, for tenant: TenantFacts?) -> Int {
    template.pieces.reduce(0) { sum, piece in sum + length(of: piece, for: tenant) }
  }

  /// In scalars. An AppInstance's id is not known here; it has one at least.
  private func length(of piece: Template.Piece, for tenant: TenantFacts?) -> Int {
    switch piece {
    case .written(let text): text.scalarCount
    case .fact(.appInstanceID): 1
    case .fact(.tenantID): tenant?.id.scalarCount ?? 0
    case .fact(.tenantLabel(let name)): tenant?.labels[name]?.scalarCount ?? 0
    }
  }

  private mutating func survey(_ fact: Template.Fact) -> Survey {
    if let known = surveys[fact] { return known }
    var survey = Survey()
    for tenant in tenants {
      if case .tenantLabel(let name) = fact, tenant.labels[name] == nil {
        survey.lacking.append(tenant)
        continue
      }
      let length = length(of: .fact(fact), for: tenant)
      survey.shortest = min(survey.shortest, length)
      survey.longest = max(survey.longest, length)
    }
    surveys[fact] = survey
    return survey
  }
}
