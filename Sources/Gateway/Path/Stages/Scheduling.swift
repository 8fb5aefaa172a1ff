internal import Transport
internal import Synchronization
internal import ChimeIdentity
internal import Configuration
internal import OpenSSLCrypto
internal import PolicyEngine
internal import Primitives
internal import RateLimiting

/// A request whose turn to be forwarded has come; made by `awaitTurn`.
struct Scheduled: ~Copyable {
  let call: Call
  let target: IdentifiedCall
  let tenant: Tenant
  let judged: JudgedRequest
  let body: [UInt8]
  let payloadHash: SHA256Digest
  fileprivate init(_ fresh: borrowing Fresh) {
    call = fresh.call
    target = fresh.target
    tenant = fresh.tenant
    judged = fresh.judged
    body = fresh.body
    payloadHash = fresh.payloadHash
  }
}

extension Worker {
  /// A turn in the account's quota, and an upstream that is not to be left alone. Before the intent, so that what is
  /// refused here leaves none.
  func awaitTurn(_ fresh: consuming Fresh) async throws(Refusal) -> Scheduled {
    let call = fresh.call
    let limits = call.snapshot.configuration.rateLimit
    guard call.snapshot.usableCredentials(at: loop.clock.wallClock()) != nil else { throw .noCredentials }
    switch shared.limits.turn(for: fresh.tenant, limits, now: loop.clock.monotonic()) {
    case .granted(delay: 0): break
    case .granted(let delay): await loop.sleep(nanoseconds: delay)
    case .refused(let wait):
      try refuse(Throttling(.upstream, retryAfter: wait, policy: Self.policy(of: limits), limits), call)
    }
    // Last, because it may have let this one request through to see.
    if case .refused(let wait) = shared.breaker.withLock({ $0.admit(now: loop.clock.monotonic()) }) {
      shared.limits.giveBack(fresh.tenant.id)
      throw .circuitOpen(retryAfterSeconds: RateLimitFields.wholeSeconds(wait))
    }
    return Scheduled(fresh)
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
