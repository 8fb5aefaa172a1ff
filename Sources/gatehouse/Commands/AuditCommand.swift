import ArgumentParser
import AuditStore
import Configuration

/// The commands on the journal. All but `reconcile` only read, and work while a gateway writes.
struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Query and verify the audit journal.",
    subcommands: [
      AuditQueryCommand.self,
      AuditVerifyCommand.self,
      AuditKeygenCommand.self,
      AuditFollowCommand.self,
      AuditExportCommand.self,
      AuditReconcileCommand.self,
    ])
}

extension CommandFailure {
  /// The journal cannot be read.
  init(journal directory: FileReference, _ fault: AuditStore.FileFault) {
    self.init(.bad, "the audit journal in \(directory.path) cannot be read: \(fault)")
  }

  /// What could be read was given out; that it is not everything must not go unnoticed.
  static func check(unreadableLines count: Int) throws(CommandFailure) {
    guard count > 0 else { return }
    let lines = count == 1 ? "1 line is no record" : "\(count) lines are no records"
    throw CommandFailure(.bad, "\(lines); see `gatehouse audit verify`")
  }
}
