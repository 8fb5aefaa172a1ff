internal import Configuration
internal import Primitives
internal import RateLimiting
internal import Transport

/// A request within its tenant's limits; made by `admit`.
struct Admitted: ~Copyable {
  let confined: Confined
  fileprivate init(_ confined: consuming Confined) { self.confined = confined }
}

extension Worker {
  /// The tenant's rate and its number of requests in flight, which it leaves when its call is over. A request that waits
  /// for its turn within the rate is in flight.
  @inline(__always)
  func admit(_ confined: consuming Confined) async throws(Refusal) -> Admitted {
    let (call, tenant) = (confined.verified.call, confined.verified.tenant)
    let wait = try countIn(call, tenant)
    if wait > 0 { await loop.sleep(nanoseconds: wait) }
    return Admitted(confined)
  }

  /// - Returns: nanoseconds until its turn.
  private func countIn(_ call: Call, _ tenant: ServedTenant) throws(Refusal) -> Int64 {
    var wait: Int64 = 0
    if let rate = tenant.rate {
      let decision = tenant.meter.admit(
        rate, now: call.receivedAt, queueFor: call.snapshot.rateQueueNanoseconds)
      if !decision.isAllowed {
        try refuse(Throttling(.tenant, decision, call.snapshot.configuration.rateLimit), call)
      } else if decision.wait > 0, call.snapshot.configuration.rateLimit.mode == .enforce {
        wait = decision.wait
      }
    }
    if let most = tenant.concurrency {
      if let permit = tenant.meter.enter(limit: most) {
        call.trail.permit = consume permit
      } else {
        try refuse(.concurrency(most, call.snapshot.configuration.rateLimit), call)
      }
    }
    return wait
  }

  /// Refuses, or only counts where the limits warn.
  func refuse(_ throttling: Throttling, _ call: Call) throws(Refusal) {
    let key = Metrics.LimitKey(
      tenant: call.trail.tenant?.configured.id ?? "", scope: throttling.scope.label)
    metrics.update { $0.limited[key, default: 0] += 1 }
    guard call.snapshot.configuration.rateLimit.mode == .enforce else {
      call.trail.limitWarnings.insert(throttling.scope)
      return
    }
    throw .throttled(throttling)
  }
}

extension Throttling {
  fileprivate static func concurrency(
    _ limit: Int, _ limits: GatewayConfiguration.RateLimit
  ) -> Throttling {
    var lines: [UInt8] = []
    lines.append("RateLimit: \"concurrency\";r=0\r\nRateLimit-Policy: \"concurrency\";q=")
    lines.append(decimal: limit)
    lines.append(";qu=\"concurrent-requests\"\r\n")
    return Throttling(.concurrency, retryAfter: 0, policy: lines, limits)
  }
}
