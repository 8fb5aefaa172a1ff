internal import Configuration
internal import LimitStore
internal import Primitives
internal import RateLimiting
internal import SharedLimits
internal import Transport

/// What of a request's limits the store is still to be asked about. It is asked once, when all is known that one round trip
/// can be about; a request that is refused before, for something else, still counts for its source and its tenant.
enum StoreDebt: UInt8, Sendable {
  /// Nothing: limits are counted here, or it has been asked.
  case none
  /// The rate of its source.
  case source
  /// That and the limits of its tenant.
  case tenant
}

/// What the store has to do with one request.
final class StoreTrail {
  /// What it is still to be asked.
  var debt = StoreDebt.none
  /// What it said of the request's limits, where one refuses it.
  var levels: [LimitLevel] = []
  /// By what the turn of the attempt that comes was paid.
  var turn = TurnPayment.here
  /// The request's place among those in flight.
  var lease: SharedLease?
}

/// By what the turn of an attempt is paid.
enum TurnPayment: Sendable {
  /// By what this gateway counts, or it is not asked for yet.
  case here
  /// It stands in the store's queue, for so many nanoseconds at least.
  case waiting(ticket: Int64, nanoseconds: Int64)
  /// By what the store counts for all.
  case shared
  /// Not at all: the quota is used up, and limits only warn.
  case unpaid
}

extension Worker {
  /// How many gateways share each limit that is counted here.
  var parts: Int { shared.store?.health.gateways ?? 1 }

  /// The rate of a source: what is over it here alone is so for all gateways together, without being asked about.
  @inline(never)
  func limitSource(of call: Call, sharedBy store: StoreClient) throws(Refusal) {
    let (isUp, trail) = (store.isUp, StoreTrail())
    call.trail.begin(trail)
    if isUp { trail.debt = .source }
    guard let limit = call.snapshot.sourceLimit, isUp || call.snapshot.onStoreFailure == .local else {
      return
    }
    let part = isUp ? limit : limit.part(of: parts)
    let decision = call.source.admit(part, now: call.receivedAt)
    guard !decision.isAllowed else { return }
    // It stays a debt where limits only warn.
    if call.snapshot.isEnforced { trail.debt = .none }
    try refuse(.source, retryAfter: decision.wait, call)
  }

  /// - Returns: whether the tenant's limits are not to be counted here.
  @inline(never)
  func leavesTenant(of call: Call) throws(Refusal) -> Bool {
    if let trail = call.trail.store, trail.debt == .source {
      trail.debt = .tenant
      return true
    }
    switch call.snapshot.onStoreFailure {
    case .local: return false
    case .allow: return true
    case .deny: throw .storeDown
    }
  }

  /// Asks about all limits of a request that goes on.
  /// - Parameters:
  ///   - region: where it is for.
  ///   - isForwarded: `false`: a repeat shares another one's answer.
  @inline(never)
  func settle(
    _ call: Call, _ store: StoreClient, in region: Int, isForwarded: Bool
  ) async throws(Refusal) {
    guard let trail = call.trail.store, trail.debt != .none else { return }
    let question = SharedQuestion(
      call, store, to: isForwarded ? shared.regions[region: region] : nil, now: loop.turnBegan)
    trail.debt = .none
    guard !question.buckets.isEmpty else { return }
    guard let decision = await store.decide(question.buckets, lease: question.lease) else {
      return try await settleAlone(call, in: region)
    }
    let wait = try apply(decision, to: question, of: call, in: region, store)
    if wait > 0 { await loop.sleep(nanoseconds: wait) }
  }

  /// Counts a request that is refused for something else.
  /// - Returns: why it is refused: limits come first.
  @inline(never)
  func settle(_ call: Call, _ store: StoreClient, refused: Refusal) async -> Refusal {
    guard let trail = call.trail.store, trail.debt != .none else { return refused }
    let question = SharedQuestion(refused: call)
    trail.debt = .none
    guard !question.buckets.isEmpty,
      let decision = await store.decide(question.buckets, lease: nil)
    else { return refused }
    do throws(Refusal) {
      _ = try apply(decision, to: question, of: call, in: nil, store)
      return refused
    } catch {
      return error
    }
  }

  /// Counts a request that is answered at once.
  @inline(never)
  func settleWithoutWaiting(_ call: Call, _ store: StoreClient) {
    guard let trail = call.trail.store, trail.debt != .none else { return }
    let question = SharedQuestion(refused: call)
    trail.debt = .none
    guard !question.buckets.isEmpty else { return }
    let loop = loop
    store.tell(question.buckets) { decision in
      guard let decision else { return }
      question.mirror(decision, of: call, now: loop.turnBegan)
    }
  }

  /// The store was there when the request came, and is no more.
  private func settleAlone(_ call: Call, in region: Int) async throws(Refusal) {
    guard let tenant = call.trail.tenant, try !leavesTenant(of: call) else { return }
    let wait = try countIn(call, tenant, in: region, parts: parts)
    if wait > 0 { await loop.sleep(nanoseconds: wait) }
  }

