internal import Configuration
internal import Primitives
internal import RateLimiting
internal import Synchronization
internal import Transport

/// A request whose turn to be forwarded has come; made by `awaitTurn`.
struct Scheduled: ~Copyable {
  let permitted: Permitted
  fileprivate init(_ fresh: consuming Fresh) { permitted = fresh.permitted }
}

/// What became of asking for an attempt's turn. Times to wait are nanoseconds.
enum TurnTaking {
  case taken
  /// The account's quota is used up; nothing is paid.
  case budgetRefused(retryAfter: Int64)
  /// Upstream is left alone; what was paid is given back.
  case breakerRefused(retryAfter: Int64)
}

extension Worker {
  /// A turn in the account's quota, and an upstream that is not to be left alone. Before the intent, so that what is
  /// refused here leaves none.
  @inline(__always)
  func awaitTurn(_ fresh: consuming Fresh) async throws(Refusal) -> Scheduled {
    let (call, tenant) = (fresh.permitted.verified.call, fresh.permitted.verified.tenant)
    guard call.snapshot.canSign(at: loop.turnBeganAt) else { throw .noCredentials }
    switch await takeTurn(tenant, call.snapshot) {
    case .taken: break
    case .budgetRefused(let wait):
      let limits = call.snapshot.configuration.rateLimit
      try refuse(Throttling(.upstream, retryAfter: wait, policy: Self.policy(of: limits), limits), call)
      // The limits only warn; the breaker does not.
      if case .refused(let wait) = askBreaker() { throw Self.circuitOpen(wait) }
    case .breakerRefused(let wait): throw Self.circuitOpen(wait)
    }
    return Scheduled(fresh)
  }

  /// Asks the account's quota and the circuit breaker for one attempt.
  func takeTurn(_ tenant: ServedTenant, _ snapshot: Snapshot) async -> TurnTaking {
    if let budget = snapshot.configuration.rateLimit.upstreamBudget {
      switch shared.limits.turn(for: tenant, budget, now: loop.turnBegan) {
      case .granted(delay: 0): break
      case .granted(let delay): await loop.sleep(nanoseconds: delay)
      case .refused(let wait): return .budgetRefused(retryAfter: wait)
      }
    }
    // Last, because it may have let this one attempt through to see.
    guard case .refused(let wait) = askBreaker() else { return .taken }
    shared.limits.giveBack(tenant.meter)
    return .breakerRefused(retryAfter: wait)
  }

  private func askBreaker() -> CircuitBreaker.Admission {
    let now = loop.turnBegan
    return shared.breaker.withLock { $0.admit(now: now) }
  }

  private static func circuitOpen(_ wait: Int64) -> Refusal {
    .circuitOpen(retryAfterSeconds: RateLimitFields.wholeSeconds(wait))
  }

  private static func policy(of limits: GatewayConfiguration.RateLimit) -> [UInt8] {
    guard let rate = limits.upstreamBudget?.rate else { return [] }
    let limit = GCRA(requestsPerSecond: rate.requestsPerSecond, burst: rate.burst)
    var lines: [UInt8] = []
    lines.append("RateLimit: \"upstream\";r=0\r\nRateLimit-Policy: ")
    RateLimitFields.appendPolicy(limit, named: "upstream", to: &lines)
    lines.append("\r\n")
    return lines
  }
}
