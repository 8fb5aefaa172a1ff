import ArgumentParser
import AuditIndex
import AuditReconciliation
import AuditStore
import AuditTrail
import ChimeIdentity
import Configuration
import Gateway
import Primitives
import SigV4
import Transport

/// Finds out what became of requests whose answer nobody saw.
struct AuditReconcileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconcile",
    abstract: "Ask upstream what became of requests without a known outcome, and record it.")

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption
  @OptionGroup var timeRange: TimeRangeOption
  @Flag(help: "Ask and tell, and record nothing.")
  var dryRun = false

  /// By how much upstream's clock and this machine's may differ.
  private static let clockSkew: Int64 = 300_000_000_000

  func run() throws {
    let configuration = try configOption.loadConfiguration()
    // While somebody writes the journal, requests may be under way that have no outcome yet.
    let journal = try hold(configuration.audit)
    defer { journal?.close() }
    let (requests, reads) = try unknownRequests(configuration.audit)
    if reads > 0 {
      Console.message(
        "gatehouse: \(reads) reads without a known outcome are left alone: they changed nothing")
    }
    guard !requests.isEmpty else {
      return Console.message("gatehouse: no request is without a known outcome")
    }
    let summary = try ask(about: requests, configuration, journal)
    Console.message("gatehouse: \(summary.text)\(dryRun ? "; nothing was recorded" : "")")
    guard summary.left == 0 else { throw ExitCode(ExitStatus.bad.rawValue) }
  }

  /// - Returns: the journal to record in; `nil` for a dry run, which leaves the folder as it is.
  private func hold(_ audit: GatewayConfiguration.Audit) throws(CommandFailure) -> Journal? {
    let isHeld: Bool
    do throws(AuditStore.FileFault) {
      // A folder that is not there is not made.
      isHeld = try JournalReader(directory: audit.directory.path).isHeld()
    } catch {
      throw CommandFailure(journal: audit.directory, error)
    }
    if dryRun, isHeld {
      throw CommandFailure(.bad, "the audit journal is held by another process; its requests may still end")
    }
    guard !dryRun else { return nil }
    var settings = Journal.Settings(audit)
    settings.durability = .sync
    do throws(JournalOpenFailure) {
      let journal = try Journal.open(settings, clock: SystemClock())
      for notice in journal.notices { Console.message("gatehouse: \(notice)") }
      return journal
    } catch {
      throw CommandFailure(.bad, error.message)
    }
  }

  /// - Returns: those that may have changed something, oldest first, and how many reads there are beside.
  private func unknownRequests(
    _ audit: GatewayConfiguration.Audit
  ) throws -> (requests: [RequestHistory], reads: Int) {
    var filter = QueryFilter()
    filter.isUnknown = true
    (filter.since, filter.until) = timeRange.resolved
    let readNames = Set(Operation.allCases.filter(\.isRead).map(\.text))
    let source = JournalSource(directory: audit.directory.path) { Console.message("gatehouse: \($0)") }
    var requests: [RequestHistory] = []
    var reads = 0
    do {
      _ = try source.forEachRequest(matching: filter, limit: nil) { request in
        if request.text("operation").map({ readNames.contains($0) }) == true {
          reads += 1
        } else {
          requests.append(request)
        }
      }
    } catch let fault as AuditStore.FileFault {
      throw CommandFailure(journal: audit.directory, fault)
    }
    return (requests, reads)
  }

  private func ask(
    about requests: [RequestHistory], _ configuration: GatewayConfiguration, _ journal: Journal?
  ) throws -> ReconciliationSummary {
    let upstream = configuration.upstream
    let credentials = try Self.credentials(upstream)
    let key = configuration.audit.sensitive.key
    let format = formatOption.format
    return try LoopTask.run { loop throws(CommandFailure) in
      let client: ServiceClient
      do throws(TransportError) {
        client = ServiceClient(
          try PoolTarget(upstream), host: upstream.endpoint.authority, region: upstream.region,
          credentials: credentials, connectTimeout: upstream.connectTimeout.nanoseconds,
          timeout: upstream.requestTimeout.nanoseconds, loop: loop)
      } catch {
        throw CommandFailure(.bad, "cannot ask upstream: \(error)")
      }
      let reader = ServiceReader(client, attempts: upstream.retry.attempts, loop: loop)
      defer { reader.close() }
      var values = QueryFilter()
      values.hashKey = key
      let reconciler = Reconciler(
        reader: reader, tolerance: Self.clockSkew + upstream.requestTimeout.nanoseconds, values: values)
      return try await Reconciliation(
        reconciler: reconciler, clock: loop.clock, record: journal.map { Self.recorder($0) },
        show: { reconciled in
          switch format {
          case .json: Console.data(json: reconciled.json)
          case .text: Console.data(reconciled.text)
          }
        }
      ).run(requests)
    }
  }

  private static func recorder(_ journal: Journal) -> ([UInt8]) async throws(CommandFailure) -> Void {
    { record throws(CommandFailure) in
      do throws(JournalFailure) {
        _ = try await journal.append(record)
      } catch {
        throw CommandFailure(.bad, error.message)
      }
    }
  }

  /// The gateway's own.
  private static func credentials(
    _ upstream: GatewayConfiguration.Upstream
  ) throws(CommandFailure) -> Credentials {
    do {
      return try CredentialProvider.load(
        upstream.credentials, environment: Process.environment,
        readText: { path in (try? DiskFiles().read(path)).map { String(decoding: $0.bytes, as: UTF8.self) } })
    } catch {
      throw CommandFailure(.bad, "upstream cannot be asked without AWS credentials: \(error)")
    }
  }
}
