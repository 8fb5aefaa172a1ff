internal import ChimeIdentity
internal import Configuration
internal import Primitives

/// What became of a policy's `when`, condition by condition.
package struct WhenReport: Sendable, Hashable {
  package struct Condition: Sendable, Hashable {
    /// As a policy writes it: `tags.DataClass`.
    package let field: String
    /// What the request had, in words.
    package let given: String
    let truth: Truth
  }

  let truth: Truth
  package let conditions: [Condition]

  package var isHeld: Bool { truth != .fails }

  /// Why it holds, counts as held, or does not; one line.
  package var reason: String {
    let shown = conditions.filter { $0.truth == truth }
    let list = (shown.isEmpty ? conditions : shown).map { "\($0.field) is \($0.given)" }.joined(
      separator: ", ")
    return switch truth {
    case .holds: "its when holds: \(list)"
    case .unknown: "its when counts as held: \(list)"
    case .fails: "its when does not hold: \(list)"
    }
  }
}

extension BoundWhen {
  func report(
    _ truth: Truth, on request: borrowing GovernedRequest, as governance: Governance, of tenant: TenantFacts
  ) -> WhenReport {
    var conditions: [WhenReport.Condition] = []
    for (field, test) in source.conditions {
      let alone = BoundWhen(.condition(field, test), for: tenant).judge(request, as: governance)
      let given = Self.given(field, in: request, of: tenant)
      conditions.append(
        .init(
          field: MessageText.shown(Text(field.name)),
          given: alone == .unknown
            ? "not known on \(request.operation.name)" : given.map { "`\($0)`" } ?? "absent",
          truth: alone))
    }
    return WhenReport(truth: truth, conditions: conditions)
  }

  private static func given(
    _ field: PolicyDocument.When.Field, in request: borrowing GovernedRequest, of tenant: TenantFacts
  ) -> String? {
    switch field {
    case .userID: return shown(request.appInstanceUserId)
    case .name: return shown(request.name)
    // Metadata may be nothing for logs.
    case .metadata: return (request.metadata?.count).map { MessageText.count($0, "byte") }
    case .expirationDays: return request.expirationDays.map { MessageText.count($0, "day") }
    case .tag(let key):
      return request.place(ofTag: FoldedKey(key)).map { MessageText.shown(request.tagValue($0)) }
    case .tenantID: return MessageText.shown(tenant.id)
    case .tenantLabel(let name): return tenant.labels[name].map { MessageText.shown($0) }
    }
  }

  private static func shown(_ value: Span<UInt8>?) -> String? {
    guard let value else { return nil }
    return MessageText.shown(value)
  }
}
