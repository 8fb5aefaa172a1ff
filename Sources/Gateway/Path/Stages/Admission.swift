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
    let (call, tenant, region) = (
      confined.verified.call, confined.verified.tenant, confined.verified.region
    )
    if store != nil, try leavesTenant(of: call) { return Admitted(confined) }
    let wait = try countIn(call, tenant, in: region, parts: store == nil ? 1 : parts)
    if wait > 0 { await loop.sleep(nanoseconds: wait) }
    return Admitted(confined)
  }

  /// First its place among those in flight: a request that finds none costs nothing of the rates.
  ///
  /// - Parameter parts: how many gateways share its limits, each of which counts for itself.
  /// - Returns: nanoseconds until its turn.
  @inline(__always)
  func countIn(
    _ call: Call, _ tenant: ServedTenant, in region: Int, parts: Int
  ) throws(Refusal) -> Int64 {
    if let most = tenant.concurrency {
      if let permit = tenant.meter.enter(limit: max(1, most / parts)) {
        call.trail.permit = consume permit
        if store != nil { holdLater(call, of: tenant) }
      } else {
        try refuse(.concurrency, retryAfter: 0, in: region, call)
      }
    }
    guard let rates = tenant.rates, let request = call.rated(by: rates) else { return 0 }
    guard parts == 1 else { return try count(call, tenant, rates.part(of: parts), request, in: region) }
    return try count(call, tenant, rates, request, in: region)
  }

  @inline(__always)
  private func count(
    _ call: Call, _ tenant: ServedTenant, _ rates: borrowing TenantRates, _ request: RatedRequest,
    in region: Int
  ) throws(Refusal) -> Int64 {
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
      try refuse(LimitScope(tightest.rate), retryAfter: wait, in: region, call)
    }
    return wait
  }
}
