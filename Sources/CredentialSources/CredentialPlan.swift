package import Configuration
package import SigV4

/// How credentials are to be had, once configuration, environment and the SDKs' files were read.
package indirect enum CredentialPlan: Sendable {
  /// They are here.
  case ready(Credentials, CredentialOrigin)
  /// From what a program prints.
  case process([String])
  case container(ContainerEndpoint)
  case instance(MetadataEndpoint)
  case webIdentity(WebIdentity)
  case assumeRole(GatewayConfiguration.RoleToAssume, with: CredentialPlan)
}

/// What readyz and metrics call a source.
package enum CredentialOrigin: String, Sendable {
  case environment, profile, `static`, process, container, instance, webIdentity
}

extension CredentialPlan {
  /// Where the first credentials come from.
  package var origin: CredentialOrigin {
    switch self {
    case .ready(_, let origin): origin
    case .process: .process
    case .container: .container
    case .instance: .instance
    case .webIdentity: .webIdentity
    case .assumeRole(_, let base): base.origin
    }
  }
}

/// A role that STS gives for the token in a file.
package struct WebIdentity: Sendable, Hashable {
  package let tokenFile: String
  package let roleArn: String
  package let sessionName: String
}
