internal import Configuration
internal import Primitives

extension Explanation {
  /// What the request had in the field of a verdict, as the policy saw it; `nil`: nothing. Metadata is not repeated.
  package func given(to verdict: RuleVerdict, in report: PolicyReport) -> String? {
    if report.mode == .warn, let change = report.changes.last(where: { $0.field == verdict.field }) {
      return "`\(Wording.shown(change.to))`"
    }
    switch verdict.field {
    case FieldName.userID: return request.appInstanceUserId.map(Self.quoted)
    case FieldName.name: return request.name.map(Self.quoted)
    case FieldName.metadata: return request.metadata.map { Wording.count($0.utf8.count, "byte") }
    case FieldName.tags: return Wording.count(request.tags.count, "tag")
    case FieldName.expiration, FieldName.expirationDays:
      return request.expirationDays.map { Wording.count($0, "day") }
    default:
      let tag = request.tags.first {
        FieldName.tag($0.key) == verdict.field || FieldName.tag(ofCaller: $0.key) == verdict.field
      }
      return tag.map { Self.quoted($0.value) }
    }
  }

  private static func quoted(_ value: Text) -> String { "`\(Wording.shown(value))`" }
}

extension Explanation.Silence {
  /// As the reason why a policy has no say.
  package var reason: String {
    switch self {
    case .off: "it is off"
    case .otherTenant: "it matches other tenants"
    case .otherOperation: "it matches other operations, or has no rule for this one"
    case .otherAppInstance: "it matches other AppInstances"
    }
  }
}
