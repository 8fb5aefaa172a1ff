import ArgumentParser
import AuditShipping
import AuditStore
import AuditTrail
import Configuration
import PolicyEngine
import PolicyReplay
import Primitives

/// What other policies would have made of the requests in the journal.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Evaluate audited requests again under other policies: which decisions would change.",
    discussion: """
      Requests that policy never saw (unauthenticated, invalid, throttled, refused, outside their tenant's \
      AppInstances) stay as they are. Labels of tenants are those of today's tenants file. A decision that needs a \
      value which the journal does not hold (audit.sensitive) is counted as undecidable.

      EXAMPLES:
        gatehouse replay --against policies-next --since 7d
        gatehouse replay --against policies-next --directory /backup/audit
        gatehouse replay --against policies-next --from postgres --format json
      """)

  @OptionGroup var configOption: ConfigOption
  @OptionGroup var formatOption: FormatOption
  @Option(help: "Another journal's folder, such as a copy's, instead of the configuration's.")
  var directory: String?
  @Option(help: "Where requests are: the journal, or the database of `audit.postgres`.")
  var from = AuditQueryCommand.Origin.journal
  @Option(help: "With --from postgres, only what this gateway recorded.")
  var gateway: String?
  @Option(help: "The folder of the other policies.")
  var against: String
  @OptionGroup var timeRange: TimeRangeOption
  @Option(help: "Only requests of this tenant.")
  var tenant: String?
  @Flag(help: "Also print each request that cannot be decided.")
  var listUndecidable = false

  func validate() throws {
    if directory != nil, from == .postgres {
      throw ValidationError(
        "--directory names a journal, and --from postgres asks the database: give one of them")
    }
    if gateway != nil, from != .postgres { throw ValidationError("--gateway needs --from postgres") }
  }

  func run() throws {
    let configuration = try configOption.loadConfiguration()
    var replay = try prepare()
    let output = ReplayPrinter(format: formatOption.format)
    switch from {
    case .journal: try run(&replay, on: directory ?? configuration.audit.directory.path, output)
    case .postgres: try run(&replay, on: configuration.audit, output)
    }
  }

  private func run(_ replay: inout Replay, on path: String, _ output: ReplayPrinter) throws {
    let problem: ChainProblem?
    do throws(AuditStore.FileFault) {
      problem = try read(path, into: &replay, output)
    } catch {
      throw CommandFailure(journal: path, error)
    }
    output.print(replay.tally)
    if let problem {
      throw CommandFailure(
        journal: path, broken: problem, "nothing was evaluated from record \(problem.sequence) on")
    }
    guard replay.tally.unreadable == 0 else {
      throw CommandFailure(
        .bad, "\(replay.tally.unreadable) lines are no records; see `gatehouse audit verify`")
    }
  }

  /// The copies of journals in the database, whose chains `audit verify` cannot check there.
  private func run(
    _ replay: inout Replay, on audit: GatewayConfiguration.Audit, _ output: ReplayPrinter
  ) throws {
    let source = try PostgresSource(of: audit, configPath: configOption.path, gateway: gateway)
    var filter = QueryFilter()
    (filter.since, filter.until) = timeRange.resolved
    filter.tenant = tenant.map { Text($0) }
    var bar = ProgressBar("requests evaluated")
    var count = 0
    let flaws: SearchFlaws
    do {
      flaws = try source.forEachRequest(matching: filter, limit: nil) { request in
        if let request = replay.take(request), request.now != .undecidable || listUndecidable {
          bar.clear()
          output.print(request)
        }
        count += 1
        if count % 1000 == 0 { bar.show(count) }
      }
    } catch let failure as ShippingFailure {
      throw CommandFailure(.bad, "the database \(source.shown): \(failure.message)")
    }
    bar.clear()
    output.print(replay.tally)
    try CommandFailure.check(unreadableLines: flaws.unreadable + replay.tally.unreadable)
  }

  private func prepare() throws -> Replay {
    let tenants = try TenantsOnDisk(configOption).entries().map { TenantFacts($0) }
    let (files, problems) = configOption.loader.policies(inFolder: against)
    guard let files else { throw CommandFailure(configuration: problems) }
    let (policies, doubts) = PolicySet.compile(
      documents: files.documents, exceptions: files.exceptions, tenants: tenants)
    guard !doubts.preventUse else { throw CommandFailure(configuration: problems + doubts) }
    for warning in problems + doubts { Console.message(warning.line) }
    var scope = Replay.Scope()
    (scope.since, scope.until) = timeRange.resolved
    scope.tenant = tenant.map { Text($0) }
    return Replay(policies: policies, tenants: tenants, scope: scope)
  }

  /// - Returns: where the journal does not hold; nothing from there on was evaluated.
  private func read(
    _ path: String, into replay: inout Replay, _ output: ReplayPrinter
  ) throws(AuditStore.FileFault) -> ChainProblem? {
    var checked = ProgressBar("records checked")
    let journal = try VerifiedJournal(directory: path) { checked.show($0, of: $1) }
    checked.clear()
    // Everything is read twice.
    var progress = ReadingProgress(of: 2 * (try JournalReader(directory: path).byteCount()))
    defer { progress.clear() }
    let survey = try journal.forEachLine { line in
      replay.survey(line)
      progress.advance(by: line.count + 1)
      return true
    }
    let reading = try journal.forEachLine { line in
      if let request = replay.take(line), request.now != .undecidable || listUndecidable {
        progress.clear()
        output.print(request)
      }
      progress.advance(by: line.count + 1)
      return true
    }
    if let removed = reading.removed {
      Console.message("gatehouse: retention removed the records up to \(removed) before they could be read")
    }
    return reading.problem ?? survey.problem
  }
}

/// The progress bar, drawn once a percent, however many lines are read or printed in between.
private struct ReadingProgress {
  private let total: Int
  private var bar: ProgressBar
  private var done = 0
  private var percent = -1
  private var isOnScreen = false

  init(of total: Int) {
    self.total = max(1, total)
    bar = ProgressBar("bytes read", of: self.total)
  }

  mutating func advance(by count: Int) {
    done += count
    guard case let reached = 100 * done / total, reached != percent else { return }
    percent = reached
    bar.show(done)
    isOnScreen = true
  }

  /// Takes the bar away for a line of data; it comes back with the next percent.
  mutating func clear() {
    guard isOnScreen else { return }
    bar.clear()
    isOnScreen = false
  }
}
