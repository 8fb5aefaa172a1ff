import Configuration
import OpenSSLCrypto
import Primitives
import SigV4
import StrictJSON
import Testing

@testable import Gateway

/// Names, files and their order are those of the SDKs (AWS SDKs and Tools Reference Guide, "Credential provider chain").
@Suite struct CredentialProviderTests {
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
    #expect(throws: CredentialProblem.variableMissing("AWS_SECRET_ACCESS_KEY")) {
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
    #expect(throws: CredentialProblem.profileMissing("default")) { try load(source, variables, config) }
  }

  @Test func eachSourceLooksOnlyWhereItSays() throws {
    let files = ["/home/u/.aws/credentials": profile("default", "AKIDFILE")]
    #expect(throws: CredentialProblem.variableMissing("AWS_ACCESS_KEY_ID")) {
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
    let problem = try #require(throws: CredentialProblem.self) { try load(.chain, environment, [:]) }
    #expect(problem == .malformed(name))
    for value in ["left", "right", "env-secret"] { #expect(!"\(problem)".contains(value)) }
  }

  private func profile(_ name: String, _ id: String) -> String {
    "[\(name)]\naws_access_key_id = \(id)\naws_secret_access_key = file-secret\n"
  }

  private func load(
    _ source: GatewayConfiguration.CredentialSource, _ environment: [String: String],
    _ files: [String: String]
  ) throws -> Credentials {
    try CredentialProvider.load(
      source, environment: Environment(environment.merging(["HOME": "/home/u"]) { own, _ in own }),
      readText: { files[$0] })
  }
}
