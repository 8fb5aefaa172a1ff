internal import Configuration
internal import Primitives
internal import RateLimiting
internal import Synchronization

/// The limits of all workers together.
final class Limits: Sendable {
  private let sources = LimiterTable()
  private let tenants = LimiterTable()
  private let inFlight = ConcurrencyTable()
  /// `nil`: the account's quota is not limited here.
  private let budget: Mutex<UpstreamBudget?>

  init(_ configuration: GatewayConfiguration, now: MonotonicInstant) {
    budget = Mutex(
      configuration.rateLimit.upstreamBudget.map {
        UpstreamBudget(
          requestsPerSecond: $0.rate.requestsPerSecond, burst: $0.rate.burst, adaptive: $0.adaptive, now: now)
      })
  }

  /// `nil` when the source may ask.
  func admitSource(_ address: Text, _ limits: GatewayConfiguration.RateLimit, now: MonotonicInstant)
    -> Throttling?
  {
    guard let rate = limits.perSourceAddress else { return nil }
    let limit = GCRA(requestsPerSecond: rate.requestsPerSecond, burst: rate.burst)
    let decision = sources.decide(Self.key(of: address), limit: limit, now: now)
    return decision.isAllowed ? nil : Throttling(.source, decision, limits)
  }

  private static func key(of address: Text) -> LimitKey {
    guard let parsed = IPAddress(parsing: address.utf8) else { return .tenant(address) }
    return .source(v6: parsed.high, parsed.low)
  }

  /// `nil` when the tenant is within its rate.
  func admit(_ tenant: Tenant, _ limits: GatewayConfiguration.RateLimit, now: MonotonicInstant) -> Throttling?
  {
    guard let rate = tenant.rateLimit else { return nil }
    let limit = GCRA(requestsPerSecond: rate.requestsPerSecond, burst: rate.burst)
    let decision = tenants.decide(.tenant(tenant.id), limit: limit, now: now)
    return decision.isAllowed ? nil : Throttling(.tenant, decision, limits)
  }

  /// Keeps a place among the tenant's requests in flight until the permit is gone.
  func enter(_ tenant: Tenant, limit: Int) -> ConcurrencyPermit? { inFlight.acquire(tenant.id, limit: limit) }

  /// A turn in the account's own quota; a tenant's weight is its own rate.
  func turn(
    for tenant: Tenant, _ limits: GatewayConfiguration.RateLimit, now: MonotonicInstant
  ) -> UpstreamBudget.Turn {
    guard let configured = limits.upstreamBudget else { return .granted(delay: 0) }
    return budget.withLock {
      $0?.ask(
        tenant.id, weight: tenant.rateLimit?.requestsPerSecond ?? configured.rate.requestsPerSecond,
        queueFor: configured.queueFor.nanoseconds, now: now)
    } ?? .granted(delay: 0)
  }

  /// A turn that was not used.
  func giveBack(_ tenant: Text) { budget.withLock { $0?.giveBack(tenant) } }

  /// Upstream answered 429.
  func upstreamThrottled(now: MonotonicInstant) { budget.withLock { $0?.throttled(now: now) } }
}

extension Throttling {
  fileprivate init(_ scope: Scope, _ decision: LimitDecision, _ limits: GatewayConfiguration.RateLimit) {
    let name: StaticString = scope == .source ? "source" : "tenant"
    var lines: [UInt8] = []
    lines.append("RateLimit: ")
    RateLimitFields.appendState(of: decision, named: name, to: &lines)
    lines.append("\r\nRateLimit-Policy: ")
    RateLimitFields.appendPolicy(decision.policy, named: name, to: &lines)
    lines.append("\r\n")
    self.init(
      scope: scope, retryAfterSeconds: RateLimitFields.wholeSeconds(decision.retryAfter), fieldLines: lines,
      errorType: limits.errorType)
  }

  /// A limit that is not one of a tenant's or a source's rate.
  init(
    _ scope: Scope, retryAfter nanoseconds: Int64, policy: [UInt8], _ limits: GatewayConfiguration.RateLimit
  ) {
    self.init(
      scope: scope, retryAfterSeconds: RateLimitFields.wholeSeconds(nanoseconds), fieldLines: policy,
      errorType: limits.errorType)
  }
}
