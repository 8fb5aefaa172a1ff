internal import Configuration
internal import LimitStore
internal import PolicyEngine
internal import Primitives
internal import RateLimiting
internal import SharedLimits

/// The limits of a request, as the store is asked about them.
struct SharedQuestion {
  private(set) var buckets: [SharedBucket] = []
  /// Of each bucket.
  private(set) var scopes: [LimitScope] = []
  /// By which it will be known among those in flight; `nil` where their number is not limited.
  private(set) var lease: SharedLease?

  /// Of a request that goes on.
  /// - Parameter region: where it is forwarded to, if it is.
  init(_ call: Call, _ store: StoreClient, to region: ServedRegion?, now: MonotonicInstant) {
    self.init(refused: call)
    if let tenant = call.trail.tenant, let most = tenant.concurrency {
      let key = tenant.sharedKeys.concurrency
      lease = store.lease(of: key)
      append(.concurrency, SharedBucket(key: key, .concurrency(most), call.snapshot.charge))
    }
    if let region, let bucket = region.sharedBucket(for: call, store, now: now) {
      append(.upstream, bucket)
    }
  }

  /// Of one that is refused for something else: the rates of its source and of its tenant, as far as it came.
  init(refused call: Call) {
    let snapshot = call.snapshot
    if let limit = snapshot.sourceLimit {
      append(
        .source,
        SharedBucket(
          key: call.source.sharedKey, .rate(limit, queueFor: 0), snapshot.isEnforced ? .always : .warns))
    }
    guard call.trail.store?.debt == .tenant, let tenant = call.trail.tenant, let rates = tenant.rates,
      let request = call.rated(by: rates)
    else { return }
    rates.forEachBucket(of: request) { bucket in
      append(
        LimitScope(bucket.rate),
        SharedBucket(
          key: tenant.sharedKeys.key(of: bucket.rate, call),
          .rate(bucket.limit, queueFor: snapshot.rateQueueNanoseconds), snapshot.charge))
    }
  }

  private mutating func append(_ scope: LimitScope, _ bucket: SharedBucket) {
    scopes.append(scope)
    buckets.append(bucket)
  }

  /// The places of those that refuse; where limits are enforced the one that is told of first, and of a tenant's rates only
  /// the tightest.
  func refused(by decision: SharedDecision) -> [Int] {
    let places = scopes.indices.filter { decision.buckets[$0].isRefused }
    guard places.count > 1, buckets[0].charge != .warns else { return places }
    let own = places.filter { ![.source, .concurrency, .upstream].contains(scopes[$0]) }
    let tightest = own.max { decision.buckets[$0].wait < decision.buckets[$1].wait }
    let order: [Int?] = [
      places.first { scopes[$0] == .source }, places.first { scopes[$0] == .concurrency }, tightest,
      places.first { scopes[$0] == .upstream },
    ]
    return order.compactMap { $0 }
  }

  /// What is left of each.
  func levels(_ decision: SharedDecision) -> [LimitLevel] {
    scopes.indices.map { place in
      let bucket = decision.buckets[place]
      switch buckets[place].kind {
      case .rate(let limit, _): return LimitLevel(scopes[place], bucket.limit(limit))
      case .concurrency(let most): return LimitLevel(concurrency: most, inFlight: Int(clamping: bucket.used))
      case .budget(let budget): return LimitLevel(scopes[place], bucket.limit(budget))
      }
    }
  }

  /// What the store knows of the source is known here from now on, too.
  func mirror(_ decision: SharedDecision, of call: Call, now: MonotonicInstant) {
    guard scopes.first == .source, case .rate(let limit, _) = buckets[0].kind else { return }
    call.source.mirror(limit, ahead: decision.buckets[0].used, now: now)
  }
}

extension Snapshot {
  /// What a limit that refuses means for the others.
  var charge: SharedBucket.Charge { isEnforced ? .enforced : .warns }
}

extension BucketDecision {
  /// What a limit of the account's quota says, at the rate that is in force.
  func limit(_ budget: SharedBudget) -> LimitDecision { limit(budget.quota.limit(factor: factor)) }
}

extension ServedRegion {
  /// Under which the store has the account's quota in this region.
  func sharedKey(keys: StoreKeys) -> [UInt8] { keys.bucket("budget", [Text(name)]) }

  /// A turn in the account's quota as the store is asked for it; `nil`: it is not limited.
  func sharedBucket(for call: Call, _ store: StoreClient, now: MonotonicInstant) -> SharedBucket? {
    guard let (quota, queueFor) = quotaForAll, let tenant = call.trail.tenant else { return nil }
    let left = call.snapshot.requestTimeoutNanoseconds - now.nanoseconds(since: call.receivedAt)
    let budget = SharedBudget(quota, tenant.sharedKeys.quota, queueFor: min(queueFor, max(0, left)))
    return SharedBucket(key: sharedKey(keys: store.keys), .budget(budget), call.snapshot.charge)
  }
}

/// Where the store has what it counts of a tenant.
struct TenantStoreKeys: Sendable {
  let concurrency: [UInt8]
  /// Its part in the account's quota.
  let quota: QuotaTenant
  private let whole: [UInt8]
  private let operations: [(number: UInt8, key: [UInt8])]
  /// What an AppInstance's ARN stands behind.
  private let appInstance: [UInt8]

  /// - Parameter keys: `nil`: there is no store.
  init(_ tenant: Text, _ rates: TenantRates?, weight: Double, _ keys: StoreKeys?) {
    quota = QuotaTenant(Array(tenant.utf8), weight: weight)
    concurrency = keys?.bucket("concurrency", [tenant]) ?? []
    whole = keys?.bucket("tenant", [tenant]) ?? []
    appInstance = keys?.bucket("appInstance", [tenant]) ?? []
    operations = (keys == nil ? [] : rates?.operations ?? []).map { rate in
      let name = LimitScope(.operations(rate.number)).name
      return (rate.number, keys?.bucket("operations", [tenant, Text(name)]) ?? [])
    }
  }

  func key(of rate: TenantRate, _ call: Call) -> [UInt8] {
    switch rate {
    case .whole: return whole
    case .operations(let number): return operations.first { $0.number == number }?.key ?? whole
    case .appInstance:
      var key = appInstance
      call.trail.judged?.withFacts { StoreKeys.append(name: $0.appInstanceArn, to: &key) }
      return key
    }
  }
}
