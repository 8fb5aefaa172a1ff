import ArgumentParser
import AuditIndex
import AuditShipping
import AuditStore
import AuditTrail
import ChimeIdentity
import Configuration
import OpenSSLCrypto
import Primitives

/// Finds requests in the journal, or in the copies of all gateways in the database: who created which users, and who tried.
struct AuditQueryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Print the requests that all given options describe, oldest first.")

  @OptionGroup var journal: JournalOption
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
    if journal.directory != nil, from == .postgres {
      throw ValidationError(
        "--directory names a journal, and --from postgres asks the database: give one of them")
    }
    if gateway != nil, from != .postgres { throw ValidationError("--gateway needs --from postgres") }
  }

  func run() throws {
    // The files of listeners and of the admin listener need not be where an auditor is.
    let configuration = try journal.configuration(reading: .audit)
    if let audit = configuration?.audit {
      try checkRecorded(name != nil, audit.sensitive.name, "--name", "name")
      try checkRecorded(!tag.isEmpty, audit.sensitive.tagValues, "--tag", "tagValues")
    }
    switch (from, configuration) {
    case (.postgres, let configuration?): try askDatabase(configuration.audit)
    default: try askJournal(journal.path(configuration), configuration?.audit)
    }
  }

  private func askJournal(_ path: String, _ audit: GatewayConfiguration.Audit?) throws {
    let source = JournalSource(directory: path) { Console.message("gatehouse: \($0)") }
    do {
      try show(source, RequestPrinter(format: format), audit)
    } catch let fault as AuditStore.FileFault {
      throw CommandFailure(journal: path, fault)
    }
  }

  private func askDatabase(_ audit: GatewayConfiguration.Audit) throws {
    guard let postgres = audit.postgres else {
      throw CommandFailure(
        .configuration,
        "\(journal.configOption.path): `audit.postgres` is not set, which --from postgres asks; "
          + "expected an object with \"url\"")
    }
    do {
      let source = try PostgresSource(postgres, gateway: gateway.map { Text($0) })
      try show(source, RequestPrinter(format: format, namesGateway: source.gateways.count > 1), audit)
    } catch let failure as ShippingFailure {
      throw CommandFailure(.bad, "the database \(postgres.url.shown): \(failure.message)")
    }
  }

  /// Prints what is found. What does not hold is printed as such, and ends the command with 1.
  private func show(
    _ source: some RequestSource, _ printer: consuming RequestPrinter, _ audit: GatewayConfiguration.Audit?
  ) throws {
    var printer = printer
    var doubts: [String] = []
    let flaws = try source.forEachRequest(matching: filter(hashKey: audit?.sensitive.key), limit: limit) {
      printer.print($0)
      guard let record = $0.doubtful, let doubt = record.doubt else { return }
      doubts.append("record \(record.sequence) \(doubt.words)")
    }
    printer.printHeader()
    doubts += flaws.altered.map {
      "record \($0) does not hold, and may have told of a request that was asked for before it was altered"
    }
    for doubt in doubts { Console.message("gatehouse: \(doubt)") }
    try CommandFailure.check(unreadableLines: flaws.unreadable)
    guard doubts.isEmpty else {
      throw CommandFailure(.bad, "the journal does not hold; see `gatehouse audit verify`")
    }
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

  private func filter(hashKey key: Secret?) -> QueryFilter {
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
    filter.hashKey = key
    return filter
  }
}

extension AuditDecision: ExpressibleByArgument {}
