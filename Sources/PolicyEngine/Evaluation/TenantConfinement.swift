internal import ChimeIdentity
internal import Patterns
package import Primitives
internal import StrictJSON

/// The rules of the gateway itself, which stand under a policy of its name.
package enum GatewayRule {
  package static let policy: Text = "gatehouse"
  static let operation = "tenant.operation"
  package static let appInstance = "tenant.appInstance"
  static let region = "tenant.region"

  /// Every id that a violation can have.
  package static let allRuleIDs = Rule.allCases.map(\.rawValue) + [operation, appInstance, region]

  /// Every id of a limit that only warns.
  package static let limitIDs =
    (["tenant", "concurrency", "source", "upstream", "perAppInstance", "operations.read"]
    + ChimeIdentity.Operation.allCases.map { "operations.\($0.name)" }).map { "rateLimit.\($0)" }
}

extension TenantPolicies {
  /// Why the tenant may not call in `region`, or `nil`.
  package func violation(in region: Text) -> Violation? {
    guard let regions = facts.regions, !regions.contains(region.string) else { return nil }
    return Violation(
      policy: GatewayRule.policy, rule: GatewayRule.region, field: "region",
      message: "tenant \(MessageText.shown(facts.id)) may not call in \(MessageText.shown(region))"
        + "; accepted: \(MessageText.list(regions))")
  }
}

/// What a tenant may call, and on which AppInstances.
enum TenantConfinement {
  /// Why the tenant may not call the operation, or `nil`.
  static func violation(of operation: Operation, by tenant: TenantPolicies) -> Violation? {
    guard !tenant.mayCall(operation) else { return nil }
    return Violation(
      policy: GatewayRule.policy, rule: GatewayRule.operation, field: "operation",
      message: "tenant \(MessageText.shown(tenant.facts.id)) may not call \(operation.name)"
        + "; accepted: \(MessageText.list((tenant.facts.operations ?? []).sorted()))")
  }

  /// Whether all that confines the request is the AppInstanceArn in its body, and that is one which the tenant may use,
  /// written out. `false` is no more than a doubt.
  static func surelyKeeps(
    _ call: IdentifiedCall, _ facts: borrowing GovernedRequest, to tenant: TenantPolicies
  ) -> Bool {
    call.isConfinedByBodyAlone && facts.givesAppInstanceArn
      && tenant.knownAppInstances.id(in: facts.appInstanceArn) != nil
  }

  /// Why the tenant may not do it to all of what the request names in body, path and query, or `nil`.
  ///
  /// - Throws: when a member that should say it breaks the model, or the query does.
  static func violation(
    of call: IdentifiedCall, document: JSONDocument?, by tenant: TenantPolicies
  ) throws(ModelViolation) -> Violation? {
    var violation: Violation?
    try ModelValidator.visitConfinementSubjects(of: call, document: document) { member, value, arn in
      guard violation == nil, let allowed = tenant.facts.appInstances else { return }
      if let arn {
        guard !allowed.anyMatches(value[arn.appInstanceArn]) else { return }
        violation = Self.violation(of: member, "not in an AppInstance that", tenant.facts.id, allowed)
      } else {
        violation = Self.violation(
          of: member, "not the ARN of an AppInstance, or of something in one, that", tenant.facts.id, allowed)
      }
    }
    return violation
  }

  private static func violation(
    of member: StaticString, _ fault: String, _ tenant: Text, _ allowed: [Glob]
  ) -> Violation {
    Violation(
      policy: GatewayRule.policy, rule: GatewayRule.appInstance, field: member.description,
      message:
        "it is \(fault) tenant \(MessageText.shown(tenant)) may use; accepted: \(MessageText.list(allowed))")
  }
}
