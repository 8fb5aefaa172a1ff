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
    if let operations,
      let violation = TenantConfinement.violation(of: call.operation, by: tenant.id, allowed: operations)
    {
      return refused(GovernedRequest(call: call, document: try? JSONDocument(parsing: body)), violation)
    }
    do {
      let document = body.isEmpty ? nil : try JSONDocument(parsing: body)
      let subjects = try ModelValidator.confinementSubjects(of: call, document: document)
      if let appInstances,
        let violation = TenantConfinement.violation(of: subjects, by: tenant.id, allowed: appInstances)
      {
        return refused(GovernedRequest(call: call, document: document), violation)
      }
      try ModelValidator.validate(call, document: document)
      var explanation = policies.explain(GovernedRequest(call: call, document: document), tenant: tenant)
      if let token { explanation.fillClientRequestToken(token) }
      return .decided(explanation)
    } catch let error as JSONSyntaxError {
      return .invalid("the body is not strict JSON: \(error.message), at byte \(error.offset)")
    } catch let error as ModelViolation {
      return .invalid(error.message)
    } catch {
      return .invalid("\(error)")
    }
  }

  /// A refusal of the gateway's own, before policy.
  private func refused(_ request: GovernedRequest, _ violation: Violation) -> Verdict {
    let (noPolicies, _) = PolicySet.compile(documents: [], tenants: [])
    var explanation = noPolicies.explain(request, tenant: tenant)
    explanation.decision.violations = [violation]
    return .decided(explanation)
  }
}
