import Configuration
import OpenSSLCrypto
import Primitives
import SigV4
import Testing

@testable import CredentialSources

@Suite struct CredentialAnswerTests {
  private func parse(_ text: String, _ form: CredentialAnswer.Form) throws -> Credentials {
    try CredentialAnswer.parse(Array(text.utf8), as: form)
  }

  @Test func aProgramsOutputIsVersionOne() throws {
    let good =
      #"{"Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "s\/x", "SessionToken": "t", "Expiration": "2027-01-01T00:00:00Z"}"#
    let credentials = try parse(good, .process)
    #expect(credentials.accessKeyId == "AKID")
    #expect(Secret.constantTimeEqual(credentials.secret, Array("s/x".utf8)))
    #expect(credentials.expiration == WallClockTime(rfc3339: "2027-01-01T00:00:00Z"))
    #expect(
      try parse(#"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "s"}"#, .process).expiration == nil)
  }

  @Test(arguments: [
    "", "[]", "not json TOPSECRET", #"{"Version": 2, "AccessKeyId": "A", "SecretAccessKey": "TOPSECRET"}"#,
    #"{"Version": 1, "AccessKeyId": "A"}"#,
    #"{"Version": 1, "AccessKeyId": "A\r\nX: y", "SecretAccessKey": "TOPSECRET"}"#,
    #"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "TOPSECRET", "Expiration": "soon"}"#,
    #"{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "TOPSECRET", "SessionToken": "a b"}"#,
  ])
  func whatIsNotIsRefusedAndNotShown(_ text: String) throws {
    let failure = try #require(throws: CredentialFailure.self) { try parse(text, .process) }
    #expect(!"\(failure)".contains("TOPSECRET"))
  }

  @Test func theMetadataServiceMaySayThatItGivesNone() throws {
    #expect(
      throws: CredentialFailure.refused(
        "the instance's metadata service", status: 200, reason: "AssumeRoleUnauthorizedAccess")
    ) {
      try parse(#"{"Code": "AssumeRoleUnauthorizedAccess", "Message": "x"}"#, .instance)
    }
  }
}

@Suite struct STSCallTests {
  private let answer = """
    <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    <AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>a/b+c</SecretAccessKey>
    <SessionToken>
      tok+en==
    </SessionToken><Expiration>2027-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>
    """

  @Test func credentialsAreRead() throws {
    let credentials = try STSCall.credentials(in: Array(answer.utf8), status: 200)
    #expect(credentials.accessKeyId == "ASIAX")
    #expect(Secret.constantTimeEqual(try #require(credentials.sessionToken), Array("tok+en==".utf8)))
  }

  @Test func theFormIsEncoded() {
    let role = GatewayConfiguration.RoleToAssume(
      roleArn: "arn:aws:iam::123456789012:role/x", externalID: "a:b", sessionName: "n", sourceIdentity: "crm")
    #expect(
      String(decoding: STSCall.assumeRole(role), as: UTF8.self)
        == "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fx&RoleSessionName=n"
        + "&ExternalId=a%3Ab&SourceIdentity=crm")
  }

  @Test func aRefusalTellsItsCodeAndNotTheToken() throws {
    func refusal(_ message: String) throws -> CredentialFailure {
      let text =
        "<ErrorResponse><Error><Code>Nope</Code><Message>\(message)</Message></Error></ErrorResponse>"
      return try #require(throws: CredentialFailure.self) {
        try STSCall.credentials(in: Array(text.utf8), status: 400, sentToken: "a.b.c")
      }
    }
    #expect(try refusal("not allowed") == .refused("STS", status: 400, reason: "Nope: not allowed"))
    #expect(try refusal("bad token a.b.c") == .refused("STS", status: 400, reason: "Nope"))
    #expect(throws: CredentialFailure.refused("STS", status: 503, reason: "")) {
      try STSCall.credentials(in: Array("busy".utf8), status: 503)
    }
  }

  @Test(arguments: ["<a/>", "", "<AssumeRoleResponse/>"])
  func anAnswerWithoutCredentialsIsUnreadable(_ text: String) throws {
    let failure = try #require(throws: CredentialFailure.self) {
      try STSCall.credentials(in: Array(text.utf8), status: 200)
    }
    guard case .unreadable = failure else {
      Issue.record("\(failure)")
      return
    }
  }
}
