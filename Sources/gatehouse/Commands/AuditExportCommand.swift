import ArgumentParser
import AuditExport
import AuditStore
import AuditTrail
import Configuration
import FileWriting
import Gateway
import OpenSSLCrypto
import Primitives

/// Writes the journal as files that other tools read.
struct AuditExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write the journal as files for other tools.",
    discussion: """
      EXAMPLES:
        gatehouse audit export --as csv --output export --since 2026-11-01
        gatehouse audit export --as cloudtrail --output export --account 123456789012
      """)

  enum Form: String, ExpressibleByArgument, CaseIterable { case cloudtrail, ocsf, csv }

  @OptionGroup var journal: JournalOption
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
    let configuration = try journal.configuration()
    let path = journal.path(configuration)
    let key = configuration?.audit.checkpoint.signingKey
    do {
      let verified = try verify(path, key?.publicKey)
      for notice in verified.notices { Console.message("gatehouse: \(notice)") }
      let elsewhere = try fallbackPlace(in: verified, configuration?.upstream.region)
      let ending = try export(verified, elsewhere: elsewhere, key: key)
      if let removed = ending.removed {
        Console.message(
          "gatehouse: retention removed the records up to \(removed) before they could be exported")
      }
      if let problem = ending.problem {
        throw CommandFailure(
          journal: path, broken: problem, "nothing was exported from record \(problem.sequence) on")
      }
    } catch let error as AuditStore.FileFault {
      throw CommandFailure(journal: path, error)
    } catch let error as WritingFailure {
      throw CommandFailure(.bad, error.message)
    }
  }

  private func verify(
    _ path: String, _ key: Ed25519PublicKey?
  ) throws(AuditStore.FileFault) -> VerifiedJournal {
    var bar = ProgressBar("records checked")
    defer { bar.clear() }
    return try VerifiedJournal(directory: path, keys: key.map { [$0] } ?? []) { bar.show($0, of: $1) }
  }

  /// Where requests belong that name no place, or one that the caller only claims.
  private func fallbackPlace(
    in journal: VerifiedJournal, _ region: String?
  ) throws(AuditStore.FileFault) -> ExportPlace {
    if let account, let region { return ExportPlace(account: Text(account), region: Text(region)) }
    let record = try journal.firstRecord { RequestHistory(first: $0, second: nil).place != nil }
    let named = record.flatMap { RequestHistory(first: $0, second: nil).place }
    return ExportPlace(
      account: account.map { Text($0) } ?? named?.account ?? "000000000000",
      region: region.map { Text($0) } ?? named?.region ?? "us-east-1")
  }

  private func export(
    _ journal: VerifiedJournal, elsewhere: ExportPlace, key: Ed25519PrivateKey?
  ) throws -> VerifiedJournal.Ending {
    let now = WallClockTime.now
    let since = since?.resolved(at: now)
    let until = until?.resolved(at: now)
    let folder = try ExportFolder(output)
    switch form {
    case .cloudtrail:
      let first = try journal.firstRecord { _ in true }
      var export = CloudTrailExport(
        into: folder, since: since, until: until, key: key,
        firstLeft: first.flatMap { $0.sequence > 1 ? $0.time : nil })
      let ending = try Self.each(journal) { request throws(WritingFailure) in
        try export.take(request, at: request.place ?? elsewhere)
      }
      // The hour that is not known to its end gets no digest.
      if ending.problem == nil { try export.finish() }
      Console.message("gatehouse: \(export.fileCount) files below \(output)")
      return ending
    case .ocsf, .csv:
      let name = form == .csv ? "gatehouse.csv" : "gatehouse.ocsf.jsonl"
      var file = try folder.open(name)
      var count = 0
      if form == .csv { try file.write(RequestHistory.csvHeader()) }
      var filter = QueryFilter()
      filter.since = since
      filter.until = until
      let ending = try Self.each(journal) { request throws(WritingFailure) in
        guard filter.matches(request) else { return }
        try file.write(line(of: request, elsewhere: elsewhere))
        count += 1
      }
      // Without its name the file is gone at the end of this.
      guard ending.problem == nil else { return ending }
      try file.finish()
      Console.message("gatehouse: \(count) requests in \(output)/\(name)")
      return ending
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
    _ journal: VerifiedJournal, _ body: (RequestHistory) throws(WritingFailure) -> Void
  ) throws -> VerifiedJournal.Ending {
    var failure: WritingFailure?
    let ending = try journal.forEachRequest { request in
      do throws(WritingFailure) { try body(request) } catch { failure = error }
      return failure == nil
    }
    if let failure { throw failure }
    return ending
  }
}
