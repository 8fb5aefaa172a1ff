import ArgumentParser

/// A command of the interface that this version does not have: it says so, whatever its arguments are.
protocol UnavailableCommand: ParsableCommand {
  static var abstract: String { get }
  static var name: String { get }
}

extension UnavailableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: name, abstract: "\(abstract) (not available in this version)")
  }

  func run() throws {
    throw CommandFailure(.internalFault, "`\(Self.name)` is not available in this version")
  }
}

struct ScanCommand: UnavailableCommand {
  static let name = "scan"
  static let abstract = "Report upstream users that break today's policies."
  @Argument(parsing: .allUnrecognized) var arguments: [String] = []
}
