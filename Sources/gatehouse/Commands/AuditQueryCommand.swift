import ArgumentParser
import AuditIndex
import AuditShipping
import AuditStore
import AuditTrail
import ChimeIdentity
import Configuration
import Primitives

/// Finds requests in the journal, or in the copies of all gateways in the database: who created which users, and who tried.
struct AuditQueryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Print the requests that all given options describe, oldest first.")

  @OptionGroup var configOption: ConfigOption
  @Option(help: "How requests are printed; JSON is one object a line, CSV has a header line.")
  var format = RequestPrinter.Format.text
  @Option(help: "The AppInstanceUserId.")
  var userId: String?
  @Option(help: "The user's ARN.")
  var userArn: String?
  @Option(help: "The tenant whose key signed the request.")
  var tenant: String?
  @Option(help: "The person or job on whose behalf the application called (X-Gatehouse-Actor).")
  var actor: String?
  @Option(help: "The access key that signed the request.")
  var accessKey: String?
  @Option(help: "The operation, such as CreateAppInstanceUser.")
  var operation: String?
  @Option(help: "What was decided.")
  var decision: AuditDecision?
  @Option(help: "The user's name, also where the journal holds hashes of names.")
  var name: String?
  @Option(help: "A tag, KEY=VALUE; given several times, all must be there.")
  var tag: [TagArgument] = []
  @OptionGroup var timeRange: TimeRangeOption
  // Unconditional, so that a negative number is not taken for an option.
  @Option(parsing: .unconditional, help: "Only the latest that many.")
  var limit: Int?
  @Option(help: "Where to look: the journal of this machine, or the database of `audit.postgres`.")
  var from = Origin.journal
  @Option(help: "With --from postgres, only what this gateway recorded.")
  var gateway: String?

  enum Origin: String, ExpressibleByArgument, CaseIterable { case journal, postgres }

  struct TagArgument: ExpressibleByArgument {
    let key: Text
    let value: Text

    init?(argument: String) {
      guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
      key = Text(String(argument[..<equals]))
      value = Text(String(argument[argument.index(after: equals)...]))
    }
  }

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    if let operation, Operation(name: Text(operation)) == nil {
      let hint = nearest(to: operation, among: Operation.allNames).map { "; did you mean `\($0)`?" } ?? ""
      throw ValidationError("unknown operation `\(operation.onOneLine)`\(hint)")
    }
    if gateway != nil, from != .postgres { throw ValidationError("--gateway needs --from postgres") }
  }

  func run() throws {
    // The files of listeners and of the admin listener need not be where an auditor is.
    let audit = try configOption.loadConfiguration(reading: .audit).audit
    try checkRecorded(name != nil, audit.sensitive.name, "--name", "name")
    try checkRecorded(!tag.isEmpty, audit.sensitive.tagValues, "--tag", "tagValues")
    let unreadable =
      switch from {
      case .journal: try askJournal(audit)
      case .postgres: try askDatabase(audit)
      }
    try CommandFailure.check(unreadableLines: unreadable)
  }

  private func askJournal(_ audit: GatewayConfiguration.Audit) throws -> Int {
    let source = JournalSource(directory: audit.directory.path) { Console.message("gatehouse: \($0)") }
    do {
      return try show(source, RequestPrinter(format: format), audit)
    } catch let fault as AuditStore.FileFault {
      throw CommandFailure(journal: audit.directory, fault)
    }
  }

  private func askDatabase(_ audit: GatewayConfiguration.Audit) throws -> Int {
    guard let postgres = audit.postgres else {
      throw CommandFailure(
        .configuration,
        "\(configOption.path): `audit.postgres` is not set, which --from postgres asks; "
          + "expected an object with \"url\"")
    }
    do {
      let source = try PostgresSource(postgres, gateway: gateway.map { Text($0) })
      let printer = RequestPrinter(format: format, namesGateway: source.gateways.count > 1)
      return try show(source, printer, audit)
    } catch let failure as ShippingFailure {
      throw CommandFailure(.bad, "the database \(postgres.url.shown): \(failure.message)")
    }
  }

  private func show(
    _ source: some RequestSource, _ printer: consuming RequestPrinter, _ audit: GatewayConfiguration.Audit
  ) throws -> Int {
    var printer = printer
    let unreadable = try source.forEachRequest(matching: filter(hashKey: audit), limit: limit) {
      printer.print($0)
    }
    printer.printHeader()
    return unreadable
  }

  /// What is not recorded must not look as if nobody had used it.
  private func checkRecorded(
    _ isAsked: Bool, _ treatment: GatewayConfiguration.Sensitive.Treatment, _ option: String, _ key: String
  ) throws(CommandFailure) {
    guard isAsked, treatment == .omit else { return }
    throw CommandFailure(
      .bad,
      "\(option) cannot be searched: the journal does not hold it, as `audit.sensitive.\(key)` is \"omit\"")
  }

  private func filter(hashKey audit: GatewayConfiguration.Audit) -> QueryFilter {
    var filter = QueryFilter()
    filter.userId = userId.map { Text($0) }
    filter.userArn = userArn.map { Text($0) }
    filter.tenant = tenant.map { Text($0) }
    filter.actor = actor.map { Text($0) }
    filter.accessKeyId = accessKey.map { Text($0) }
    filter.operation = operation.map { Text($0) }
    filter.decision = decision
    filter.name = name.map { Text($0) }
    filter.tags = tag.map { (key: $0.key, value: $0.value) }
    (filter.since, filter.until) = timeRange.resolved
    filter.hashKey = audit.sensitive.key
    return filter
  }
}

extension AuditDecision: ExpressibleByArgument {}
