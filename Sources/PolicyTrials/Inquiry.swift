package import ChimeIdentity
package import Patterns
package import PolicyEngine
package import Primitives
internal import StrictJSON

/// What a request is judged by when nobody sends it: confinement, API model and policies, as the gateway applies them.
package struct Inquiry: Sendable {
  package enum Verdict: Sendable {
    /// It breaks the API model; the message says how.
    case invalid(String)
    case decided(Explanation)
  }

  package let policies: PolicySet
  package let tenant: TenantFacts
  /// `nil`: all.
  package let operations: [String]?
  /// `nil`: any.
  package let appInstances: [Glob]?

  package init(policies: PolicySet, tenant: TenantFacts, operations: [String]?, appInstances: [Glob]?) {
    self.policies = policies
    self.tenant = tenant
    self.operations = operations
    self.appInstances = appInstances
  }

  /// - Parameter token: fills in a missing ClientRequestToken, which the gateway does when it allows a request;
  ///   `nil` leaves it missing.
  package func judge(_ call: IdentifiedCall, body: [UInt8], token: Text?) -> Verdict {
    if let operations, !operations.contains(call.operation.name) {
      let request = GovernedRequest(call: call, document: try? JSONDocument(parsing: body))
      return refused(
        request, rule: GatewayRule.operation, field: "operation",
        "the tenant may not call \(call.operation.name)")
    }
    do {
      let document = body.isEmpty ? nil : try JSONDocument(parsing: body)
      if let refusal = try confine(call, document) { return refusal }
      try ModelValidator.validate(call, document: document)
      return .decided(explain(GovernedRequest(call: call, document: document), token: token))
    } catch let error as JSONSyntaxError {
      return .invalid("the body is not strict JSON: \(error.message), at byte \(error.offset)")
    } catch let error as ModelViolation {
      return .invalid(error.message)
    } catch {
      return .invalid("\(error)")
    }
  }

  private func confine(_ call: IdentifiedCall, _ document: JSONDocument?) throws(ModelViolation) -> Verdict? {
    let subjects = try ModelValidator.confinementSubjects(of: call, document: document)
    guard let allowed = appInstances else { return nil }
    for subject in subjects {
      let appInstance = subject.arn?.appInstanceArn
      if let appInstance, allowed.contains(where: { $0.matches(appInstance) }) { continue }
      let request = GovernedRequest(call: call, document: document)
      let accepted = allowed.map { $0.source.onOneLine }.joined(separator: ", ")
      return refused(
        request, rule: GatewayRule.appInstance, field: subject.member.string,
        "it names no AppInstance that the tenant may use; accepted: \(accepted)")
    }
    return nil
  }

  /// A refusal of the gateway's own, before policy.
  private func refused(_ request: GovernedRequest, rule: String, field: String, _ message: String) -> Verdict
  {
    let (noPolicies, _) = PolicySet.compile(documents: [], tenants: [])
    var explanation = noPolicies.explain(request, tenant: tenant)
    explanation.decision.violations = [
      Violation(policy: GatewayRule.policy, rule: rule, field: field, message: message)
    ]
    return .decided(explanation)
  }

  /// As the gateway does it, a missing token is filled in only when the request is allowed.
  private func explain(_ request: GovernedRequest, token: Text?) -> Explanation {
    let explanation = policies.explain(request, tenant: tenant)
    guard let token, explanation.decision.isAllowed, request.lacksClientRequestToken else {
      return explanation
    }
    var request = request
    let change = request.fillClientRequestToken(token)
    var filled = policies.explain(request, tenant: tenant, after: [change])
    filled.decision.changes = explanation.decision.changes + [change]
    return filled
  }
}

/// The rules of the gateway itself, which stand under a policy of its name.
package enum GatewayRule {
  static let policy: Text = "gatehouse"
  static let operation = "tenant.operation"
  static let appInstance = "tenant.appInstance"

  /// Every id that a violation can have.
  package static let allRuleIDs = Rule.allCases.map(\.rawValue) + [operation, appInstance]
}
