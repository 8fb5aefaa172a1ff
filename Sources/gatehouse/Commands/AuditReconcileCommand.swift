import ArgumentParser
import AuditIndex
import AuditReconciliation
import AuditStore
import AuditTrail
import ChimeIdentity
import Configuration
import Gateway
import OpenSSLCrypto
import Primitives
import Transport

/// Finds out what became of requests whose answer nobody saw.
struct AuditReconcileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reconcile",
    abstract: "Ask upstream what became of requests without a known outcome, and record it.",
    discussion: """
      EXAMPLES:
        gatehouse audit reconcile --dry-run
        gatehouse audit reconcile --since 24h
      """)

  @OptionGroup var configOption: ConfigOption
  @Option(help: "The journal's folder, instead of the configuration's.")
  var directory: String?
  @OptionGroup var formatOption: FormatOption
  @OptionGroup var timeRange: TimeRangeOption
  @Flag(help: "Ask and tell, and record nothing.")
  var dryRun = false

  /// By how much upstream's clock and this machine's may differ.
  private static let clockSkew: Int64 = 300_000_000_000

  func run() throws {
    let configuration = try configOption.loadConfiguration()
    // While somebody writes the journal, requests may be under way that have no outcome yet.
    let path = directory ?? configuration.audit.directory.path
    let journal = try hold(configuration.audit, in: path)
    defer { journal?.close() }
    let (requests, reads, doubts) = try unknownRequests(in: path)
    // Nothing is asked, and nothing recorded, because of what may be forged.
    for doubt in doubts { Console.message("gatehouse: \(doubt); it is left alone") }
    if reads > 0 {
      Console.message(
        "gatehouse: \(reads) reads without a known outcome are left alone: they changed nothing")
    }
    var left = 0
    if requests.isEmpty {
      Console.message("gatehouse: no\(doubts.isEmpty ? "" : " other") request is without a known outcome")
    } else {
      let summary = try ask(about: requests, configuration, journal)
      Console.message("gatehouse: \(summary.text)\(dryRun ? "; nothing was recorded" : "")")
      left = summary.left
    }
    guard left == 0, doubts.isEmpty else { throw ExitCode(ExitStatus.bad.rawValue) }
  }

  /// - Returns: the journal to record in; `nil` for a dry run, which leaves the folder as it is.
  private func hold(
    _ audit: GatewayConfiguration.Audit, in path: String
  ) throws(CommandFailure) -> Journal? {
    let isHeld: Bool
    do throws(AuditStore.FileFault) {
      // A folder that is not there is not made.
      isHeld = try JournalReader(directory: path).isHeld()
    } catch {
      throw CommandFailure(journal: path, error)
    }
    if dryRun, isHeld {
      throw CommandFailure(.bad, "the audit journal is held by another process; its requests may still end")
    }
    guard !dryRun else { return nil }
    var settings = Journal.Settings(audit)
    settings.durability = .sync
    settings.directory = path
    do throws(JournalOpenFailure) {
      let journal = try Journal.open(settings, clock: SystemClock())
      for notice in journal.notices { Console.message("gatehouse: \(notice)") }
      return journal
    } catch {
      throw CommandFailure(.bad, error.message)
    }
  }

  /// - Returns: those that may have changed something, oldest first, how many reads there are beside, and what cannot be
  ///   believed.
  private func unknownRequests(
    in path: String
  ) throws -> (requests: [RequestHistory], reads: Int, doubts: [String]) {
    var filter = QueryFilter()
    filter.isUnknown = true
    (filter.since, filter.until) = timeRange.resolved
    let readNames = Set(Operation.allCases.filter(\.isRead).map(\.text))
    let source = JournalSource(directory: path) { Console.message("gatehouse: \($0)") }
    var requests: [RequestHistory] = []
    var reads = 0
    var doubts: [String] = []
    do {
      let flaws = try source.forEachRequest(matching: filter, limit: nil) { request in
        if let record = request.doubtful, let doubt = record.doubt {
          doubts.append("record \(record.sequence) \(doubt.words)")
        } else if request.text("operation").map({ readNames.contains($0) }) == true {
          reads += 1
        } else {
          requests.append(request)
        }
      }
      doubts += flaws.altered.map { "record \($0) does not hold" }
    } catch let fault as AuditStore.FileFault {
      throw CommandFailure(journal: path, fault)
    }
    return (requests, reads, doubts)
  }

  private func ask(
    about requests: [RequestHistory], _ configuration: GatewayConfiguration, _ journal: Journal?
  ) throws -> ReconciliationSummary {
    let upstream = configuration.upstream
    let key = configuration.audit.sensitive.key
    let format = formatOption.format
    return try LoopTask.run { loop throws(CommandFailure) in
      let reader = try await RegionalReader(upstream, .init(attempts: upstream.retry.attempts), on: loop)
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
}
