import ArgumentParser
import Gateway
import Glibc
import Transport

/// The root command; each subcommand has a file of its own.
struct Gatehouse: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gatehouse",
    abstract: "A policy gateway in front of the Amazon Chime SDK Identity API.",
    discussion: """
      The manual is gatehouse(1). Completions: gatehouse --generate-completion-script bash (or zsh, fish).

      EXAMPLES:
        gatehouse demo
        gatehouse init gateway
        gatehouse check --config gateway/gatehouse.json
        gatehouse serve --config gateway/gatehouse.json
      """,
    version: "gatehouse \(GatehouseVersion.current)",
    subcommands: [
      ServeCommand.self,
      InitCommand.self,
      CheckCommand.self,
      ExplainCommand.self,
      PolicyTestCommand.self,
      ReplayCommand.self,
      ScanCommand.self,
      LearnCommand.self,
      AuditCommand.self,
      TenantCommand.self,
      CredentialsCommand.self,
      SandboxCommand.self,
      DemoCommand.self,
    ])
}

/// Runs the command that the arguments name; every way out ends in an exit code of the interface.
@main
enum Main {
  /// What `serve` carries out, and no other command.
  private static let signals = [SIGHUP, SIGUSR1, SIGTERM, SIGINT]

  static func main() {
    // Before anything else: a service manager may signal as soon as the process is there.
    HeldSignals.hold(signals)
    HeldSignals.ignoreBrokenPipes()
    var isParsed = false
    do {
      var command = try Gatehouse.parseAsRoot()
      isParsed = true
      if !(command is ServeCommand) { HeldSignals.release(signals) }
      try command.run()
    } catch let failure as CommandFailure {
      for line in failure.lines { Console.message(line) }
      exit(failure.status.rawValue)
    } catch let error as ValidationError where isParsed {
      // Found out as the command ran: how it is used is not what is in doubt.
      Console.message("gatehouse: \(error.message)")
      exit(ExitStatus.usage.rawValue)
    } catch let error where Gatehouse.isArgumentParsers(error) {
      let (text, code) = (Gatehouse.fullMessage(for: error), Gatehouse.exitCode(for: error))
      // Help and the like is what was asked for; anything else quotes arguments.
      if !text.isEmpty {
        code.isSuccess
          ? Console.data(Gatehouse.withExamplesLast(text))
          : Console.message(
            NearestArgument.naming(in: text, Array(CommandLine.arguments.dropFirst()), of: Gatehouse.self))
      }
      exit(code.rawValue)
    } catch {
      Console.message("gatehouse: \(error)")
      exit(ExitStatus.internalFault.rawValue)
    }
  }
}

extension Gatehouse {
  /// Help whose examples, which the parser has only its beginning for, stand at its end, where they are looked for.
  fileprivate static func withExamplesLast(_ help: String) -> String {
    guard let start = help.firstRange(of: "EXAMPLES:\n"),
      let end = help[start.upperBound...].firstRange(of: "\n\nUSAGE:")
    else { return help }
    let rest = help[..<start.lowerBound] + help[end.lowerBound...].drop { $0.isNewline }
    return rest + (rest.hasSuffix("\n") ? "\n" : "\n\n") + help[start.lowerBound..<end.lowerBound]
  }

  /// Whether the parser has an exit code of its own for the error: help, wrong usage, a code that a command chose.
  fileprivate static func isArgumentParsers(_ error: any Error) -> Bool {
    error is ExitCode || error is CleanExit || error is ValidationError
      || exitCode(for: error) != ExitCode.failure
  }
}
