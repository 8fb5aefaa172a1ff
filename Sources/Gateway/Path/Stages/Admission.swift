internal import Configuration
internal import RateLimiting
internal import Transport

/// A request within its tenant's limits; made by `admit`.
struct Admitted: ~Copyable {
  let confined: Confined
  fileprivate init(_ confined: consuming Confined) { self.confined = confined }
}

extension Worker {
  /// The tenant's rates and its number of requests in flight, which it leaves when its call is over. A request that waits
  /// for its turn within the rate is in flight.
  @inline(__always)
  func admit(_ confined: consuming Confined) async throws(Refusal) -> Admitted {
    let wait = try countIn(confined)
    if wait > 0 { await loop.sleep(nanoseconds: wait) }
    return Admitted(confined)
  }

  /// First its place among those in flight: a request that finds none costs nothing of the rates.
  ///
  /// - Returns: nanoseconds until its turn.
  private func countIn(_ confined: borrowing Confined) throws(Refusal) -> Int64 {
    let (call, tenant) = (confined.verified.call, confined.verified.tenant)
    if let most = tenant.concurrency {
      if let permit = tenant.meter.enter(limit: most) {
        call.trail.permit = consume permit
      } else {
        try refuse(.concurrency, retryAfter: 0, in: confined.verified.region, call)
      }
    }
    guard let rates = tenant.rates, let request = call.rated(by: rates) else { return 0 }
    let queueFor = call.snapshot.rateQueueNanoseconds
    guard call.snapshot.configuration.rateLimit.mode == .enforce else {
      for rate in tenant.meter.count(rates, request, now: call.receivedAt, queueFor: queueFor) {
        try refuse(LimitScope(rate), retryAfter: 0, call)
      }
      return 0
    }
    let tightest = tenant.meter.admit(rates, request, now: call.receivedAt, queueFor: queueFor)
    let wait = tightest.decision.wait
    if !tightest.decision.isAllowed {
      try refuse(LimitScope(tightest.rate), retryAfter: wait, in: confined.verified.region, call)
    }
    return wait
  }
}
