import ArgumentParser
import Primitives

/// What somebody meant who gave a command or a value that there is not. The argument parser says what is wrong and, of
/// options, what was meant.
enum NearestArgument {
  /// - Parameters:
  ///   - message: the parser's.
  ///   - arguments: those after the program's name.
  /// - Returns: the message, with the nearest of what would be accepted where there is one.
  static func naming(in message: String, _ arguments: [String], of root: any ParsableCommand.Type) -> String {
    if let (given, commands) = unknownCommand(in: arguments, of: root) {
      let hint = nearest(to: given, among: commands).map { " Did you mean '\($0)'?" } ?? ""
      return "Error: Unknown command '\(given)'.\(hint)" + message.drop { $0 != "\n" }
    }
    guard let (given, values) = refusedValue(in: message), let meant = nearest(to: given, among: values)
    else {
      return message
    }
    let end = message.firstIndex(of: "\n") ?? message.endIndex
    return message[..<end] + " (did you mean '\(meant)'?)" + message[end...]
  }

  /// The first word that should name a subcommand and does not, and the names that there are.
  private static func unknownCommand(
    in arguments: [String], of root: any ParsableCommand.Type
  ) -> (given: String, names: [String])? {
    var command = root
    for argument in arguments {
      let subcommands = command.configuration.subcommands
      guard !subcommands.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return nil }
      guard let next = subcommands.first(where: { $0.configuration.commandName == argument }) else {
        return (argument, subcommands.compactMap { $0.configuration.commandName })
      }
      command = next
    }
    return nil
  }

  /// `The value 'x' is invalid for '--format <format>'. Please provide one of 'text' and 'json'.`; more values than that
  /// stand one a line, as `  - text`.
  private static func refusedValue(in message: String) -> (given: String, values: [String])? {
    let lines = message.split(separator: "\n")
    guard let first = lines.first, first.contains("Please provide one of") else { return nil }
    let quoted = first.split(separator: "'", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    guard let given = quoted.first else { return nil }
    let listed = lines.dropFirst().filter { $0.hasPrefix("  - ") }.map { String($0.dropFirst(4)) }
    return (given, quoted.dropFirst(2) + listed)
  }
}
