internal import AuditStore
internal import AuditTrail
internal import Configuration
internal import CredentialSupply
internal import Primitives
internal import Transport

/// What all workers share: the journal, the limits, and what is known of each region's health. Each part guards itself.
final class SharedState: Sendable {
  let journal: Journal
  let limits: Limits
  let regions: PerRegion<ServedRegion>
  /// The first of them, which mostly is the only one, at hand.
  private let home: ServedRegion
  let repeats: Repeats
  let connections: ConnectionGate
  let drain = DrainFlag()
  let logSink: LogSink
  let supply: CredentialKeeper
  /// `nil`: limits are counted in this process.
  let store: SharedStore?

  /// - Parameter report: told when a region's health changes, from any loop.
  init(
    journal: Journal, configuration: GatewayConfiguration, logSink: LogSink, connections: ConnectionGate,
    supply: CredentialKeeper, store: SharedStore? = nil, now: MonotonicInstant,
    report: @escaping @Sendable (GatewayConfiguration.Region, UpstreamHealth.Event) -> Void = { _, _ in }
  ) {
    self.journal = journal
    self.logSink = logSink
    self.supply = supply
    self.store = store
    limits = Limits(keys: store?.keys)
    regions = configuration.upstream.regions.map { region in
      ServedRegion(region.name, configuration, keys: store?.keys, now: now) { report(region, $0) }
    }
    home = regions.first
    repeats = Repeats(windowNanoseconds: configuration.authentication.replayWindow.nanoseconds)
    self.connections = connections
  }

  /// Lends a region, by its place, instead of taking it out, which would count its references.
  @inline(__always)
  func with<R>(region: Int, _ use: (ServedRegion) -> R) -> R {
    region == 0 ? use(home) : use(regions[region: region])
  }

  /// Puts a reload's limits in force.
  func change(to snapshot: Snapshot, now: MonotonicInstant) {
    limits.change(to: snapshot, now: now)
    for region in regions.all {
      region.change(to: snapshot.configuration.rateLimit.upstreamBudget, now: now)
    }
  }
}
