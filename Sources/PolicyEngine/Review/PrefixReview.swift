internal import Configuration
internal import Primitives
internal import StrictJSON

/// Tenants whose prefixes begin those of others. They are kept apart, but hardly anybody means it so.
struct PrefixReview {
  private(set) var problems: [Problem] = []

  init(_ prefixes: OwnedPrefixes, _ tenants: [TenantFacts]) {
    for tenant in tenants {
      let rivals = prefixes.rivals(of: tenant)
      guard let first = rivals.first, let position = first.policy.appInstanceUserId?.prefix?.position else {
        continue
      }
      let others = rivals.prefix(Self.shown).map {
        "`\($0.owned.shown)` of tenant `\(MessageText.shown($0.owned.owner))`"
      }
      let more = rivals.count > Self.shown ? " and \(rivals.count - Self.shown) more" : ""
      problems.append(
        first.policy.problem(
          at: position, severity: .warning, isAboutTenants: true,
          "the prefix `\(first.wide.shown)` of tenant `\(MessageText.shown(tenant.id))` begins"
            + " \(others.joined(separator: ", "))\(more), in an AppInstance that is theirs as well; ids that start so are"
            + " refused to `\(MessageText.shown(tenant.id))`. Expected prefixes none of which begins another")
      )
    }
  }

  private static let shown = 3
}

extension OwnedPrefixes.Owned {
  fileprivate var shown: String { template.shown }
}

extension BoundTemplate {
  /// For messages: what comes from the request as it is written.
  fileprivate var shown: String {
    MessageText.shown(
      pieces.reduce(Text("")) { text, piece in
        switch piece {
        case .written(let part), .literal(let part): text + part
        case .appInstanceID: text + "${request.appInstanceId}"
        }
      })
  }
}
