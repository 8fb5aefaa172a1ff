internal import Configuration
internal import SigV4

/// Profiles of the SDKs' files, as botocore follows them: a role and where its first credentials come from, keys, a
/// program.
struct ProfileReader {
  private let environment: EnvironmentReader
  private let credentialsFile: String?
  private let configFile: String?

  /// - Parameter file: the credentials file, which is then the only one; `nil`: those of the SDKs.
  init(file: String?, _ environment: EnvironmentReader) {
    self.environment = environment
    let home = environment.value("HOME") ?? ""
    let credentials =
      file ?? environment.value("AWS_SHARED_CREDENTIALS_FILE") ?? "\(home)/.aws/credentials"
    credentialsFile = environment.readText(credentials)
    let config = environment.value("AWS_CONFIG_FILE") ?? "\(home)/.aws/config"
    configFile = file == nil ? environment.readText(config) : nil
  }

  /// - Parameter name: `nil`: that of the environment, else `default`.
  func plan(_ name: String?) throws(CredentialFailure) -> CredentialPlan {
    try plan(name ?? environment.value("AWS_PROFILE") ?? "default", visited: [])
  }

  /// Whether the profile is there and says where credentials come from.
  func givesCredentials(_ name: String?) throws(CredentialFailure) -> Bool {
    guard let options = try options(name ?? environment.value("AWS_PROFILE") ?? "default") else {
      return false
    }
    return Self.sources.contains { options[$0] != nil }
  }

  private static let sources = [
    "aws_access_key_id", "role_arn", "credential_process", "sso_session", "sso_start_url",
  ]
  /// A role takes its credentials from its source, and so on; more than that is a mistake.
  private static let longestChain = 5

  private func options(_ profile: String) throws(CredentialFailure) -> [String: String]? {
    do throws(CredentialProblem) {
      return try CredentialParsing.options(
        credentialsFile: credentialsFile, configFile: configFile, profile: profile)
    } catch {
      throw .problem(error)
    }
  }

  private func plan(_ profile: String, visited: [String]) throws(CredentialFailure) -> CredentialPlan {
    guard let options = try options(profile) else { throw .problem(.profileMissing(profile)) }
    // A profile that is its own source means its keys.
    if let role = options["role_arn"], visited.last != profile {
      return try plan(role, options, profile, visited: visited)
    }
    if options["aws_access_key_id"] == nil, let command = options["credential_process"] {
      guard let words = CommandLineWords.split(command) else {
        throw .profile(
          profile, reason: "`credential_process` is no command, or a quotation mark is not closed")
      }
      return .process(words)
    }
    do throws(CredentialProblem) {
      return .ready(
        try CredentialParsing.fromProfile(
          credentialsFile: credentialsFile, configFile: configFile, profile: profile), .profile)
    } catch {
      throw .problem(error)
    }
  }

  private func plan(
    _ role: String, _ options: [String: String], _ profile: String, visited: [String]
  ) throws(CredentialFailure) -> CredentialPlan {
    let session =
      options["role_session_name"] ?? GatewayConfiguration.RoleToAssume.standardSessionName
    guard isRoleSessionName(session) else {
      throw .profile(profile, reason: "`role_session_name` is not 2 to 64 letters, digits and _ + = , . @ -")
    }
    if let file = options["web_identity_token_file"] {
      return .webIdentity(WebIdentity(tokenFile: file, roleArn: role, sessionName: session))
    }
    guard options["mfa_serial"] == nil else {
      throw .profile(profile, reason: "`mfa_serial` asks for a code that nobody is there to enter")
    }
    let base: CredentialPlan
    switch (options["source_profile"], options["credential_source"]) {
    case (let source?, nil):
      guard visited.count < Self.longestChain, source == profile || !visited.contains(source) else {
        throw .profile(profile, reason: "`source_profile` leads in a circle, or over too many profiles")
      }
      base = try plan(source, visited: visited + [profile])
    case (nil, "Environment"?): base = try CredentialPlanner.keys(environment)
    case (nil, "Ec2InstanceMetadata"?):
      guard let endpoint = try MetadataEndpoint.find(in: environment) else {
        throw .profile(
          profile, reason: "`credential_source` is Ec2InstanceMetadata, which the environment forbids")
      }
      base = .instance(endpoint)
    case (nil, "EcsContainer"?):
      guard let endpoint = try ContainerEndpoint.find(in: environment) else {
        throw .profile(
          profile, reason: "`credential_source` is EcsContainer, which the environment does not name")
      }
      base = .container(endpoint)
    default:
      throw .profile(
        profile,
        reason:
          "`role_arn` needs either `source_profile`, `credential_source` (Environment, Ec2InstanceMetadata or"
          + " EcsContainer) or `web_identity_token_file`")
    }
    let assumed = GatewayConfiguration.RoleToAssume(
      roleArn: role, externalID: options["external_id"], sessionName: session)
    return .assumeRole(assumed, with: base)
  }
}
