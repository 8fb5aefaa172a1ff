import ArgumentParser
import ChimeIdentity
import Configuration

/// `--config FILE`, for commands that read the configuration.
struct ConfigOption: ParsableArguments {
  @Option(help: "The configuration file. (default: $GATEHOUSE_CONFIG, then gatehouse.json)")
  var config: String?

  /// The file that was named, or the one that is used when none is.
  var path: String {
    if let config { return config }
    if let named = Process.environment["GATEHOUSE_CONFIG"], !named.isEmpty { return named }
    return "gatehouse.json"
  }

  /// Reads files of the disk under this process's environment.
  var loader: ConfigurationLoader {
    ConfigurationLoader(
      files: DiskFiles(), environment: Process.environment, knownOperations: Operation.allNames)
  }

  /// The configuration file alone; a command that needs no more does not fail for what is wrong with the rest.
  func loadConfiguration() throws(CommandFailure) -> GatewayConfiguration {
    let (configuration, problems) = loader.configuration(at: path)
    guard let configuration else { throw CommandFailure(configuration: problems) }
    return configuration
  }
}

/// `--format text|json`, for commands that print data.
struct FormatOption: ParsableArguments {
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Option(help: "How data is printed; JSON is one object a line.")
  var format = Format.text
}

extension Operation {
  /// The names of all operations of the service model.
  static var allNames: [String] { allCases.map(\.name) }
}
