internal import ChimeIdentity
internal import Patterns
package import Primitives

/// The rules of the gateway itself, which stand under a policy of its name.
package enum GatewayRule {
  package static let policy: Text = "gatehouse"
  static let operation = "tenant.operation"
  package static let appInstance = "tenant.appInstance"

  /// Every id that a violation can have.
  package static let allRuleIDs = Rule.allCases.map(\.rawValue) + [operation, appInstance]
}

/// What a tenant may call, and on which AppInstances.
enum TenantConfinement {
  /// Why the tenant may not call the operation, or `nil`.
  static func violation(of operation: Operation, by tenant: TenantPolicies) -> Violation? {
    guard !tenant.mayCall(operation) else { return nil }
    return Violation(
      policy: GatewayRule.policy, rule: GatewayRule.operation, field: "operation",
      message: "tenant \(Wording.shown(tenant.facts.id)) may not call \(operation.name)"
        + "; accepted: \(Wording.list((tenant.facts.operations ?? []).sorted()))")
  }

  /// Why the tenant may not do it to all of what the request names, or `nil`.
  static func violation(of subjects: [ConfinementSubject], by tenant: TenantPolicies) -> Violation? {
    guard let allowed = tenant.facts.appInstances else { return nil }
    let tenant = tenant.facts.id
    for subject in subjects {
      guard let appInstance = subject.arn?.appInstanceArn else {
        return violation(
          of: subject, "not the ARN of an AppInstance, or of something in one, that", tenant, allowed)
      }
      guard allowed.contains(where: { $0.matches(appInstance) }) else {
        return violation(of: subject, "not in an AppInstance that", tenant, allowed)
      }
    }
    return nil
  }

  private static func violation(
    of subject: ConfinementSubject, _ fault: String, _ tenant: Text, _ allowed: [Glob]
  ) -> Violation {
    Violation(
      policy: GatewayRule.policy, rule: GatewayRule.appInstance, field: subject.member.string,
      message: "it is \(fault) tenant \(Wording.shown(tenant)) may use; accepted: \(Wording.list(allowed))")
  }
}
