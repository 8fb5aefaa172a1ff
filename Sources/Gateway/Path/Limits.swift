internal import Configuration
internal import Primitives
internal import RateLimiting
internal import Synchronization

/// The limits of all workers together.
final class Limits: Sendable {
  private let sources = SourceTable()
  /// `nil`: the account's quota is not limited here.
  private let budget: Mutex<UpstreamBudget?>

  init(_ configuration: GatewayConfiguration, now: MonotonicInstant) {
    budget = Mutex(
      configuration.rateLimit.upstreamBudget.map {
        UpstreamBudget(
          requestsPerSecond: $0.rate.requestsPerSecond, burst: $0.rate.burst, adaptive: $0.adaptive, now: now)
      })
  }

  /// The source that requests from `address` count for.
  func source(at address: Text, now: MonotonicInstant) -> Source {
    let key =
      IPAddress(parsing: address.utf8).map { SourceKey.v6(high: $0.high, low: $0.low) } ?? .other(address)
    return Source(address, sources.cell(of: key, now: now))
  }

  /// A turn in the account's own quota; a tenant's weight is its own rate.
  func turn(
    for tenant: ServedTenant, _ configured: GatewayConfiguration.UpstreamBudget, now: MonotonicInstant
  ) -> UpstreamBudget.Turn {
    budget.withLock {
      $0?.ask(
        tenant.meter.number,
        weight: tenant.configured.rateLimit?.requestsPerSecond ?? configured.rate.requestsPerSecond,
        queueFor: configured.queueFor.nanoseconds, now: now)
    } ?? .granted(delay: 0)
  }

  /// A turn that was not used.
  func giveBack(_ tenant: TenantMeter) { budget.withLock { $0?.giveBack(tenant.number) } }

  /// Upstream answered 429.
  func upstreamThrottled(now: MonotonicInstant) { budget.withLock { $0?.throttled(now: now) } }
}

/// An address that requests come from, with the state of its rate limit. A connection keeps the one of its peer.
final class Source: Sendable {
  let address: Text
  private let cell: LimiterCell

  fileprivate init(_ address: Text, _ cell: LimiterCell) {
    self.address = address
    self.cell = cell
  }

  /// What the journal counts refusals by: an address, or of IPv6 the network that its limit is for.
  var network: Text {
    guard let parsed = IPAddress(parsing: address.utf8), !parsed.isIPv4 else { return address }
    return Text("\(IPAddress(high: parsed.high, low: 0).description)/64")
  }

  /// Decides on one request and counts it when it is within the limit.
  func admit(_ limit: GCRA, now: MonotonicInstant) -> LimitDecision { cell.decide(limit, now: now) }
}

extension Throttling {
  /// A limit of a tenant's or a source's rate.
  init(_ scope: Scope, _ decision: LimitDecision, _ limits: GatewayConfiguration.RateLimit) {
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
