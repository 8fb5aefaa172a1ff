internal import Transport
internal import ChimeIdentity
internal import Configuration
internal import HTTPWire
internal import OpenSSLCrypto
internal import PolicyEngine
internal import Primitives
internal import RateLimiting
internal import SigV4

/// A request that is no repeat of one in flight or answered lately; made by `joinRepeat`.
struct Fresh: ~Copyable {
  let call: Call
  let target: IdentifiedCall
  let tenant: ServedTenant
  let judged: JudgedRequest
  let body: [UInt8]
  let payloadHash: SHA256Digest
  fileprivate init(_ permitted: borrowing Permitted) {
    call = permitted.call
    target = permitted.target
    tenant = permitted.tenant
    judged = permitted.judged
    body = permitted.body
    payloadHash = permitted.payloadHash
  }
}

enum Repetition: ~Copyable {
  /// The first of its kind, or one of a kind that is not kept.
  case fresh(Fresh)
  /// What the request that it repeats was answered.
  case answered(UpstreamAnswer)
}

extension Worker {
  /// SDKs repeat a create, token and all, when an answer is late: the repeat shares the answer of the first. Whoever
  /// captured a signed request gets no second effect out of it either.
  func joinRepeat(_ permitted: consuming Permitted) async throws(Refusal) -> Repetition {
    let call = permitted.call
    guard let key = replayKey(of: permitted) else { return .fresh(Fresh(permitted)) }
    let head = call.head
    let digest = RequestDigest(
      method: head[head.method], target: head[head.target], payloadHash: permitted.caller.payloadHash)
    while true {
      switch shared.repeats.begin(key, digest: digest, now: loop.clock.monotonic()) {
      case .proceed:
        call.replayKey = key
        return .fresh(Fresh(permitted))
      case .replay(let answered):
        call.repeatOf = answered.requestId
        return .answered(answered.answer)
      case .conflict: throw .tokenReused
      case .join:
        // The first may end without an answer that can be shared; then this one tries for itself.
        if let answered = await shared.repeats.wait(for: key) {
          call.repeatOf = answered.requestId
          return .answered(answered.answer)
        }
      }
    }
  }

  /// What repeats have in common; `nil` for operations that may be served again: reads and idempotent ones.
  private func replayKey(of permitted: borrowing Permitted) -> ReplayKey? {
    guard !permitted.target.operation.isIdempotent else { return nil }
    return Self.replayKey(of: permitted.judged.facts, permitted.tenant.configured.id, permitted.caller)
  }

  private static func replayKey(
    of facts: borrowing GovernedRequest, _ tenant: Text, _ caller: AuthenticatedCaller
  ) -> ReplayKey {
    guard let token = facts.receivedClientRequestToken else {
      return ReplayKey(
        tenant: tenant.utf8.span, appInstanceArn: facts.appInstanceArn, signature: caller.signature)
    }
    return ReplayKey(
      tenant: tenant.utf8.span, appInstanceArn: facts.appInstanceArn, clientRequestToken: token)
  }
}