  /// - Returns: nanoseconds until the request's turn.
  private func apply(
    _ decision: SharedDecision, to question: SharedQuestion, of call: Call, in region: Int?,
    _ store: StoreClient
  ) throws(Refusal) -> Int64 {
    question.mirror(decision, of: call, now: loop.turnBegan)
    let refused = question.refused(by: decision)
    if !refused.isEmpty { call.trail.store?.levels = question.levels(decision) }
    for place in refused {
      // The first, unless limits only warn.
      try refuse(question.scopes[place], retryAfter: decision[place].wait, in: region, call)
    }
    var wait: Int64 = 0
    for (place, scope) in question.scopes.enumerated() {
      let bucket = decision[place]
      if scope == .upstream {
        call.trail.store?.turn = bucket.payment
        continue
      }
      guard !bucket.isRefused else { continue }
      // Limits that only warn make nobody wait.
      if call.snapshot.isEnforced { wait = max(wait, bucket.wait) }
      if scope == .concurrency, let lease = question.lease, let tenant = call.trail.tenant {
        hold(lease, for: call, of: tenant, store)
      }
    }
    return wait
  }

  private func hold(_ lease: SharedLease, for call: Call, of tenant: ServedTenant, _ store: StoreClient) {
    store.hold(lease)
    call.trail.store?.lease = lease
    call.trail.permit = tenant.meter.enter(limit: .max)
  }

  /// A request that is counted here is in flight for the store as well, once it is there again.
  func holdLater(_ call: Call, of tenant: ServedTenant) {
    guard let store, let stored = tenant.stored else { return }
    let lease = store.lease(of: stored.concurrencyKey)
    store.hold(lease)
    call.trail.store?.lease = lease
  }

  /// The request is no longer in flight. Nothing is asked about it from now on.
  @inline(never)
  func endStore(of call: Call, _ store: StoreClient) {
    if let lease = call.trail.store?.lease { store.release(lease) }
    call.trail.endStore()
  }

  /// A turn in the account's quota, for another attempt or one whose turn was not asked for with the request's other limits;
  /// `nil`: the store does not decide.
  func takeSharedTurn(in region: Int, _ call: Call, _ store: StoreClient) async -> TurnTaking? {
    let served = shared.regions[region: region]
    while true {
      switch call.trail.store?.turn {
      case .shared, .unpaid: return .taken
      case .here, nil:
        guard let bucket = served.sharedBucket(for: call, now: loop.turnBegan) else { return .taken }
        guard let decision = await store.decide([bucket], lease: nil)?[0] else {
          return withoutStore(call)
        }
        if decision.isRefused { return refuse(decision, of: bucket, call) }
        call.trail.store?.turn = decision.payment
      case .waiting(let ticket, let wait):
        await loop.sleep(nanoseconds: Self.nextLook(wait))
        guard let bucket = served.sharedBucket(for: call, now: loop.turnBegan) else { return .taken }
        guard let decision = await store.look(bucket, ticket: ticket) else {
          return withoutStore(call)
        }
        if decision.isRefused { return refuse(decision, of: bucket, call) }
        call.trail.store?.turn = decision.payment
      }
    }
  }

  /// Others may leave the queue, so it looks more often than it is told to, and less so the longer its turn is off.
  private static func nextLook(_ wait: Int64) -> Int64 {
    let (soon, most): (Int64, Int64) = (50_000_000, 500_000_000)
    return wait <= soon ? max(wait, 1_000_000) : min(max(wait / 2, soon), most)
  }

  private func withoutStore(_ call: Call) -> TurnTaking? {
    let policy = call.snapshot.onStoreFailure
    call.trail.store?.turn = policy == .local ? .here : .unpaid
    return switch policy {
    case .local: nil
    case .allow: .taken
    case .deny: .storeRefused
    }
  }

  private func refuse(_ decision: BucketDecision, of bucket: SharedBucket, _ call: Call) -> TurnTaking {
    if case .budget(let quota) = bucket.limit.kind {
      call.trail.store?.levels = [LimitLevel(.upstream, decision.limit(quota))]
    }
    call.trail.store?.turn = .unpaid
    return .budgetRefused(retryAfter: decision.wait)
  }

  func giveBackSharedTurn(in region: Int, _ call: Call, _ store: StoreClient) {
    let bucket = shared.regions[region: region].sharedBucket(for: call, now: loop.turnBegan)
    if let bucket { store.giveBack(bucket) }
  }

  /// Upstream answered 429: all gateways send less for a while.
  @inline(never)
  func tellThrottled(in region: Int, _ call: Call, _ store: StoreClient) {
    guard case .budget(let quota)? = call.snapshot.stored?.budget?.kind, quota.settings.adaptive else {
      return
    }
    store.throttled(shared.regions[region: region].sharedKey, quota)
  }
}

extension BucketDecision {
  /// By what a turn that is not refused is paid.
  fileprivate var payment: TurnPayment {
    switch outcome {
    case .refused: .unpaid
    // Where limits only warn it is let through, for what it would have waited for.
    case .allowed: wait > 0 ? .unpaid : .shared
    case .waiting(let ticket): .waiting(ticket: ticket, nanoseconds: wait)
    case .unasked: .here
    }
  }
}

extension Snapshot {
  var isEnforced: Bool { configuration.rateLimit.mode == .enforce }
  var onStoreFailure: GatewayConfiguration.RateLimit.StoreFailure { configuration.rateLimit.onStoreFailure }
}
