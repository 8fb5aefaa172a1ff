import ArgumentParser
import AuditBrowsing
import AuditIndex
import AuditShipping
import AuditStore
import AuditTrail
import Configuration
import Primitives

/// Finds requests in the journal, or in the copies of all gateways in the database: who created which users, and who tried.
struct AuditQueryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Print the requests that all given options describe, oldest first.",
    discussion: """
      EXAMPLES:
        gatehouse audit query --user-id crm-alice
        gatehouse audit query --since 24h --decision denied --rule tags.required
        gatehouse audit query --without-tag CostCenter --format csv >untagged.csv
        gatehouse audit query --since 2026-11-01 --count-by tenant,decision
      """)

  @OptionGroup var journal: JournalOption
  @Option(help: "How requests are printed; JSON is one object a line, CSV has a header line.")
  var format = RequestPrinter.Format.text
  @OptionGroup var filters: RequestFilterOptions
  @OptionGroup var timeRange: TimeRangeOption
  // Unconditional, so that a negative number is not taken for an option.
  @Option(parsing: .unconditional, help: "Only the latest that many.")
  var limit: Int?
  @Option(
    help: ArgumentHelp(
      "Print how many requests there are of each kind instead: \(RequestCounts.Field.names). Of rules, a request counts under each that was broken or warned about.",
      valueName: "field,…"), transform: Self.fields)
  var countBy: [RequestCounts.Field]?
  @Option(help: "Where to look: the journal of this machine, or the database of `audit.postgres`.")
  var from = Origin.journal
  @Option(help: "With --from postgres, only what this gateway recorded.")
  var gateway: String?

  enum Origin: String, ExpressibleByArgument, CaseIterable { case journal, postgres }

  private static func fields(_ written: String) throws -> [RequestCounts.Field] {
    if let fault = FilterWords.fault(countBy: written) { throw ValidationError(fault) }
    return RequestCounts.Field.list(written) ?? []
  }

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
    if journal.directory != nil, from == .postgres {
      throw ValidationError(
        "--directory names a journal, and --from postgres asks the database: give one of them")
    }
    if gateway != nil, from != .postgres { throw ValidationError("--gateway needs --from postgres") }
  }

  func run() throws {
    // The files of listeners and of the admin listener need not be where an auditor is.
    let configuration = try journal.configuration(reading: .audit)
    if let audit = configuration?.audit { try filters.checkRecorded(under: audit.sensitive) }
    switch (from, configuration) {
    case (.postgres, let configuration?): try askDatabase(configuration.audit)
    default: try askJournal(journal.path(configuration), configuration?.audit)
    }
  }

  private func askJournal(_ path: String, _ audit: GatewayConfiguration.Audit?) throws {
    let source = JournalSource(directory: path) { Console.message("gatehouse: \($0)") }
    do {
      try answer(from: source, RequestPrinter(format: format), audit)
    } catch let fault as AuditStore.FileFault {
      throw CommandFailure(journal: path, fault)
    }
  }

  private func askDatabase(_ audit: GatewayConfiguration.Audit) throws {
    let source = try PostgresSource(of: audit, configPath: journal.configOption.path, gateway: gateway)
    do {
      try answer(
        from: source, RequestPrinter(format: format, namesGateway: source.gateways.count > 1), audit)
    } catch let failure as ShippingFailure {
      throw CommandFailure(.bad, "the database \(source.shown): \(failure.message)")
    }
  }

  /// Prints what is found. What does not hold is printed as such, and ends the command with 1.
  private func answer(
    from source: some RequestSource, _ printer: consuming RequestPrinter, _ audit: GatewayConfiguration.Audit?
  ) throws {
    var printer = printer
    var counts = countBy.map { RequestCounts(by: $0) }
    var (found, doubts) = (0, [String]())
    if format == .text { Console.beginPages() }
    defer { Console.endPages() }
    var filter = filters.filter(hashKey: audit?.sensitive.key)
    (filter.since, filter.until) = timeRange.resolved
    let flaws = try source.forEachRequest(matching: filter, limit: countBy == nil ? limit : nil) {
      found += 1
      if counts?.add($0) == nil { printer.print($0) }
      guard let record = $0.doubtful, let doubt = record.doubt else { return }
      doubts.append("record \(record.sequence) \(doubt.words)")
    }
    if found == 0 { try refuseUnknownTenant(to: source) }
    if let counts {
      CountPrinter(format: format, counts.fields).print(counts.rows.prefix(limit ?? .max))
    } else {
      printer.printHeader()
    }
    doubts += flaws.altered.map {
      "record \($0) does not hold, and may have told of a request that was asked for before it was altered"
    }
    for doubt in doubts { Console.message("gatehouse: \(doubt)") }
    try CommandFailure.check(unreadableLines: flaws.unreadable)
    guard doubts.isEmpty else {
      throw CommandFailure(.bad, "the journal does not hold; see `gatehouse audit verify`")
    }
  }

  /// Nothing is found of a tenant that does not exist, and that must not look like a tenant that did nothing.
  private func refuseUnknownTenant(to source: some RequestSource) throws {
    guard let tenant = filters.tenant else { return }
    var (filter, isRecorded) = (QueryFilter(), false)
    filter.tenant = Text(tenant)
    _ = try source.forEachRequest(matching: filter, limit: 1) { _ in isRecorded = true }
    let configured =
      journal.directory == nil ? (try? TenantsOnDisk(journal.configOption).entries())?.map(\.id.string) : nil
    guard !isRecorded, !(configured ?? []).contains(tenant) else { return }
    let hint = nearest(to: tenant, among: configured ?? []).map { "; did you mean `\($0)`?" } ?? ""
    throw CommandFailure(
      .usage, "--tenant: no tenant `\(tenant.onOneLine)` is recorded or in the tenants file\(hint)")
  }
}
