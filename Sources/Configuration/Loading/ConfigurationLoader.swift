package import OpenSSLCrypto
internal import StrictJSON

/// Loads what the gateway runs on, and says of all the files everything that is wrong with them.
package struct ConfigurationLoader {
  let files: any FileSource
  let environment: Environment
  /// What strings of files refer to.
  let references: EnvironmentReferences
  let knownOperations: [String]
  /// Whether it is an error that others may write files that decide: before they are put in force, or checked for it.
  var judgesWriting = false

  /// - Parameter knownOperations: the operation names of the service model.
  package init(files: any FileSource, environment: Environment, knownOperations: [String]) {
    self.files = files
    self.environment = environment
    references = EnvironmentReferences(environment)
    self.knownOperations = knownOperations
  }

  /// The configuration file, the tenants file and the policies folder; `nil` when one of the problems is an error.
  package static func load(
    configPath: String, files: any FileSource, environment: Environment, knownOperations: [String]
  ) -> (LoadedConfiguration?, [Problem]) {
    let loader = ConfigurationLoader(files: files, environment: environment, knownOperations: knownOperations)
    let findings = loader.findings(configPath: configPath)
    return (findings.loaded, findings.problems)
  }

  /// As `load`, but with what could be read even when there are errors.
  package func findings(configPath: String) -> ConfigurationFindings {
    var judging = self
    judging.judgesWriting = true
    return judging.find(configPath)
  }

  private func find(_ configPath: String) -> ConfigurationFindings {
    let (draft, found) = readConfiguration(at: configPath)
    var problems = found
    var tenants: TenantDirectory?
    var policies: PolicyFiles?
    // Even when the configuration file has faults, the other files' are wanted as well.
    if let file = draft?.tenants {
      tenants = readTenants(
        at: file, namedIn: configPath, servedIn: draft?.upstream?.regionNames, problems: &problems)
    }
    if let directory = draft?.policies {
      policies = readPolicies(in: directory, namedIn: configPath, problems: &problems)
    }
    return ConfigurationFindings(
      configuration: draft?.configuration, tenants: tenants, policies: policies,
      environmentNames: references.names, problems: problems)
  }

  /// Which of the small files that a configuration names are read.
  package enum NamedFiles: Sendable {
    case all
    /// Those of `audit`.
    case audit
  }

  /// The configuration file alone, with the small files it names.
  package func configuration(
    at path: String, reading files: NamedFiles = .all
  ) -> (GatewayConfiguration?, [Problem]) {
    let (draft, problems) = readConfiguration(at: path, files)
    return (problems.hasErrors ? nil : draft?.configuration, problems)
  }

  /// The tenants file that a configuration names.
  package func tenants(
    of configuration: GatewayConfiguration, configPath: String
  ) -> (TenantDirectory?, [Problem]) {
    var problems: [Problem] = []
    let directory = readTenants(
      at: configuration.tenants, namedIn: configPath, servedIn: configuration.upstream.regionNames,
      problems: &problems)
    return (problems.hasErrors ? nil : directory, problems)
  }

  /// The policies folder that a configuration names.
  package func policies(
    of configuration: GatewayConfiguration, configPath: String
  ) -> (PolicyFiles?, [Problem]) {
    var problems: [Problem] = []
    let policies = readPolicies(in: configuration.policies, namedIn: configPath, problems: &problems)
    return (problems.hasErrors ? nil : policies, problems)
  }

  /// Any folder of policies.
  package func policies(inFolder path: String) -> (PolicyFiles?, [Problem]) {
    var problems: [Problem] = []
    let start = SourcePosition(line: 1, column: 1)
    let reference = FileReference(path: path, position: start)
    let policies = readPolicies(in: reference, namedIn: path, problems: &problems)
    return (problems.hasErrors ? nil : policies, problems)
  }
}

extension ConfigurationLoader {
  private func readConfiguration(
    at path: String, _ named: NamedFiles = .all
  ) -> (ConfigurationDraft?, [Problem]) {
    let reading = Reading(file: path, directory: folder(of: path), environment: references)
    guard let contents = read(path, reading) else { return (nil, reading.problems) }
    refuseWritable(contents, at: path, reading)
    let draft = parse(contents.bytes, as: ConfigurationDraft.form, reading).map {
      readNamedFiles($0, named, reading)
    }
    refuseReadableSecrets(in: contents, at: path, reading)
    return (draft, reading.sortedProblems)
  }

  /// A file that nothing else names; that it cannot be read is a problem of its own first line.
  func read(_ path: String, _ reading: Reading) -> FileContents? {
    do throws(FileFault) {
      return try files.read(path)
    } catch {
      reading.error(at: SourcePosition(line: 1, column: 1), "cannot be read: \(error.message)")
      return nil
    }
  }

  /// A file that another names; that it cannot be read is a problem where it is named.
  func read(_ reference: FileReference, _ reading: Reading) -> FileContents? {
    do throws(FileFault) {
      return try files.read(reference.path)
    } catch {
      reading.error(at: reference.position, "cannot read \(quoted(reference.path)): \(error.message)")
      return nil
    }
  }

  func names(in reference: FileReference, _ reading: Reading) -> [String]? {
    do throws(FileFault) {
      return try files.names(in: reference.path)
    } catch {
      reading.error(at: reference.position, "cannot read folder \(quoted(reference.path)): \(error.message)")
      return nil
    }
  }

  func parse<Value>(_ bytes: [UInt8], as form: Form<Value>, _ reading: Reading) -> Value? {
    do throws(LocatedSyntaxError) {
      return form.read(try parseLocated(bytes), reading)
    } catch {
      reading.error(at: error.position, error.message)
      return nil
    }
  }
}
