package import Primitives
internal import Synchronization

/// What is counted of one tenant: its rates and its requests in flight. It is found once, when a configuration is loaded,
/// and outlives reloads, so that none gives a burst anew.
package final class TenantMeter: Sendable {
  package let id: Text
  /// From 1, the same for as long as the process lives: for tables with one slot a tenant.
  package let number: Int
  private let buckets = Mutex(TenantBuckets())
  private let requestsInFlight = Atomic<Int>(0)

  init(id: Text, number: Int) {
    self.id = id
    self.number = number
  }

  /// Decides on one request and counts it when it is within all rates that apply to it.
  ///
  /// - Parameter queueFor: nanoseconds that it may wait for its turn.
  package func admit(
    _ rates: borrowing TenantRates, _ request: RatedRequest, now: MonotonicInstant, queueFor: Int64 = 0
  ) -> RateDecision {
    buckets.withLock { $0.admit(rates, request, now: now, queueFor: queueFor) }
  }

  /// Counts a request that is let through whatever they say, by each rate for itself.
  ///
  /// - Returns: the rates that it is beyond, which it does not count against.
  package func count(
    _ rates: borrowing TenantRates, _ request: RatedRequest, now: MonotonicInstant, queueFor: Int64 = 0
  ) -> [TenantRate] {
    buckets.withLock { $0.count(rates, request, now: now, queueFor: queueFor) }
  }

  /// What each rate that applies would say of the request, which is not counted.
  package func levels(_ rates: TenantRates, of request: RatedRequest, now: MonotonicInstant) -> [RateDecision]
  {
    buckets.withLock { $0.levels(rates, of: request, now: now) }
  }

  /// Other rates are in force from now on.
  package func change(to rates: TenantRates, now: MonotonicInstant) {
    buckets.withLock { $0.change(to: rates, now: now) }
  }

  /// A permit for one request, or `nil` when `limit` are in flight already.
  package func enter(limit: Int) -> ConcurrencyPermit? {
    var found = requestsInFlight.load(ordering: .relaxed)
    while found < limit {
      let (isExchanged, current) = requestsInFlight.weakCompareExchange(
        expected: found, desired: found + 1, ordering: .relaxed)
      if isExchanged { return ConcurrencyPermit(self) }
      found = current
    }
    return nil
  }

  package var inFlight: Int { requestsInFlight.load(ordering: .relaxed) }

  fileprivate func leave() { requestsInFlight.subtract(1, ordering: .relaxed) }
}

/// The right to have one request in flight. It cannot be copied, and gives its place back exactly
/// once: when it is released or goes out of scope.
package struct ConcurrencyPermit: ~Copyable, Sendable {
  private let meter: TenantMeter

  fileprivate init(_ meter: TenantMeter) { self.meter = meter }

  /// Gives the place back now.
  package consuming func release() {}

  deinit { meter.leave() }
}

/// The meters of all tenants that were ever configured in this process, by id. There are never more than that, so none is
/// let go of.
package final class TenantMeters: Sendable {
  private let meters = Mutex<[Text: TenantMeter]>([:])

  package init() {}

  /// The meter of a tenant, made now if it has none yet.
  package func meter(of id: Text) -> TenantMeter {
    meters.withLock { meters in
      if let meter = meters[id] { return meter }
      let meter = TenantMeter(id: id, number: meters.count + 1)
      meters[id] = meter
      return meter
    }
  }

  /// The ids by the numbers of their meters; the first, which no tenant has, is empty.
  package var ids: [Text] {
    meters.withLock { meters in
      var ids = [Text](repeating: "", count: meters.count + 1)
      for meter in meters.values { ids[meter.number] = meter.id }
      return ids
    }
  }
}
