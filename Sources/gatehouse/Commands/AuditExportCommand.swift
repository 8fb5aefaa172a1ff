import ArgumentParser
import AuditExport
import AuditStore
import AuditTrail
import Configuration
import Gateway
import OpenSSLCrypto
import Primitives

/// Writes the journal as files that other tools read.
struct AuditExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write the journal as files for other tools.")

  enum Form: String, ExpressibleByArgument, CaseIterable { case cloudtrail, ocsf, csv }

  @OptionGroup var configOption: ConfigOption
  @Option(name: .customLong("as"), help: "What the files look like.")
  var form: Form
  @Option(help: "The folder to write into; made when it is not there.")
  var output: String
  @Option(
    help: "Not before this time: RFC 3339, or how long ago (15m, 24h, 7d). CloudTrail: the hour it is in.")
  var since: TimeExpression?
  @Option(help: "Before this time: RFC 3339, or how long ago. CloudTrail: to the end of the hour it is in.")
  var until: TimeExpression?
  @Option(help: "The AWS account of requests that name none. (default: the first that the journal names)")
  var account: String?

  func validate() throws {
    if let account, !ExportPlace.isAccount(account.utf8) {
      throw ValidationError("--account must be 12 digits")
    }
    if output.isEmpty { throw ValidationError("--output must name a folder") }
  }

  func run() throws {
    let configuration = try configOption.loadConfiguration()
    let directory = configuration.audit.directory
    let unreadable: Int
    do {
      let reader = try JournalReader(directory: directory.path)
      let place = ExportPlace(
        account: try fallbackAccount(in: reader), region: Text(configuration.upstream.region))
      unreadable = try export(reader, elsewhere: place, key: configuration.audit.checkpoint.signingKey)
    } catch let error as AuditStore.FileFault {
      throw CommandFailure(journal: directory, error)
    } catch let error as ExportFailure {
      throw CommandFailure(.bad, error.message)
    }
    try CommandFailure.check(unreadableLines: unreadable)
  }

  private func fallbackAccount(in reader: JournalReader) throws(AuditStore.FileFault) -> Text {
    if let account { return Text(account) }
    let record = try reader.firstRecord { RequestHistory(first: $0, second: nil).place != nil }
    return record.flatMap { RequestHistory(first: $0, second: nil).place?.account } ?? "000000000000"
  }

  /// - Returns: how many lines could not be read.
  private func export(
    _ reader: JournalReader, elsewhere: ExportPlace, key: Ed25519PrivateKey?
  ) throws -> Int {
    let now = WallClockTime.now
    let since = since?.resolved(at: now)
    let until = until?.resolved(at: now)
    let folder = try ExportFolder(output, files: DiskFiles())
    switch form {
    case .cloudtrail:
      let first = try reader.firstRecord { _ in true }
      var export = CloudTrailExport(
        into: folder, since: since, until: until, key: key,
        firstLeft: first.flatMap { $0.sequence > 1 ? $0.time : nil })
      let unreadable = try Self.each(reader) { request throws(ExportFailure) in
        try export.take(request, at: request.place ?? elsewhere)
      }
      try export.finish()
      Console.message("gatehouse: \(export.fileCount) files below \(output)")
      return unreadable
    case .ocsf, .csv:
      let name = form == .csv ? "gatehouse.csv" : "gatehouse.ocsf.jsonl"
      var file = try folder.open(name)
      var count = 0
      if form == .csv { try file.write(RequestHistory.csvHeader()) }
      var filter = QueryFilter()
      filter.since = since
      filter.until = until
      let unreadable = try Self.each(reader) { request throws(ExportFailure) in
        guard filter.matches(request) else { return }
        try file.write(line(of: request, elsewhere: elsewhere))
        count += 1
      }
      try file.finish()
      Console.message("gatehouse: \(count) requests in \(output)/\(name)")
      return unreadable
    }
  }

  private func line(of request: RequestHistory, elsewhere: ExportPlace) -> [UInt8] {
    if form == .csv { return request.csvLine }
    let event = request.ocsfEvent(
      at: request.place ?? elsewhere, productVersion: GatehouseVersion.current)
    return event + [UInt8(ascii: "\n")]
  }

  /// Calls `body` with each request until it throws, which then ends the export.
  private static func each(
    _ reader: JournalReader, _ body: (RequestHistory) throws(ExportFailure) -> Void
  ) throws -> Int {
    var failure: ExportFailure?
    let unreadable = try reader.forEachRequest { request in
      guard failure == nil else { return }
      do throws(ExportFailure) { try body(request) } catch { failure = error }
    }
    if let failure { throw failure }
    return unreadable
  }
}
