import Configuration
import OpenSSLCrypto
import Primitives
import SigV4
import StrictJSON
import Testing

@testable import CredentialSources

/// Names, files and their order are those of the SDKs (AWS SDKs and Tools Reference Guide, "Credential provider chain").
@Suite struct CredentialPlannerTests {
  private let variables = ["AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "env-secret"]

  @Test func theChainTakesTheEnvironmentBeforeTheProfile() throws {
    let credentials = try load(
      .chain, variables, ["/home/u/.aws/credentials": profile("default", "AKIDFILE")])
    #expect(credentials.accessKeyId == "AKIDENV")
    #expect(Secret.constantTimeEqual(credentials.secret, Array("env-secret".utf8)))
    #expect(credentials.sessionToken == nil)
  }

  @Test(arguments: [[:], ["AWS_ACCESS_KEY_ID": ""]])
  func withoutAKeyInTheEnvironmentTheChainTakesTheProfile(_ environment: [String: String]) throws {
    let files = ["/home/u/.aws/credentials": profile("default", "AKIDFILE")]
    #expect(try load(.chain, environment, files).accessKeyId == "AKIDFILE")
  }

  @Test func aKeyWithoutItsSecretIsAnErrorAndNotAReasonToLookOn() throws {
    #expect(throws: CredentialFailure.problem(.variableMissing("AWS_SECRET_ACCESS_KEY"))) {
      try load(
        .chain, ["AWS_ACCESS_KEY_ID": "AKIDENV"],
        ["/home/u/.aws/credentials": profile("default", "AKIDFILE")])
    }
  }

  @Test func theCredentialsFileComesBeforeTheConfigFile() throws {
    let config = ["/home/u/.aws/config": profile("default", "AKIDCONFIG")]
    let both = config.merging(["/home/u/.aws/credentials": profile("default", "AKIDFILE")]) { $1 }
    #expect(try load(.chain, [:], both).accessKeyId == "AKIDFILE")
    #expect(try load(.chain, [:], config).accessKeyId == "AKIDCONFIG")
  }

