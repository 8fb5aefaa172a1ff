import ArgumentParser
import AuditBrowsing
import AuditIndex
import AuditShipping
import AuditStore
import Configuration
import CredentialSupply
import Gateway
import Glibc
import Logging
import OpenSSLCrypto
import Primitives
import RateLimiting
import ServiceManager
import Threads
import Transport

/// `gatehouse serve`
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run the gateway until SIGTERM or SIGINT, then drain.",
    discussion: """
      EXAMPLES:
        gatehouse serve --config /etc/gatehouse/gatehouse.json
      """)

  @OptionGroup var config: ConfigOption

  /// How long the last records may take to the database, within what `drainTimeout` leaves.
  private static let shippingTimeout: Int64 = 3_000_000_000

  /// A heap for the loops, which the first worker shares with the start, and one for the journal and what else has threads.
  private static let heaps = 2

  func run() throws {
    let service = try openService()
    ProcessMemory.refuseDumps()
    ProcessMemory.limitHeaps(to: Self.heaps)
    let path = config.path
    let meters = TenantMeters()
    let clock = SystemClock()
    let supply = CredentialKeeper(Process.surroundings, clock: clock, entropy: SystemEntropy())
    let load: @Sendable () -> SnapshotLoad = {
      let files = RecordingFiles(DiskFiles())
      var load = SnapshotLoader.load(
        configPath: path, files: files, environment: Process.environment, meters: meters, supply: supply)
      load.files = files.record
      Process.wipeSecrets(and: load.environmentNames)
      return load
    }
    let first = load()
    guard let snapshot = first.snapshot else {
      throw CommandFailure(configuration: first.problems, advice: config.advice)
    }

    let sink = try openLog()
    var end: MonotonicInstant?
    defer { sink.close(timeout: Self.timeForLog(until: end, now: clock.monotonic())) }
    let level = Logger.Level(rawValue: snapshot.configuration.log.level.rawValue) ?? .info
    let logger = Logger(label: "gatehouse") { _ in JSONLogHandler(sink: sink, clock: clock, level: level) }
    for problem in first.problems {
      logger.warning("configuration", metadata: ["problem": "\(problem.line)"])
    }
    let journal = try openJournal(snapshot.configuration.audit, clock, logger)
    defer { journal.close() }
    let shipper = try startShipper(snapshot.configuration.audit, journal, clock, logger)
    // The journal is complete by then.
    defer {
      let deadline = clock.monotonic().advanced(byNanoseconds: Self.shippingTimeout)
      shipper?.close(by: end.map { min($0, deadline) } ?? deadline)
    }
    let traces: TraceSettings?
    do throws(TraceSettings.Fault) {
      traces = try TraceSettings(Process.environment)
    } catch {
      throw CommandFailure(.configuration, error.message)
    }
    DispatchThreads.prepare()
    do throws(TransportError) {
      let server = try GatewayServer(
        snapshot: snapshot, supply: supply, journal: journal,
        shipper: shipper, reloader: Reloader(startedAt: clock.wallClock(), load: load), logSink: sink,
        logger: logger, clock: clock,
        background: feeder(of: journal, in: snapshot.configuration.audit.directory.path, logger),
        lookup: JournalBrowser(directory: snapshot.configuration.audit.directory.path, clock: clock),
        service: service, files: first.files, traces: traces)
      try server.run()
      end = server.drainEnd
    } catch {
      throw CommandFailure(.bad, "cannot serve: \(error)")
    }
  }

  private func openService() throws(CommandFailure) -> ServiceContext {
    do throws(ServiceFault) {
      return try ServiceContext(Process.takeServiceVariables())
    } catch {
      throw CommandFailure(.bad, "cannot follow the service manager: \(error)")
    }
  }

  private func openLog() throws(CommandFailure) -> LogSink {
    do throws(ThreadFault) {
      return try LogSink()
    } catch {
      throw CommandFailure(.bad, "cannot write the log: \(String(cString: strerror(error.code)))")
    }
  }

  /// Nanoseconds that the last lines may take: a reader who reads needs a few milliseconds, and one who does not may not
  /// keep the process from ending.
  private static func timeForLog(until end: MonotonicInstant?, now: MonotonicInstant) -> Int64 {
    let most: Int64 = 2_000_000_000
    guard let end else { return most }
    return min(max(end.nanoseconds(since: now), most / 20), most)
  }

  private func feeder(of journal: Journal, in directory: String, _ logger: Logger) -> IndexFeeder {
    IndexFeeder(
      directory: directory, startSequence: journal.statistics.lastSequence,
      lastSequence: { journal.statistics.lastSequence }
    ) { event in
      switch event {
      case .caughtUp(unknown: 0): break
      case .caughtUp(let unknown):
        logger.warning(
          "requests of before this start may have been carried out, but the journal does not tell how they ended",
          metadata: ["count": "\(unknown)", "command": "gatehouse audit reconcile"])
      case .failed(let problem):
        logger.warning(
          "the index of the audit journal cannot be written; it is tried again, and `audit query` takes longer",
          metadata: ["problem": "\(problem)"])
      case .recovered: logger.info("the index of the audit journal is written again")
      }
    }
  }

  private func startShipper(
    _ audit: GatewayConfiguration.Audit, _ journal: Journal, _ clock: SystemClock, _ logger: Logger
  ) throws(CommandFailure) -> JournalShipper? {
    guard let postgres = audit.postgres else { return nil }
    do throws(ShippingFailure) {
      return try JournalShipper(
        PostgresDatabase(postgres, identity: journal.identity), directory: audit.directory.path,
        batch: postgres.batch, clock: clock, copied: { journal.noteCopied(upTo: $0) }
      ) { event in
        logger.log(
          level: event.isProblem ? .warning : .info, "shipping", metadata: ["event": "\(event.message)"])
      }
    } catch {
      throw CommandFailure(.bad, "cannot ship the audit journal: \(error.message)")
    }
  }

  private func openJournal(
    _ audit: GatewayConfiguration.Audit, _ clock: SystemClock, _ logger: Logger
  ) throws(CommandFailure) -> Journal {
    var settings = Journal.Settings(audit)
    settings.report = { event in
      logger.log(
        level: event.isProblem ? .warning : .info, "audit journal", metadata: ["event": "\(event.message)"])
    }
    do {
      let journal = try Journal.open(settings, clock: clock)
      for notice in journal.notices { logger.warning("audit journal", metadata: ["notice": "\(notice)"]) }
      return journal
    } catch {
      throw CommandFailure(.bad, error.message)
    }
  }
}

extension IndexFeeder: BackgroundWork {}
extension JournalBrowser: RequestLookup {}
