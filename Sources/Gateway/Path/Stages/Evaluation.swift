internal import ChimeIdentity
internal import Configuration
internal import OpenSSLCrypto
internal import PolicyEngine
internal import Primitives
internal import SigV4
internal import StrictJSON

/// A request that the service model allows; made by `validate`.
struct Valid: ~Copyable {
  let call: Call
  let target: IdentifiedCall
  let tenant: ServedTenant
  let caller: AuthenticatedCaller
  fileprivate init(_ admitted: borrowing Admitted) {
    call = admitted.call
    target = admitted.target
    tenant = admitted.tenant
    caller = admitted.caller
  }
}

/// A request that policy allows, as it is to be forwarded; made by `decide`.
struct Permitted: ~Copyable {
  let call: Call
  let target: IdentifiedCall
  let tenant: ServedTenant
  let request: GovernedRequest
  /// The body to forward and its SHA-256.
  let body: [UInt8]
  let payloadHash: SHA256Digest
  /// By whose signature and body hash a repeat is told from another request.
  let caller: AuthenticatedCaller
  fileprivate init(
    _ valid: borrowing Valid, _ request: GovernedRequest, body: [UInt8], payloadHash: SHA256Digest
  ) {
    call = valid.call
    target = valid.target
    tenant = valid.tenant
    self.request = request
    self.body = body
    self.payloadHash = payloadHash
    caller = valid.caller
  }
}

extension Worker {
  func validate(_ admitted: consuming Admitted) throws(Refusal) -> Valid {
    do {
      try ModelValidator.validate(admitted.target, document: admitted.document)
    } catch {
      throw .breaksModel(error)
    }
    return Valid(admitted)
  }

  /// Every policy that matches, on the facts of the request; what they change is written into a body anew, and
  /// otherwise the body's bytes go through untouched.
  func decide(_ valid: consuming Valid) throws(Refusal) -> Permitted {
    let call = valid.call
    var request = call.received ?? GovernedRequest(call: valid.target, document: nil)
    let tenant = valid.tenant.configured
    var decision = call.snapshot.policies.decide(
      &request, tenant: TenantFacts(tenant))
    call.isPolicyApplied = true
    if decision.isAllowed, request.lacksClientRequestToken {
      decision.changes.append(request.fillClientRequestToken(RequestID(from: entropy).text))
    }
    call.decision = decision
    count(violations: decision.violations, warnings: decision.warnings, of: tenant.id)
    guard decision.isAllowed else { throw .denied(decision.violations) }
    guard !decision.changes.isEmpty else {
      return Permitted(valid, request, body: call.body, payloadHash: valid.caller.payloadHash)
    }
    let body = request.body()
    return Permitted(valid, request, body: body, payloadHash: SHA256.digest(body))
  }

  /// Each violation, whether policy's or the gateway's own.
  func count(violations: [Violation], warnings: [Violation] = [], of tenant: Text) {
    guard !violations.isEmpty || !warnings.isEmpty else { return }
    metrics.update { counts in
      for found in violations {
        counts.violations[
          .init(policy: found.policy, rule: found.rule, tenant: tenant, mode: "enforce"), default: 0] += 1
      }
      // What a warn policy would have changed is no violation.
      for found in warnings where found.kind == .refusal {
        counts.violations[
          .init(policy: found.policy, rule: found.rule, tenant: tenant, mode: "warn"), default: 0] += 1
      }
    }
  }
}
