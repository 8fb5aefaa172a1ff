import AuditStore
import Configuration
import CredentialSupply
import Gateway
import Logging
import OpenSSLCrypto
import Primitives
import RateLimiting
import Transport

/// Serves as `gatehouse serve` does, with a journal that forgets: what is left of the time a request takes is what
/// everything else costs. It is no way to run a gateway, and nothing installs it.
@main
struct WithoutJournal {
  static func main() throws {
    guard CommandLine.arguments.count == 2 else { throw Failure.usage }
    let path = CommandLine.arguments[1]
    let meters = TenantMeters()
    let clock = SystemClock()
    let supply = CredentialKeeper(
      CredentialSurroundings(environment: [:], read: { _ in nil }), clock: clock, entropy: SystemEntropy())
    let load: @Sendable () -> SnapshotLoad = {
      SnapshotLoader.load(
        configPath: path, files: DiskFiles(), environment: [:], meters: meters, supply: supply)
    }
    let first = load()
    guard let snapshot = first.snapshot else {
      throw Failure.configuration(first.problems.map { "\($0.line)" })
    }
    let sink = try LogSink()
    defer { sink.close() }
    let level = Logger.Level(rawValue: snapshot.configuration.log.level.rawValue) ?? .info
    let logger = Logger(label: "gatehouse") { _ in JSONLogHandler(sink: sink, clock: clock, level: level) }
    let server = try GatewayServer(
      snapshot: snapshot, supply: supply,
      journal: .discarding(entropy: SystemEntropy()),
      reloader: Reloader(startedAt: clock.wallClock(), load: load), logSink: sink, logger: logger,
      clock: clock, background: NoIndex())
    try server.run()
  }

  enum Failure: Error {
    /// It takes one argument, the configuration's path.
    case usage
    case configuration([String])
  }
}

/// There is no journal to keep an index of.
struct NoIndex: BackgroundWork {
  func run() {}
  func stop() {}
}
