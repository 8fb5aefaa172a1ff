internal import Primitives

/// The state of a tenant's rates. A request counts against each that applies to it or, when one of them refuses it, against
/// none.
struct TenantBuckets: Sendable {
  private var whole = BucketState()
  /// By the numbers of their rates. Of rates that are taken away they stay, so that none begins anew when it comes back.
  private var operations: [(number: UInt8, state: BucketState)] = []
  private var appInstances = BucketTable(capacity: mostAppInstances)

  /// A tenant that is confined to `*` could name any number.
  static let mostAppInstances = 1024

  mutating func admit(
    _ rates: borrowing TenantRates, _ request: RatedRequest, now: MonotonicInstant, queueFor: Int64
  ) -> RateDecision {
    guard !rates.isWholeAlone else {
      return RateDecision(rate: .whole, decision: whole.decide(rates.whole, now: now, queueFor: queueFor))
    }
    var tightest = tightest(rates, request, now: now)
    guard tightest.decision.wait <= queueFor else { return tightest }
    rates.forEachBucket(of: request) { bucket in
      let decision = with(bucket, request, now: now) { $0.decide(bucket.limit, now: now, queueFor: queueFor) }
      if bucket.rate == tightest.rate { tightest = RateDecision(rate: bucket.rate, decision: decision) }
    }
    return tightest
  }

  /// Counts a request that is not refused, by each rate for itself.
  ///
  /// - Returns: the rates that it is beyond.
  mutating func count(
    _ rates: borrowing TenantRates, _ request: RatedRequest, now: MonotonicInstant, queueFor: Int64
  ) -> [TenantRate] {
    var exceeded: [TenantRate] = []
    rates.forEachBucket(of: request) { bucket in
      let decision = with(bucket, request, now: now) { $0.decide(bucket.limit, now: now, queueFor: queueFor) }
      if !decision.isAllowed { exceeded.append(bucket.rate) }
    }
    return exceeded
  }

  private mutating func tightest(
    _ rates: borrowing TenantRates, _ request: RatedRequest, now: MonotonicInstant
  ) -> RateDecision {
    var tightest = RateDecision(rate: .whole, decision: whole.look(rates.whole, now: now))
    rates.forEachBucket(of: request) { bucket in
      let decision = with(bucket, request, now: now) { $0.look(bucket.limit, now: now) }
      if decision.wait > tightest.decision.wait {
        tightest = RateDecision(rate: bucket.rate, decision: decision)
      }
    }
    return tightest
  }

  /// What each rate that applies would say of the request, which is not counted.
  mutating func levels(
    _ rates: borrowing TenantRates, of request: RatedRequest, now: MonotonicInstant
  ) -> [RateDecision] {
    var levels: [RateDecision] = []
    rates.forEachBucket(of: request) { bucket in
      let decision = with(bucket, request, now: now) { $0.look(bucket.limit, now: now) }
      levels.append(RateDecision(rate: bucket.rate, decision: decision))
    }
    return levels
  }

  /// Other rates are in force from now on.
  mutating func change(to rates: borrowing TenantRates, now: MonotonicInstant) {
    whole.take(rates.whole, now: now)
    for rate in rates.operations { operations[place(of: rate.number)].state.take(rate.limit, now: now) }
    if let limit = rates.perAppInstance { appInstances.change(to: limit, now: now) }
  }

  private mutating func with<Result>(
    _ bucket: RateBucket, _ request: RatedRequest, now: MonotonicInstant,
    _ body: (inout BucketState) -> Result
  ) -> Result {
    switch bucket.rate {
    case .whole: body(&whole)
    case .operations(let number): body(&operations[place(of: number)].state)
    case .appInstance: appInstances.with(request.appInstance?.hash ?? 0, now: now, body)
    }
  }

  private mutating func place(of number: UInt8) -> Int {
    if let place = operations.firstIndex(where: { $0.number == number }) { return place }
    operations.append((number, BucketState()))
    return operations.count - 1
  }
}
