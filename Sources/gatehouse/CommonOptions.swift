import ArgumentParser
import AuditTrail
import ChimeIdentity
import Configuration
import Gateway
import Glibc
import OpenSSLCrypto
import Primitives

/// `--config FILE`, for commands that read the configuration.
struct ConfigOption: ParsableArguments {
  @Option(help: "The configuration file. (default: $GATEHOUSE_CONFIG, then gatehouse.json)")
  var config: String?

  /// The file that was named, or the one that is used when none is.
  var path: String {
    if let config { return config }
    if let named = Process.environment.nonEmpty("GATEHOUSE_CONFIG") { return named }
    return "gatehouse.json"
  }

  /// What somebody may do who has no configuration yet; nothing where one was named, or is there.
  var advice: [String] {
    guard config == nil, Process.environment.nonEmpty("GATEHOUSE_CONFIG") == nil, access(path, F_OK) != 0
    else { return [] }
    return [
      "gatehouse: there is no configuration here; `gatehouse init FOLDER` writes one to begin with, --config FILE or "
        + "$GATEHOUSE_CONFIG names another, and `gatehouse demo` needs none"
    ]
  }

  /// Reads files of the disk under this process's environment.
  var loader: ConfigurationLoader {
    ConfigurationLoader(
      files: DiskFiles(), environment: Process.environment, knownOperations: Operation.allNames)
  }

  /// The configuration file alone; a command that needs no more does not fail for what is wrong with the rest.
  /// - Parameter files: which of the files that it names are read and judged.
  func loadConfiguration(
    reading files: ConfigurationLoader.NamedFiles = .all
  ) throws(CommandFailure) -> GatewayConfiguration {
    let (configuration, problems) = loader.configuration(at: path, reading: files)
    guard let configuration else { throw CommandFailure(configuration: problems, advice: advice) }
    return configuration
  }
}

/// `--format text|json`, for commands that print data.
struct FormatOption: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Option(help: "How data is printed; JSON is one object a line.")
  var format = Format.text
}

/// `--format text|json|sarif|github`, for commands whose findings reviewers look at.
struct FindingFormatOption: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, sarif, github }

  @Option(
    help: ArgumentHelp(
      "How findings are printed; JSON is one object a line, sarif SARIF 2.1.0, github workflow commands that annotate a "
        + "pull request."))
  var format = Format.text
}

/// `--since T` and `--until T`, for commands that look at a part of the journal.
struct TimeRangeOption: ParsableArguments {
  @Option(help: "Not before this time: RFC 3339, a date, or how long ago (15m, 24h, 7d).")
  var since: TimeExpression?
  @Option(help: "Before this time: RFC 3339, a date, or how long ago.")
  var until: TimeExpression?

  /// The times that are meant now.
  var resolved: (since: WallClockTime?, until: WallClockTime?) {
    let now = WallClockTime.now
    return (since?.resolved(at: now), until?.resolved(at: now))
  }
}

extension TimeExpression: ExpressibleByArgument {
  package init?(argument: String) { self.init(argument) }
}
