internal import Configuration
internal import Primitives

extension Explanation {
  /// What the request had in the field of a verdict, as the policy saw it; `nil`: nothing. Metadata is not repeated.
  package func given(to verdict: RuleVerdict, in report: PolicyReport) -> String? {
    if report.mode == .warn, let change = report.changes.last(where: { $0.field == verdict.field }) {
      return "`\(MessageText.shown(change.to))`"
    }
    switch verdict.field {
    case PolicyField.userID: return Self.quoted(request.appInstanceUserId)
    case PolicyField.name: return Self.quoted(request.name)
    case PolicyField.metadata: return (request.metadata?.count).map { MessageText.count($0, "byte") }
    case PolicyField.tags: return MessageText.count(request.tagCount, "tag")
    case PolicyField.expiration, PolicyField.expirationDays:
      return request.expirationDays.map { MessageText.count($0, "day") }
    default:
      for index in 0..<request.tagCount {
        let key = request.tagKey(index)
        guard
          PolicyField.tag(key.uncheckedText) == verdict.field
            || PolicyField.tag(ofCaller: key) == verdict.field
        else { continue }
        return Self.quoted(request.tagValue(index))
      }
      return nil
    }
  }

  private static func quoted(_ value: Span<UInt8>?) -> String? {
    guard let value else { return nil }
    return "`\(MessageText.shown(value))`"
  }
}

extension Explanation.Silence {
  /// As the reason why a policy has no say.
  package var reason: String {
    switch self {
    case .off: "it is off"
    case .otherTenant: "its match.tenants takes in other tenants"
    case .otherLabels: "its match.tenantLabels takes in tenants with other labels"
    case .otherOperation: "its match.operations takes in other operations, or it has no rule for this one"
    case .otherAppInstance: "its match.appInstances takes in other AppInstances"
    case .excluded: "its match.exclude takes in this request"
    case .unheld: "its when does not hold"
    }
  }
}
