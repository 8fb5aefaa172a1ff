internal import Primitives
package import Configuration
package import OpenSSLCrypto
package import SigV4

/// Where the gateway's own AWS credentials come from. They are read at start and at reload.
package enum CredentialProvider {
  /// - Parameters:
  ///   - readText: a file's content; `nil` when there is no such file.
  /// - Throws: `CredentialProblem`, which says what is missing and where.
  package static func load(
    _ source: GatewayConfiguration.CredentialSource, environment: Environment,
    readText: (String) -> String?
  ) throws(CredentialProblem) -> Credentials {
    switch source {
    case .environment:
      return try CredentialParsing.fromEnvironment(environment)
    case .profile(let name, let file):
      return try profile(name, file: file?.path, environment: environment, readText: readText)
    case .fixed(let id, let secret, let token):
      return Credentials(accessKeyId: .init(id), secret: secret, sessionToken: token, expiration: nil)
    case .chain:
      if environment.nonEmpty("AWS_ACCESS_KEY_ID") != nil {
        return try CredentialParsing.fromEnvironment(environment)
      }
      return try profile(nil, file: nil, environment: environment, readText: readText)
    }
  }

  /// The files and the profile's name are found as the SDKs find them: environment, then `~/.aws`.
  private static func profile(
    _ name: String?, file: String?, environment: Environment, readText: (String) -> String?
  ) throws(CredentialProblem) -> Credentials {
    let variable = environment.nonEmpty
    let home = variable("HOME") ?? ""
    let credentials = file ?? variable("AWS_SHARED_CREDENTIALS_FILE") ?? "\(home)/.aws/credentials"
    let config = variable("AWS_CONFIG_FILE") ?? "\(home)/.aws/config"
    return try CredentialParsing.fromProfile(
      credentialsFile: readText(credentials), configFile: file == nil ? readText(config) : nil,
      profile: name ?? variable("AWS_PROFILE") ?? "default")
  }
}
