internal import ChimeIdentity
internal import Configuration
internal import HTTPWire
internal import PolicyEngine
internal import Primitives
internal import RateLimiting
internal import SigV4
internal import Transport

/// A request that is no repeat of one in flight or answered lately; made by `joinRepeat`.
struct Fresh: ~Copyable {
  let permitted: Permitted
  fileprivate init(_ permitted: consuming Permitted) { self.permitted = permitted }
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
    let call = permitted.verified.call
    guard let key = replayKey(of: permitted) else { return .fresh(Fresh(permitted)) }
    let digest = requestDigest(of: permitted)
    while true {
      switch shared.repeats.begin(key, digest: digest, now: loop.turnBegan) {
      case .proceed:
        call.trail.replayKey = key
        return .fresh(Fresh(permitted))
      case .replay(let kept):
        // It is there, since only an answer is kept. If it were not, upstream would know the token.
        guard let answer = UpstreamAnswer(kept: kept) else { return .fresh(Fresh(permitted)) }
        if let store { try await settle(call, store, in: permitted.verified.region, isForwarded: false) }
        call.trail.repeatOf = answer.answered
        return .answered(answer)
      case .conflict: throw .tokenReused
      case .join:
        if let store { try await settle(call, store, in: permitted.verified.region, isForwarded: false) }
        // The first may end without an answer that can be shared; then this one tries for itself.
        if let answer = await shared.repeats.wait(for: key) {
          call.trail.repeatOf = answer.answered
          return .answered(answer)
        }
        // Its time is up as well, mostly; an intent of what cannot be sent any more would be of no use.
        let deadline = call.receivedAt.advanced(byNanoseconds: call.snapshot.requestTimeoutNanoseconds)
        guard loop.turnBegan < deadline else { throw .upstreamTooSlow(sent: false) }
      }
    }
  }

  private func requestDigest(of permitted: borrowing Permitted) -> RequestDigest {
    let (target, payload) = (permitted.verified.identified.target, permitted.verified.caller.payloadHash)
    if target.isPlain {
      return RequestDigest(call: UInt64(target.operation.rawValue) + 1, payloadHash: payload)
    }
    let head = permitted.verified.call.head
    return RequestDigest(method: head[head.method], target: head[head.target], payloadHash: payload)
  }

  /// What repeats have in common; `nil` for operations that may be served again: reads and idempotent ones.
  private func replayKey(of permitted: borrowing Permitted) -> ReplayKey? {
    guard !permitted.verified.identified.target.operation.isIdempotent else { return nil }
    let tenant = permitted.verified.tenant.configured.id.utf8
    let (signature, region) = (permitted.verified.caller.signature, permitted.verified.region)
    return permitted.judged.withFacts { facts in
      guard let token = facts.receivedClientRequestToken else {
        return ReplayKey(
          tenant: tenant.span, region: region, appInstanceArn: facts.appInstanceArn, signature: signature)
      }
      return ReplayKey(
        tenant: tenant.span, region: region, appInstanceArn: facts.appInstanceArn, clientRequestToken: token)
    }
  }
}
