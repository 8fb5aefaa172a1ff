import ArgumentParser

/// The commands on the journal.
struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Query and verify the audit journal.",
    subcommands: [
      AuditExportCommand.self,
      AuditReconcileCommand.self,
    ])
}
