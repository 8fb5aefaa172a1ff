package import ChimeIdentity
package import PolicyEngine
package import Primitives

/// A request that nobody sends, judged as the gateway would judge it.
package struct Inquiry: Sendable {
  package enum Verdict: Sendable {
    /// It breaks the API model; the message says how.
    case invalid(String)
    case decided(Explanation)
  }

  private let tenant: TenantPolicies

  /// - Parameter tenant: whose operations and AppInstances count too, where it says which they are.
  package init(policies: PolicySet, tenant: TenantFacts) { self.tenant = policies.policies(for: tenant) }

  /// - Parameters:
  ///   - now: until when exceptions hold.
  ///   - region: of the credential scope; `nil`: one that the tenant may call in.
  ///   - token: fills in a missing ClientRequestToken, which the gateway does when it allows a request; `nil` leaves it
  ///     missing.
  package func judge(
    _ call: IdentifiedCall, body: [UInt8], at now: WallClockTime, in region: Text? = nil, token: Text?
  ) -> Verdict {
    let judged = JudgedRequest(call, body: body)
    do throws(JudgementRefusal) {
      let confined = try judged.confine(to: tenant)
      if let region, let violation = tenant.violation(in: region) { throw .notTheTenants(violation) }
      return .decided(try confined.validate().explain(at: now, fillingIn: token))
    } catch {
      switch error {
      case .notTheTenants(let violation): return .decided(Explanation(refusing: violation, judged.facts))
      case .notStrictJSON, .breaksModel, .denied: return .invalid(error.message)
      }
    }
  }
}
