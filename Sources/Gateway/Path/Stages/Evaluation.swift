internal import Configuration
internal import HTTPWire
internal import OpenSSLCrypto
internal import PolicyEngine
internal import Primitives
internal import RateLimiting
internal import SigV4
internal import Transport

/// A request that the service model allows; made by `validate`.
struct Valid: ~Copyable {
  let verified: Verified
  let content: ValidRequest

  fileprivate init(_ verified: consuming Verified, _ content: consuming ValidRequest) {
    self.verified = verified
    self.content = content
  }
}

/// A request that policy allows, as it is to be forwarded; made by `decide`.
struct Permitted: ~Copyable {
  let verified: Verified
  let judged: JudgedRequest
  /// A body that was written anew from what was evaluated.
  let written: ByteBuffer
  /// Whether there is one; otherwise the caller's bytes go through untouched.
  let isWritten: Bool
  /// The SHA-256 of the body that goes on.
  let payloadHash: SHA256Digest

  fileprivate init(
    _ verified: consuming Verified, _ judged: JudgedRequest, written: consuming ByteBuffer, isWritten: Bool
  ) {
    payloadHash = isWritten ? SHA256.digest(written.span) : verified.caller.payloadHash
    self.verified = verified
    self.judged = judged
    self.written = written
    self.isWritten = isWritten
  }

  /// Lends the body that goes on, and no other.
  func withBody<R: ~Copyable>(_ use: (Span<UInt8>) -> R) -> R {
    guard !isWritten else { return use(written.span) }
    let head = verified.call.head
    return use(head[verified.call.body])
  }
}

extension Worker {
  /// The API model.
  func validate(_ admitted: consuming Admitted) throws(Refusal) -> Valid {
    do {
      let content = try admitted.confined.content.validate()
      return Valid(admitted.confined.verified, content)
    } catch {
      throw Refusal(error)
    }
  }

  /// Every policy that matches, on the facts of the request. What they change, and a ClientRequestToken that the caller
  /// left out, is written into a body anew.
  func decide(_ valid: consuming Valid) throws(Refusal) -> Permitted {
    let judged = valid.content.judged
    let tenant = valid.verified.tenant
    let signature = valid.verified.caller.signature
    var written = loop.takeBuffer()
    do {
      let forwarded = try valid.content.decide(
        at: valid.verified.call.time, fillingIn: { Self.token(of: $0, by: tenant, signature) }, body: &written
      )
      if judged.hasWarnings { count(warnings: judged.decision, of: tenant) }
      return Permitted(valid.verified, judged, written: written, isWritten: forwarded == .written)
    } catch {
      loop.giveBack(written)
      count(violations: judged.decision.violations, of: tenant)
      count(warnings: judged.decision, of: tenant)
      throw Refusal(error)
    }
  }

  /// A ClientRequestToken for a request without one: the same for the same signed bytes, at any time and from any gateway,
  /// so that upstream makes no second effect of a repeat that is no longer known here.
  private static func token(
    of facts: borrowing GovernedRequest, by tenant: ServedTenant, _ signature: SHA256Digest
  ) -> Text {
    let id = tenant.configured.id.utf8
    return ReplayKey(tenant: id.span, appInstanceArn: facts.appInstanceArn, signature: signature)
      .clientRequestToken
  }

  /// Each violation, whether policy's or the gateway's own.
  func count(violations: [Violation], of tenant: ServedTenant?) {
    count(violations, mode: "enforce", of: tenant)
  }

  private func count(warnings decision: Decision, of tenant: ServedTenant) {
    count(decision.warnings, mode: "warn", of: tenant)
    let exceptions = decision.exceptions
    guard !exceptions.isEmpty else { return }
    metrics.update { counts in
      for name in exceptions { counts.exceptions[name, default: 0] += 1 }
    }
  }

  private func count(_ found: [Violation], mode: StaticText, of tenant: ServedTenant?) {
    guard !found.isEmpty else { return }
    let id = tenant?.configured.id ?? ""
    metrics.update { counts in
      for violation in found {
        counts.violations[
          .init(policy: violation.policy, rule: violation.rule, tenant: id, mode: mode), default: 0] += 1
      }
    }
  }
}
