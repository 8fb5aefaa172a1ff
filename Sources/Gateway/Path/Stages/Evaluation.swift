internal import ChimeIdentity
internal import Configuration
internal import OpenSSLCrypto
internal import PolicyEngine
internal import Primitives
internal import SigV4

/// A request that the service model allows; made by `validate`.
struct Valid: ~Copyable {
  let call: Call
  let target: IdentifiedCall
  let tenant: ServedTenant
  let caller: AuthenticatedCaller
  let content: ValidRequest
  fileprivate init(_ admitted: consuming Admitted) throws(JudgementRefusal) {
    call = admitted.call
    target = admitted.target
    tenant = admitted.tenant
    caller = admitted.caller
    content = try admitted.content.validate()
  }
}

/// A request that policy allows, as it is to be forwarded; made by `decide`.
struct Permitted: ~Copyable {
  let call: Call
  let target: IdentifiedCall
  let tenant: ServedTenant
  let judged: JudgedRequest
  /// The body to forward and its SHA-256.
  let body: [UInt8]
  let payloadHash: SHA256Digest
  /// By whose signature and body hash a repeat is told from another request.
  let caller: AuthenticatedCaller
  fileprivate init(
    _ call: Call, _ target: IdentifiedCall, _ tenant: ServedTenant, _ judged: JudgedRequest,
    _ caller: AuthenticatedCaller, body: [UInt8], payloadHash: SHA256Digest
  ) {
    self.call = call
    self.target = target
    self.tenant = tenant
    self.judged = judged
    self.caller = caller
    self.body = body
    self.payloadHash = payloadHash
  }
}

extension Worker {
  func validate(_ admitted: consuming Admitted) throws(Refusal) -> Valid {
    do {
      return try Valid(admitted)
    } catch {
      throw Refusal(error)
    }
  }

  /// Every policy that matches, on the facts of the request; what they change is written into a body anew, and
  /// otherwise the body's bytes go through untouched.
  func decide(_ valid: consuming Valid) throws(Refusal) -> Permitted {
    let (call, target, tenant, caller) = (valid.call, valid.target, valid.tenant, valid.caller)
    let judged = valid.content.judged
    var written = ByteBuffer()
    let forwarded: ForwardedBody
    do {
      forwarded = try valid.content.decide(fillingIn: RequestID(from: entropy).text, body: &written)
    } catch {
      count(
        violations: judged.decision.violations, warnings: judged.decision.warnings, of: tenant.configured.id)
      throw Refusal(error)
    }
    count(violations: [], warnings: judged.decision.warnings, of: tenant.configured.id)
    let body = forwarded == .written ? written.array : call.body
    return Permitted(
      call, target, tenant, judged, caller, body: body,
      payloadHash: forwarded == .written ? SHA256.digest(body) : caller.payloadHash)
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
