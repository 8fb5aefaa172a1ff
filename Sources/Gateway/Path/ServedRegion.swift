internal import Configuration
internal import Primitives
internal import RateLimiting
internal import SharedLimits
internal import Synchronization

/// What all workers know of one region: whether its endpoint answers, and what may still be sent there. AWS counts an
/// account's quotas for each region by itself.
final class ServedRegion: Sendable {
  /// The account's own quota.
  private struct Quota: Sendable {
    var budget: UpstreamBudget
    /// Nanoseconds that a request may wait for its turn.
    var queueFor: Int64
    /// As configured, for all gateways together.
    var whole: UpstreamBudget.Settings
    /// How many of them share it while each counts for itself.
    var parts = 1

    init(_ configured: GatewayConfiguration.UpstreamBudget, now: MonotonicInstant) {
      budget = UpstreamBudget(configured.settings, now: now)
      queueFor = configured.queueFor.nanoseconds
      whole = configured.settings
    }

    mutating func change(to new: GatewayConfiguration.UpstreamBudget, now: MonotonicInstant) {
      whole = new.settings
      queueFor = new.queueFor.nanoseconds
      budget.change(to: new.settings.part(of: parts), now: now)
    }

    mutating func divide(by new: Int, now: MonotonicInstant) {
      guard parts != new else { return }
      parts = new
      budget.change(to: whole.part(of: new), now: now)
    }
  }

  let name: String
  /// Under which the store has the account's quota here; none where there is no store.
  let sharedKey: StoreKey
  let breaker: Mutex<CircuitBreaker>
  let health: UpstreamHealth
  let retryBudget: Mutex<RetryBudget>
  /// `nil`: the account's quota is not limited here.
  private let quota: Mutex<Quota?>

  /// - Parameter report: told when the endpoint's health changes, from any loop.
  init(
    _ name: String, _ configuration: GatewayConfiguration, keys: StoreKeys? = nil, now: MonotonicInstant,
    report: @escaping @Sendable (UpstreamHealth.Event) -> Void
  ) {
    self.name = name
    sharedKey = keys?.bucket("budget", [Text(name)]) ?? .none
    let upstream = configuration.upstream
    breaker = Mutex(
      CircuitBreaker(
        consecutiveFailures: upstream.circuitBreaker.consecutiveFailures,
        openForNanoseconds: upstream.circuitBreaker.openFor.nanoseconds))
    health = UpstreamHealth(report: report)
    retryBudget = Mutex(RetryBudget(percent: upstream.retry.budgetPercent))
    quota = Mutex(configuration.rateLimit.upstreamBudget.map { Quota($0, now: now) })
  }

  /// Puts a reload's quota in force: what is used up under the old one is so, in proportion, under the new.
  func change(to new: GatewayConfiguration.UpstreamBudget?, now: MonotonicInstant) {
    quota.withLock { quota in
      guard let new else { return quota = nil }
      if quota == nil { quota = Quota(new, now: now) } else { quota?.change(to: new, now: now) }
    }
  }

  /// A turn in the account's own quota.
  ///
  /// - Parameters:
  ///   - most: nanoseconds that it may wait for it at most, however long others may.
  ///   - parts: how many gateways share it, each of which counts for itself.
  func turn(
    for tenant: ServedTenant, waiting most: Int64, parts: Int, now: MonotonicInstant
  ) -> UpstreamBudget.Turn {
    quota.withLock { quota in
      guard let queueFor = quota?.queueFor else { return .granted }
      quota?.divide(by: parts, now: now)
      let wait = min(queueFor, max(0, most))
      return quota?.budget.ask(
        tenant.meter.number, weight: tenant.weight, queueFor: wait, now: now) ?? .granted
    }
  }

  /// What became of a request that waits for its turn.
  func look(for ticket: UpstreamBudget.Ticket, now: MonotonicInstant) -> UpstreamBudget.Turn {
    quota.withLock { $0?.budget.look(for: ticket, now: now) } ?? .granted
  }

  /// The request waits no longer.
  func leave(_ ticket: UpstreamBudget.Ticket) { quota.withLock { $0?.budget.leave(ticket) } }

  /// The account's quota as it is in force, and what is left of it.
  func level(now: MonotonicInstant) -> LimitDecision? { quota.withLock { $0?.budget.level(now: now) } }

  /// A turn that was not used.
  func giveBack(_ tenant: TenantMeter) { quota.withLock { $0?.budget.giveBack(tenant.number) } }

  /// The endpoint answered 429.
  func throttled(now: MonotonicInstant) { quota.withLock { $0?.budget.throttled(now: now) } }
}

extension GatewayConfiguration.UpstreamBudget {
  var settings: UpstreamBudget.Settings {
    UpstreamBudget.Settings(
      requestsPerSecond: rate.requestsPerSecond, burst: rate.burst, adaptive: adaptive)
  }
}

extension UpstreamBudget.Settings {
  /// What one of several gateways has of it; a burst is one at least.
  fileprivate func part(of parts: Int) -> Self {
    guard parts > 1 else { return self }
    return Self(
      requestsPerSecond: requestsPerSecond / Double(parts), burst: burst / parts, adaptive: adaptive)
  }
}
