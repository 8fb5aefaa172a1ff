package import Configuration
package import OpenSSLCrypto
internal import Primitives
internal import SigV4

/// What planning reads: the environment, and files of the SDKs.
package struct EnvironmentReader {
  private let environment: Environment
  /// A file's content; `nil` when there is no such file.
  let readText: (String) -> String?

  package init(_ environment: Environment, readText: @escaping (String) -> String?) {
    self.environment = environment
    self.readText = readText
  }

  func value(_ name: String) -> String? { environment.nonEmpty(name) }

  func keys() throws(CredentialProblem) -> Credentials { try CredentialParsing.fromEnvironment(environment) }
}

/// Finds out how credentials are to be had, as the SDKs do.
package enum CredentialPlanner {
  package static func plan(
    _ settings: GatewayConfiguration.CredentialSettings, _ environment: EnvironmentReader
  ) throws(CredentialFailure) -> CredentialPlan {
    let plan = try plan(settings.source, environment)
    return settings.assumeRole.map { .assumeRole($0, with: plan) } ?? plan
  }

  private static func plan(
    _ source: GatewayConfiguration.CredentialSource, _ environment: EnvironmentReader
  ) throws(CredentialFailure) -> CredentialPlan {
    switch source {
    case .environment: return try keys(environment)
    case .profile(let name, let file):
      return try ProfileReader(file: file?.path, environment).plan(name)
    case .fixed(let id, let secret, let token):
      return .ready(Credentials(accessKeyId: .init(id), secret: secret, sessionToken: token), .static)
    case .process(let words): return .process(words)
    case .container:
      if let endpoint = try ContainerEndpoint.find(in: environment) { return .container(endpoint) }
      throw .variable("AWS_CONTAINER_CREDENTIALS_FULL_URI", expected: "set, nor is …_RELATIVE_URI")
    case .instance:
      if let endpoint = try MetadataEndpoint.find(in: environment) { return .instance(endpoint) }
      throw .variable(
        "AWS_EC2_METADATA_DISABLED", expected: "unset or false, as the source `instance` needs it")
    case .webIdentity:
      if let identity = try webIdentity(environment) { return .webIdentity(identity) }
      throw .variable("AWS_WEB_IDENTITY_TOKEN_FILE", expected: "set")
    case .chain: return try chain(environment)
    }
  }

  /// The first that is there; that it then fails is no reason to look on.
  private static func chain(_ environment: EnvironmentReader) throws(CredentialFailure) -> CredentialPlan {
    if environment.value("AWS_ACCESS_KEY_ID") != nil { return try keys(environment) }
    if let identity = try webIdentity(environment) { return .webIdentity(identity) }
    let profiles = ProfileReader(file: nil, environment)
    if environment.value("AWS_PROFILE") != nil { return try profiles.plan(nil) }
    if try profiles.givesCredentials(nil) { return try profiles.plan(nil) }
    if let endpoint = try ContainerEndpoint.find(in: environment) { return .container(endpoint) }
    if let endpoint = try MetadataEndpoint.find(in: environment) { return .instance(endpoint) }
    throw .noSource
  }

  static func keys(_ environment: EnvironmentReader) throws(CredentialFailure) -> CredentialPlan {
    do throws(CredentialProblem) {
      return .ready(try environment.keys(), .environment)
    } catch {
      throw .problem(error)
    }
  }

  static func webIdentity(
    _ environment: EnvironmentReader
  ) throws(CredentialFailure) -> WebIdentity? {
    guard let file = environment.value("AWS_WEB_IDENTITY_TOKEN_FILE") else { return nil }
    guard let role = environment.value("AWS_ROLE_ARN") else {
      throw .problem(.variableMissing("AWS_ROLE_ARN"))
    }
    let session =
      environment.value("AWS_ROLE_SESSION_NAME") ?? GatewayConfiguration.RoleToAssume.standardSessionName
    guard isRoleSessionName(session) else {
      throw .variable("AWS_ROLE_SESSION_NAME", expected: "2 to 64 letters, digits and _ + = , . @ -")
    }
    return WebIdentity(tokenFile: file, roleArn: role, sessionName: session)
  }
}