  @Test func theEnvironmentNamesProfileAndFiles() throws {
    let files = ["/elsewhere": profile("default", "AKIDDEFAULT") + profile("ops", "AKIDOPS")]
    let environment = ["AWS_SHARED_CREDENTIALS_FILE": "/elsewhere", "AWS_PROFILE": "ops"]
    #expect(try load(.chain, environment, files).accessKeyId == "AKIDOPS")
    #expect(
      try load(.profile(name: "default", file: nil), environment, files).accessKeyId == "AKIDDEFAULT")
  }

  @Test func aFileNamedInTheConfigurationIsTheOnlyOne() throws {
    let position = SourcePosition(line: 1, column: 1)
    let source = GatewayConfiguration.CredentialSource.profile(
      name: nil, file: FileReference(path: "/own", position: position))
    let config = ["/home/u/.aws/config": profile("default", "AKIDCONFIG")]
    #expect(
      try load(source, variables, config.merging(["/own": profile("default", "AKIDOWN")]) { $1 })
        .accessKeyId == "AKIDOWN")
    #expect(throws: CredentialFailure.problem(.profileMissing("default"))) {
      try load(source, variables, config)
    }
  }

  @Test func eachSourceLooksOnlyWhereItSays() throws {
    let files = ["/home/u/.aws/credentials": profile("default", "AKIDFILE")]
    #expect(throws: CredentialFailure.problem(.variableMissing("AWS_ACCESS_KEY_ID"))) {
      try load(.environment, [:], files)
    }
    #expect(try load(.profile(name: nil, file: nil), variables, files).accessKeyId == "AKIDFILE")
    let fixed = try load(
      .fixed(
        accessKeyID: "AKIDFIXED", secretAccessKey: Secret(Array("s".utf8)),
        sessionToken: Secret(Array("t".utf8))), variables, files)
    #expect(fixed.accessKeyId == "AKIDFIXED")
    #expect(Secret.constantTimeEqual(try #require(fixed.sessionToken), Array("t".utf8)))
  }

  @Test func aSessionTokenInTheEnvironmentBelongsToTheKey() throws {
    let credentials = try load(.chain, variables.merging(["AWS_SESSION_TOKEN": "tok"]) { $1 }, [:])
    #expect(Secret.constantTimeEqual(try #require(credentials.sessionToken), Array("tok".utf8)))
  }

  @Test(arguments: ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"])
  func whatCannotStandInAHeaderIsRefusedAndNotShown(_ name: String) throws {
    let environment = variables.merging([name: "left\r\nright"]) { $1 }
    let problem = try #require(throws: CredentialFailure.self) { try load(.chain, environment, [:]) }
    #expect(problem == .problem(.malformed(name)))
    for value in ["left", "right", "env-secret"] { #expect(!"\(problem)".contains(value)) }
  }

  @Test func theChainGoesOnToWebIdentityContainerAndInstance() throws {
    var environment = [
      "AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x",
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x?y=1",
    ]
    let files = ["/home/u/.aws/credentials": profile("default", "AKIDFILE")]
    #expect(try plan(.chain, environment, files).origin == .webIdentity)
    environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = nil
    #expect(try plan(.chain, environment, files).origin == .profile)
    guard case .container(let endpoint) = try plan(.chain, environment) else {
      Issue.record("no container")
      return
    }
    #expect(
      "\(endpoint.endpoint)" == "http://169.254.170.2" && endpoint.path == "/v2/x" && endpoint.query == "y=1")
    environment = [:]
    #expect(try plan(.chain, environment).origin == .instance)
    // A profile without credentials is none.
    #expect(
      try plan(.chain, environment, ["/home/u/.aws/config": "[default]\nregion = x\n"]).origin == .instance)
    #expect(throws: CredentialFailure.noSource) { try plan(.chain, ["AWS_EC2_METADATA_DISABLED": "TRUE"]) }
  }

  @Test(arguments: [
    ("http://169.254.170.23/v1/credentials", true), ("http://[fd00:ec2::23]/v1/credentials", true),
    ("http://127.0.0.1:8080/", true), ("http://localhost/x", true), ("https://example.com/x", true),
    ("http://example.com/x", false), ("http://169.254.169.254/x", false), ("ftp://127.0.0.1/", false),
    ("http://127.0.0.1/a b", false), ("http://user@127.0.0.1/", false),
  ])
  func containersAreAskedWhereNobodyElseListens(_ url: String, _ isGood: Bool) throws {
    let environment = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": url]
    #expect(((try? plan(.container, environment)) != nil) == isGood)
  }

  @Test func aProfileFollowsItsRoleToItsSource() throws {
    let role = "role_arn = arn:aws:iam::123456789012:role/x\n"
    let config = [
      "/home/u/.aws/config": """
      [profile base]
      aws_access_key_id = AKIDBASE
      aws_secret_access_key = s
      [profile role]
      \(role)source_profile = base
      external_id = ext
      [profile twice]
      \(role)source_profile = role
      [profile self]
      \(role)source_profile = self
      aws_access_key_id = AKIDSELF
      aws_secret_access_key = s
      [profile a]
      \(role)source_profile = b
      [profile b]
      \(role)source_profile = a
      [profile instance]
      \(role)credential_source = Ec2InstanceMetadata
      [profile token]
      \(role)web_identity_token_file = /t
      [profile program]
      credential_process = "/opt/a b" --x "" y
      [profile mfa]
      \(role)source_profile = base
      mfa_serial = x
      [profile nothing]
      \(role)
      """
    ]
    func of(_ name: String) throws -> CredentialPlan {
      try plan(.profile(name: name, file: nil), [:], config)
    }
    guard case .assumeRole(let assumed, .ready(let keys, _)) = try of("role") else {
      Issue.record("no role")
      return
    }
    #expect(
      assumed.externalID == "ext" && assumed.sessionName == "gatehouse" && keys.accessKeyId == "AKIDBASE")
    guard case .assumeRole(_, .assumeRole(_, .ready)) = try of("twice") else {
      Issue.record("not two roles")
      return
    }
    guard case .assumeRole(_, .ready(let own, _)) = try of("self"), own.accessKeyId == "AKIDSELF" else {
      Issue.record("not its own keys")
      return
    }
    #expect(try of("instance").origin == .instance)
    #expect(try of("token").origin == .webIdentity)
    guard case .process(let words) = try of("program") else {
      Issue.record("no program")
      return
    }
    #expect(words == ["/opt/a b", "--x", "", "y"])
    for name in ["a", "mfa", "nothing"] { #expect(throws: CredentialFailure.self) { try of(name) } }
  }

  private func profile(_ name: String, _ id: String) -> String {
    "[\(name)]\naws_access_key_id = \(id)\naws_secret_access_key = file-secret\n"
  }

  private func load(
    _ source: GatewayConfiguration.CredentialSource, _ environment: [String: String],
    _ files: [String: String]
  ) throws -> Credentials {
    switch try plan(source, environment, files) {
    case .ready(let credentials, _): return credentials
    case let other: throw Unexpected(plan: "\(other)")
    }
  }

  private struct Unexpected: Error { let plan: String }

  private func plan(
    _ source: GatewayConfiguration.CredentialSource, _ environment: [String: String],
    _ files: [String: String] = [:]
  ) throws -> CredentialPlan {
    let reader = EnvironmentReader(
      Environment(environment.merging(["HOME": "/home/u"]) { own, _ in own }), readText: { files[$0] })
    return try CredentialPlanner.plan(GatewayConfiguration.CredentialSettings(source), reader)
  }
}
