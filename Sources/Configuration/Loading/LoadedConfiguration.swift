/// Everything that the gateway runs on, as of one load.
package struct LoadedConfiguration: Sendable {
  package let configuration: GatewayConfiguration
  package let tenants: TenantDirectory
  package let policies: PolicyFiles
  /// The variables that the files refer to.
  package let environmentNames: Set<String>
}

/// The documents of a policies folder.
package struct PolicyFiles: Sendable {
  /// In the order of the files' names, and after them what the tag policies come to.
  package let documents: [PolicyDocument]
  /// In the order of their names.
  package let exceptions: [ExceptionDocument]
  /// `sha256:` and the hexadecimal digest over the files' names and bytes.
  package let revision: String
}

/// What could be read of the files in spite of their problems, for looking further into it.
package struct ConfigurationFindings: Sendable {
  package let configuration: GatewayConfiguration?
  package let tenants: TenantDirectory?
  package let policies: PolicyFiles?
  let environmentNames: Set<String>
  /// File by file, from top to bottom.
  package let problems: [Problem]

  /// The whole, if none of the problems is an error.
  package var loaded: LoadedConfiguration? {
    guard !problems.hasErrors, let configuration, let tenants, let policies else { return nil }
    return LoadedConfiguration(
      configuration: configuration, tenants: tenants, policies: policies, environmentNames: environmentNames)
  }
}
