internal import Configuration
internal import PolicyEngine
internal import Primitives
internal import RateLimiting
internal import SharedLimits

/// The limits of a configuration as the store is told of them, worked out once a load.
final class StoredLimits: Sendable {
  let keys: StoreKeys
  /// Of one source.
  let source: SharedLimit?
  /// The account's quota in a region.
  let budget: SharedLimit?
  /// Nanoseconds that a request may wait for its turn in that.
  let budgetQueueFor: Int64
  fileprivate let rateQueueFor: Int64
  /// What a limit that refuses means for the others.
  fileprivate let charge: SharedLimit.Charge

  /// - Parameter rateQueueFor: nanoseconds that a request may wait for its tenant's rates.
  /// - Returns: `nil`: there is no store.
  init?(_ limits: GatewayConfiguration.RateLimit, rateQueueFor: Int64) {
    guard let keys = limits.store.keys else { return nil }
    let isEnforced = limits.mode == .enforce
    let charge: SharedLimit.Charge = isEnforced ? .enforced : .warns
    self.keys = keys
    self.charge = charge
    self.rateQueueFor = rateQueueFor
    source = limits.perSourceAddress.map {
      SharedLimit(.rate(GCRA($0), queueFor: 0), isEnforced ? .always : .warns)
    }
    budget = limits.upstreamBudget.map { SharedLimit(.budget(SharedQuota($0.settings)), charge) }
    budgetQueueFor = limits.upstreamBudget?.queueFor.nanoseconds ?? 0
  }

  fileprivate func rate(_ limit: GCRA) -> SharedLimit {
    SharedLimit(.rate(limit, queueFor: rateQueueFor), charge)
  }
}

/// The same of a tenant's limits, with where the store has what it counts.
final class StoredTenantLimits: Sendable {
  /// Of its requests in flight.
  let concurrencyKey: StoreKey
  /// `nil`: any number may be.
  let concurrency: SharedBucket?
  /// Its part in the account's quota.
  let quota: QuotaTenant
  private let whole: SharedBucket?
  private let operations: [(number: UInt8, bucket: SharedBucket)]
  private let perAppInstance: SharedLimit?
  /// What an AppInstance's ARN stands behind.
  private let appInstance: [UInt8]

  init(_ tenant: Text, _ rates: TenantRates?, concurrency most: Int?, weight: Double, _ stored: StoredLimits)
  {
    let keys = stored.keys
    let key = keys.bucket("concurrency", [tenant])
    concurrencyKey = key
    concurrency = most.map { SharedBucket(key, SharedLimit(.concurrency($0), stored.charge)) }
    quota = QuotaTenant(Array(tenant.utf8), weight: weight)
    whole = rates.map { SharedBucket(keys.bucket("tenant", [tenant]), stored.rate($0.whole)) }
    operations = (rates?.operations ?? []).map { rate in
      let name = LimitScope(.operations(rate.number)).name
      return (
        rate.number, SharedBucket(keys.bucket("operations", [tenant, Text(name)]), stored.rate(rate.limit))
      )
    }
    perAppInstance = rates?.perAppInstance.map(stored.rate)
    appInstance = keys.name("appInstance", [tenant])
  }

  /// What a request counts against.
  func bucket(of rate: TenantRate, _ call: Call) -> SharedBucket? {
    switch rate {
    case .whole: return whole
    case .operations(let number): return operations.first { $0.number == number }?.bucket
    case .appInstance:
      var key = appInstance
      call.trail.judged?.withFacts { StoreKeys.append(name: $0.appInstanceArn, to: &key) }
      return perAppInstance.map { SharedBucket(StoreKey(key), $0) }
    }
  }
}
