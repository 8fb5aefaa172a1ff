internal import AuditStore
internal import AuditTrail
internal import Configuration
internal import CredentialSupply
internal import Primitives
internal import RateLimiting
internal import Synchronization
internal import Transport

/// What all workers share: the journal, the limits, and what is known of upstream's health. Each part guards itself.
final class SharedState: Sendable {
  let journal: Journal
  let limits: Limits
  let breaker: Mutex<CircuitBreaker>
  let health: UpstreamHealth
  let retryBudget: Mutex<RetryBudget>
  let repeats: Repeats
  let connections: ConnectionGate
  let drain = DrainFlag()
  let logSink: LogSink
  let supply: CredentialKeeper

  /// - Parameter report: told when upstream's health changes, from any loop.
  init(
    journal: Journal, configuration: GatewayConfiguration, logSink: LogSink, connections: ConnectionGate,
    supply: CredentialKeeper, now: MonotonicInstant,
    report: @escaping @Sendable (UpstreamHealth.Event) -> Void = { _ in }
  ) {
    self.journal = journal
    self.logSink = logSink
    self.supply = supply
    limits = Limits(configuration, now: now)
    health = UpstreamHealth(report: report)
    let breaker = configuration.upstream.circuitBreaker
    self.breaker = Mutex(
      CircuitBreaker(
        consecutiveFailures: breaker.consecutiveFailures, openForNanoseconds: breaker.openFor.nanoseconds))
    retryBudget = Mutex(RetryBudget(percent: configuration.upstream.retry.budgetPercent))
    repeats = Repeats(windowNanoseconds: configuration.authentication.replayWindow.nanoseconds)
    self.connections = connections
  }
}
