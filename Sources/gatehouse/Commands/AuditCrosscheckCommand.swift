import ArgumentParser
import AuditIndex
import AuditReconciliation
import AuditStore
import AuditTrail

/// Holds CloudTrail's files against the journal.
struct AuditCrosscheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crosscheck",
    abstract: "Compare the journal with AWS CloudTrail; exits with 1 if the gateway was gone round.",
    discussion: """
      DIR holds log files of a trail (*.json, *.json.gz, in folders below it too), as `aws s3 sync` copies them from its \
      bucket. Calls of the identity API are matched by the request id that the service gave them. Told are calls that the \
      journal does not have and that the service did not refuse, and requests between the first and the last event that \
      CloudTrail does not have: it delivers within some 15 minutes, so leave out the newest with --until. Each gateway has \
      its own journal: hold the files against all of them.

      EXAMPLES:
        gatehouse audit crosscheck --cloudtrail trail
        gatehouse audit crosscheck --cloudtrail trail --until 1h --format json
      """)

  @OptionGroup var journal: JournalOption
  @OptionGroup var formatOption: FormatOption
  @OptionGroup var timeRange: TimeRangeOption
  @Option(help: "Folder with CloudTrail's log files.")
  var cloudtrail: String

  func run() throws {
    var check = try takeJournal()
    let (since, until) = timeRange.resolved
    let others = try CloudTrailFolder(path: cloudtrail).forEachFile { events in
      for event in events
      where since.map({ event.time >= $0 }) ?? true && until.map({ event.time < $0 }) ?? true {
        check.take(event)
      }
    }
    for path in others { Console.message("gatehouse: \(path) is no log file of CloudTrail; it is left out") }
    guard check.events > 0 else {
      throw CommandFailure(.bad, "\(cloudtrail): no event of the identity API in its files, in that time")
    }
    let unseen = check.unseen
    switch formatOption.format {
    case .text:
      for event in check.outside { Console.data(event.line) }
      for request in unseen { Console.data(request.line) }
      Console.data(check.summary)
    case .json:
      for event in check.outside { Console.data(json: event.json) }
      for request in unseen { Console.data(json: request.json) }
      Console.data(json: check.summaryJSON)
    }
    guard check.outside.isEmpty, unseen.isEmpty else { throw ExitCode(ExitStatus.bad.rawValue) }
  }

  private func takeJournal() throws -> Crosscheck {
    let path = journal.path(try journal.configuration())
    var check = Crosscheck()
    let source = JournalSource(directory: path) { Console.message("gatehouse: \($0)") }
    do {
      let flaws = try source.forEachRequest(matching: QueryFilter(), limit: nil) { check.take($0) }
      guard flaws.altered.isEmpty else {
        throw CommandFailure(
          .bad, "\(flaws.altered.count) records do not hold; see `gatehouse audit verify`")
      }
      try CommandFailure.check(unreadableLines: flaws.unreadable)
    } catch let fault as AuditStore.FileFault {
      throw CommandFailure(journal: path, fault)
    }
    return check
  }
}
