import OpenSSLCrypto
import Primitives
import Testing

@testable import SigV4

@Suite("Credentials")
struct CredentialParsingTests {
  struct Shown: Equatable {
    let id: String
    let secret: String
    let token: String?

    init(_ id: String, _ secret: String, _ token: String? = nil) {
      self.id = id
      self.secret = secret
      self.token = token
    }

    init(_ credentials: Credentials) {
      id = credentials.accessKeyId.string
      secret = credentials.secret.withBytes { string($0) }
      token = credentials.sessionToken?.withBytes { string($0) }
    }
  }

  @Test("come from the environment")
  func environment() throws {
    let found = try CredentialParsing.fromEnvironment([
      "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s e c", "AWS_SESSION_TOKEN": "tok",
      "AWS_CREDENTIAL_EXPIRATION": "2026-11-23T13:00:00Z", "PATH": "/bin",
    ])
    #expect(Shown(found) == Shown("AKID", "s e c", "tok"))
    #expect(found.expiration == WallClockTime(rfc3339: "2026-11-23T13:00:00Z"))
  }

  @Test("from the environment need both variables, not empty")
  func environmentMissing() {
    #expect(throws: CredentialProblem.variableMissing("AWS_ACCESS_KEY_ID")) {
      try CredentialParsing.fromEnvironment(["AWS_SECRET_ACCESS_KEY": "x"])
    }
    #expect(throws: CredentialProblem.variableMissing("AWS_SECRET_ACCESS_KEY")) {
      try CredentialParsing.fromEnvironment(["AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": ""])
    }
  }

  @Test(
    "that would break out of a header are refused", arguments: ["a b", "a\r\nHost: x", "a/b", "a,b", "é"])
  func headerInjection(id: String) {
    #expect(throws: CredentialProblem.malformed("AWS_ACCESS_KEY_ID")) {
      try CredentialParsing.fromEnvironment(["AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": "x"])
    }
    #expect(throws: CredentialProblem.malformed("sessionToken")) {
      try CredentialParsing.fromKeys(accessKeyId: "A", secretAccessKey: "s", sessionToken: "t\r\nx: y")
    }
  }

  static let credentialsFile = """
    # people
    [default]
    aws_access_key_id = AKIDEFAULT
    aws_secret_access_key=se=cret:/+
    \u{20}
    [work]\r
    AWS_ACCESS_KEY_ID : AKIWORK\r
    aws_secret_access_key : secret  \r
    aws_session_token: a
    ; comment
    [half]
    aws_access_key_id = AKIHALF
    [other]
    region = eu-central-1
    """

  static let configFile = """
    [default]
    region = us-east-1
    s3 =
      addressing_style = path
    [profile conf]
    aws_access_key_id = AKICONF
    aws_secret_access_key = secret2
    [profile "two words"]
    aws_access_key_id = AKITWO
    aws_secret_access_key = secret3
    [profile sso]
    sso_session = corp
    [work2]
    aws_access_key_id = NOTAPROFILE
    aws_secret_access_key = x
    """

  private func profile(_ name: String) throws(CredentialProblem) -> Shown {
    Shown(
      try CredentialParsing.fromProfile(
        credentialsFile: Self.credentialsFile, configFile: Self.configFile, profile: name))
  }

  @Test("come from the profile in the credentials file, else from the config file")
  func profiles() throws {
    #expect(try profile("default") == Shown("AKIDEFAULT", "se=cret:/+"))
    #expect(try profile("work") == Shown("AKIWORK", "secret", "a"))
    #expect(try profile("conf") == Shown("AKICONF", "secret2"))
    #expect(try profile("two words") == Shown("AKITWO", "secret3"))
  }

  @Test("that are not there are named")
  func profilesMissing() {
    #expect(throws: CredentialProblem.profileMissing("nobody")) { try profile("nobody") }
    #expect(throws: CredentialProblem.profileMissing("work2")) { try profile("work2") }
    #expect(
      throws: CredentialProblem.optionMissing(
        option: "aws_secret_access_key", profile: "half", file: .credentials)
    ) { try profile("half") }
    #expect(
      throws: CredentialProblem.optionMissing(
        option: "aws_access_key_id", profile: "other", file: .credentials)
    ) { try profile("other") }
    #expect(throws: CredentialProblem.profileUsesAnotherSource(profile: "sso", option: "sso_session")) {
      try profile("sso")
    }
    #expect(throws: CredentialProblem.profileMissing("default")) {
      try CredentialParsing.fromProfile(credentialsFile: nil, configFile: nil, profile: "default")
    }
  }

  @Test(
    "in a file that botocore cannot read are a problem with its line",
    arguments: [
      ("a = b", .optionOutsideSection(line: 1)),
      ("[a]\nnonsense", .notAnOption(line: 2)),
      ("[a]\n= b", .notAnOption(line: 2)),
      ("[a]\nb=1\n\n[a]", .sectionGivenTwice(name: "a", line: 4)),
      ("[a]\nb=1\nB=2", .optionGivenTwice(name: "b", line: 3)),
    ] as [(String, ProfileFileProblem)])
  func unreadable(text: String, problem: ProfileFileProblem) {
    #expect(throws: problem) { try ProfileFile(reading: text) }
  }

  // Expected values: Python 3.11, configparser.RawConfigParser().read_string(text).
  @Test("files read as Python's configparser reads them")
  func likePython() throws {
    let text =
      "[DEFAULT]\nregion = r\n[a] trailing\nx = 1 # no comment\n  more\n\n  last\ny:=2\n[b]\nregion=own\n"
    let file = try ProfileFile(reading: text)
    #expect(file.section("a") == ["region": "r", "x": "1 # no comment\nmore\n\nlast", "y": "=2"])
    #expect(file.section("b") == ["region": "own"])
    #expect(file.section("DEFAULT") == nil)
  }
}
