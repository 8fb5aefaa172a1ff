import ArgumentParser

/// A command of the interface that this version does not have: it says so, whatever its arguments are.
protocol UnavailableCommand: ParsableCommand {
  static var abstract: String { get }
  static var name: String { get }
  /// The command with its group: `audit export`.
  static var fullName: String { get }
}

extension UnavailableCommand {
  static var fullName: String { name }

  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: name, abstract: "\(abstract) (not available in this version)")
  }

  func run() throws {
    throw CommandFailure(.internalFault, "`\(Self.fullName)` is not available in this version")
  }
}

struct ScanCommand: UnavailableCommand {
  static let name = "scan"
  static let abstract = "Report upstream users that break today's policies."
  @Argument(parsing: .allUnrecognized) var arguments: [String] = []
}

struct AuditReconcileCommand: UnavailableCommand {
  static let name = "reconcile"
  static let fullName = "audit reconcile"
  static let abstract = "Resolve intents without outcome by asking upstream."
  @Argument(parsing: .allUnrecognized) var arguments: [String] = []
}
