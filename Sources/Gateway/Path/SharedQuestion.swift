internal import Configuration
internal import LimitStore
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
    if let bucket = call.trail.tenant?.stored?.concurrency {
      lease = store.lease(of: bucket.key)
      append(.concurrency, bucket)
    }
    if let region, let bucket = region.sharedBucket(for: call, now: now) { append(.upstream, bucket) }
  }

  /// Of one that is refused for something else: the rates of its source and of its tenant, as far as it came.
  init(refused call: Call) {
    scopes.reserveCapacity(Self.usual)
    buckets.reserveCapacity(Self.usual)
    if let limit = call.snapshot.stored?.source {
      append(.source, SharedBucket(call.source.sharedKey, limit))
    }
    guard call.trail.store?.debt == .tenant, let tenant = call.trail.tenant, let stored = tenant.stored,
      let rates = tenant.rates, let request = call.rated(by: rates)
    else { return }
    rates.forEachBucket(of: request) { rate in
      guard let bucket = stored.bucket(of: rate.rate, call) else { return }
      append(LimitScope(rate.rate), bucket)
    }
  }

  /// Source, tenant, one operation, AppInstance, concurrency, budget.
  private static let usual = 6

  private mutating func append(_ scope: LimitScope, _ bucket: SharedBucket) {
    scopes.append(scope)
    buckets.append(bucket)
  }

  /// The places of those that refuse; where limits are enforced the one that is told of first, and of a tenant's rates only
  /// the tightest.
  func refused(by decision: SharedDecision) -> [Int] {
    guard !decision.isPlain else { return [] }
    let places = scopes.indices.filter { decision[$0].isRefused }
    guard places.count > 1, buckets[0].limit.charge != .warns else { return places }
    let own = places.filter { ![.source, .concurrency, .upstream].contains(scopes[$0]) }
    let tightest = own.max { decision[$0].wait < decision[$1].wait }
    let order: [Int?] = [
      places.first { scopes[$0] == .source }, places.first { scopes[$0] == .concurrency }, tightest,
      places.first { scopes[$0] == .upstream },
    ]
    return order.compactMap { $0 }
  }

  /// What is left of each.
  func levels(_ decision: SharedDecision) -> [LimitLevel] {
    scopes.indices.map { place in
      let bucket = decision[place]
      switch buckets[place].limit.kind {
      case .rate(let limit, _): return LimitLevel(scopes[place], bucket.limit(limit))
      case .concurrency(let most): return LimitLevel(concurrency: most, inFlight: Int(clamping: bucket.used))
      case .budget(let quota): return LimitLevel(scopes[place], bucket.limit(quota))
      }
    }
  }

  /// What the store knows of the source is known here from now on, too.
  func mirror(_ decision: SharedDecision, of call: Call, now: MonotonicInstant) {
    guard scopes.first == .source, case .rate(let limit, _) = buckets[0].limit.kind else { return }
    call.source.mirror(limit, ahead: decision[0].used, now: now)
  }
}

extension BucketDecision {
  /// What a limit of the account's quota says, at the rate that is in force.
  func limit(_ quota: SharedQuota) -> LimitDecision { limit(quota.limit(factor: factor)) }
}

extension ServedRegion {
  /// A turn in the account's quota as the store is asked for it; `nil`: it is not limited.
  func sharedBucket(for call: Call, now: MonotonicInstant) -> SharedBucket? {
    guard let stored = call.snapshot.stored, let budget = stored.budget,
      let tenant = call.trail.tenant?.stored
    else { return nil }
    let left = call.snapshot.requestTimeoutNanoseconds - now.nanoseconds(since: call.receivedAt)
    let wish = QuotaWish(tenant.quota, queueFor: min(stored.budgetQueueFor, max(0, left)))
    return SharedBucket(sharedKey, budget, wish)
  }
}
