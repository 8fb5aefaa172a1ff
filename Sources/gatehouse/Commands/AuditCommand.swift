import ArgumentParser
import AuditStore
import AuditTrail
import Configuration
import Glibc

/// The commands on the journal. All but `reconcile` only read, and work while a gateway writes.
struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Query and verify the audit journal.",
    discussion: """
      EXAMPLES:
        gatehouse audit query --user-id crm-alice
        gatehouse audit verify
      """,
    subcommands: [
      AuditQueryCommand.self,
      AuditVerifyCommand.self,
      AuditKeygenCommand.self,
      AuditFollowCommand.self,
      AuditExportCommand.self,
      AuditReconcileCommand.self,
      AuditCrosscheckCommand.self,
    ])
}

/// `--config FILE` or `--directory DIR`, for commands on a journal.
struct JournalOption: ParsableArguments {
  @OptionGroup var configOption: ConfigOption
  @Option(help: "The journal's folder; then no configuration is read.")
  var directory: String?

  /// `nil` when the folder is given, and with it everything that is known of the journal.
  func configuration(
    reading files: ConfigurationLoader.NamedFiles = .all
  ) throws(CommandFailure) -> GatewayConfiguration? {
    directory == nil ? try configOption.loadConfiguration(reading: files) : nil
  }

  /// The folder that was given, or that of the configuration.
  func path(_ configuration: GatewayConfiguration?) -> String {
    directory ?? configuration?.audit.directory.path ?? "audit"
  }
}

extension CommandFailure {
  /// The journal cannot be read.
  init(journal directory: String, _ fault: AuditStore.FileFault) {
    guard fault.operation != .open || fault.code != ENOENT || fault.name != directory else {
      self.init(.bad, "there is no audit journal in \(directory): no gateway has written one there yet")
      return
    }
    self.init(.bad, "the audit journal in \(directory) cannot be read: \(fault)")
  }

  /// A record does not hold; `rest` is what became of it and those behind it.
  init(journal directory: String, broken problem: ChainProblem, _ rest: String) {
    let place = problem.segment + (problem.line.map { " line \($0)" } ?? "")
    self.init(
      .bad,
      "the audit journal in \(directory) is broken: \(place): \(problem.message); \(rest); see "
        + "`gatehouse audit verify`")
  }

  /// What could be read was given out; that it is not everything must not go unnoticed.
  static func check(unreadableLines count: Int) throws(CommandFailure) {
    guard count > 0 else { return }
    let lines = count == 1 ? "1 line is no record" : "\(count) lines are no records"
    throw CommandFailure(.bad, "\(lines); see `gatehouse audit verify`")
  }
}
