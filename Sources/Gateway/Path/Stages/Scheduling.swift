internal import Configuration
internal import LimitStore
internal import Primitives
internal import RateLimiting
internal import Synchronization
internal import Transport

/// A request whose turn to be forwarded has come; made by `awaitTurn`.
struct Scheduled: ~Copyable {
  let permitted: Permitted
  fileprivate init(_ fresh: consuming Fresh) { permitted = fresh.permitted }
}

/// What became of asking for an attempt's turn. Times to wait are nanoseconds.
enum TurnTaking {
  case taken
  /// The account's quota is used up; nothing is paid.
  case budgetRefused(retryAfter: Int64)
  /// The store of limits does not decide, and nothing is allowed without it.
  case storeRefused
  /// Upstream is left alone; what was paid is given back.
  case breakerRefused(retryAfter: Int64)
}

extension Worker {
  /// A turn in the account's quota, and an upstream that is not to be left alone. Before the intent, so that what is
  /// refused here leaves none.
  @inline(__always)
  func awaitTurn(_ fresh: consuming Fresh) async throws(Refusal) -> Scheduled {
    let (call, tenant) = (fresh.permitted.verified.call, fresh.permitted.verified.tenant)
    let region = fresh.permitted.verified.region
    try await needSigner(for: tenant, in: region, call)
    if let store { try await settle(call, store, in: region, isForwarded: true) }
    switch await takeTurn(tenant, in: region, call) {
    case .taken: break
    case .budgetRefused(let wait):
      try refuse(.upstream, retryAfter: wait, in: region, call)
      // The limits only warn; the breaker does not.
      if case .refused(let wait) = askBreaker(of: region) { throw Self.circuitOpen(wait) }
    case .storeRefused: throw .storeDown
    case .breakerRefused(let wait): throw Self.circuitOpen(wait)
    }
    return Scheduled(fresh)
  }

  /// Asks the account's quota and the circuit breaker for one attempt.
  @inline(__always)
  func takeTurn(_ tenant: ServedTenant, in region: Int, _ call: Call) async -> TurnTaking {
    if let store { return await takeTurn(tenant, in: region, call, sharedBy: store) }
    return await takeTurn(tenant, in: region, call, parts: 1)
  }

  @inline(never)
  private func takeTurn(
    _ tenant: ServedTenant, in region: Int, _ call: Call, sharedBy store: StoreClient
  ) async -> TurnTaking {
    // The first attempt's was asked for with all the request's limits, and may have been given then.
    guard let taking = await takeSharedTurn(in: region, call, store) else {
      return await takeTurn(tenant, in: region, call, parts: parts)
    }
    guard case .taken = taking else { return taking }
    guard case .refused(let wait) = askBreaker(of: region) else { return .taken }
    giveBackTurn(of: tenant, in: region, call)
    return .breakerRefused(retryAfter: wait)
  }

  /// - Parameter parts: how many gateways share the quota, each of which counts for itself.
  @inline(__always)
  private func takeTurn(
    _ tenant: ServedTenant, in region: Int, _ call: Call, parts: Int
  ) async -> TurnTaking {
    let left = call.snapshot.requestTimeoutNanoseconds - loop.turnBegan.nanoseconds(since: call.receivedAt)
    let now = loop.turnBegan
    let turn = shared.with(region: region) { $0.turn(for: tenant, waiting: left, parts: parts, now: now) }
    switch turn {
    case .granted: break
    case .waiting(let ticket, let wait):
      if let refused = await waitForTurn(ticket, wait, in: region, call) {
        return .budgetRefused(retryAfter: refused)
      }
    case .refused(let wait): return .budgetRefused(retryAfter: wait)
    }
    // Last, because it may have let this one attempt through to see.
    guard case .refused(let wait) = askBreaker(of: region) else { return .taken }
    giveBackTurn(of: tenant, in: region, call)
    return .breakerRefused(retryAfter: wait)
  }

  /// Looks for the request's turn until it has come; when it does not in time, how long it would still take.
  ///
  /// Others may leave or join the queue, so it looks more often than it is told to.
  private func waitForTurn(
    _ ticket: UpstreamBudget.Ticket, _ wait: Int64, in region: Int, _ call: Call
  ) async -> Int64? {
    // Limits that only warn make nobody wait.
    guard call.snapshot.configuration.rateLimit.mode == .enforce else {
      shared.regions[region: region].leave(ticket)
      return nil
    }
    var wait = wait
    while true {
      await loop.sleep(nanoseconds: min(max(wait, Self.leastSleep), Self.mostSleep))
      switch shared.regions[region: region].look(for: ticket, now: loop.turnBegan) {
      case .granted: return nil
      case .waiting(_, let nanoseconds): wait = nanoseconds
      case .refused(let nanoseconds): return nanoseconds
      }
    }
  }

  private static var leastSleep: Int64 { 1_000_000 }
  private static var mostSleep: Int64 { 25_000_000 }

  private func askBreaker(of region: Int) -> CircuitBreaker.Admission {
    let now = loop.turnBegan
    return shared.with(region: region) { $0.breaker.withLock { $0.admit(now: now) } }
  }

  /// The turn was not used.
  func giveBackTurn(of tenant: ServedTenant, in region: Int, _ call: Call) {
    if let store {
      switch call.trail.store?.turn {
      case .here, .waiting, nil: break
      case .unpaid: return
      case .shared: return giveBackSharedTurn(in: region, call, store)
      }
    }
    shared.regions[region: region].giveBack(tenant.meter)
  }

  private static func circuitOpen(_ wait: Int64) -> Refusal {
    .circuitOpen(retryAfterSeconds: RateLimitFields.wholeSeconds(wait))
  }
}
