internal import Configuration
internal import Primitives
internal import RateLimiting
internal import Synchronization

/// The limits of all workers together.
final class Limits: Sendable {
  /// The account's own quota.
  private struct Quota: Sendable {
    var budget: UpstreamBudget
    /// Nanoseconds that a request may wait for its turn.
    var queueFor: Int64
  }

  private let sources = SourceTable()
  /// `nil`: the account's quota is not limited here.
  private let quota: Mutex<Quota?>

  init(_ configuration: GatewayConfiguration, now: MonotonicInstant) {
    quota = Mutex(
      configuration.rateLimit.upstreamBudget.map {
        Quota(budget: UpstreamBudget($0.settings, now: now), queueFor: $0.queueFor.nanoseconds)
      })
  }

  /// Puts a reload's limits in force: what is used up under the old ones is so, in proportion, under the new.
  func change(to snapshot: Snapshot, now: MonotonicInstant) {
    snapshot.changeMeters(now: now)
    if let limit = snapshot.sourceLimit { sources.change(to: limit, now: now) }
    quota.withLock { quota in
      guard let new = snapshot.configuration.rateLimit.upstreamBudget else { return quota = nil }
      if quota == nil {
        quota = Quota(budget: UpstreamBudget(new.settings, now: now), queueFor: 0)
      }
      quota?.budget.change(to: new.settings, now: now)
      quota?.queueFor = new.queueFor.nanoseconds
    }
  }

  /// The source that requests from `address` count for.
  func source(at address: Text, now: MonotonicInstant) -> Source {
    let key =
      IPAddress(parsing: address.utf8).map { SourceKey.v6(high: $0.high, low: $0.low) } ?? .other(address)
    return Source(address, sources.cell(of: key, now: now))
  }

  /// A turn in the account's own quota.
  ///
  /// - Parameter most: nanoseconds that it may wait for it at most, however long others may.
  func turn(for tenant: ServedTenant, waiting most: Int64, now: MonotonicInstant) -> UpstreamBudget.Turn {
    quota.withLock { quota in
      guard let queueFor = quota?.queueFor else { return .granted }
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

  /// The account's quota as it is in force.
  var upstreamLimit: GCRA? { quota.withLock { $0?.budget.limit } }

  /// A turn that was not used.
  func giveBack(_ tenant: TenantMeter) { quota.withLock { $0?.budget.giveBack(tenant.number) } }

  /// Upstream answered 429.
  func upstreamThrottled(now: MonotonicInstant) { quota.withLock { $0?.budget.throttled(now: now) } }
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

extension GatewayConfiguration.UpstreamBudget {
  fileprivate var settings: UpstreamBudget.Settings {
    UpstreamBudget.Settings(
      requestsPerSecond: rate.requestsPerSecond, burst: rate.burst, adaptive: adaptive)
  }
}
