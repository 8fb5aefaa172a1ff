/// Everything that the gateway runs on, as of one load.
package struct LoadedConfiguration: Sendable {
  package let configuration: GatewayConfiguration
  package let tenants: TenantDirectory
  package let policies: PolicyFiles
}

/// The documents of a policies folder.
package struct PolicyFiles: Sendable {
  /// In the order of the files' names.
  package let documents: [PolicyDocument]
  /// `sha256:` and the hexadecimal digest over the files' names and bytes.
  package let revision: String
}
