import Testing

@testable import ChimeIdentity
import Primitives

@Suite struct IdentificationTests {
  @Test(arguments: [
    ("PUT", "/app-instance-users"), ("HEAD", "/app-instance-users"), ("post", "/app-instance-users"),
    ("OPTIONS", "/"), ("POST", "/"), ("POST", "/app-instance-user"), ("POST", "/App-Instance-Users"),
    ("POST", "/app-instance-users/"), ("GET", "/app-instance-users/"), ("POST", "//app-instance-users"),
    ("POST", "/app-instance%2Dusers"), ("POST", "/app-instance-users/x"), ("GET", "/app-instances/x/admins/"),
    ("GET", "/app-instances/x/unknown"), ("GET", "/app-instances/x/admins/y/z"), ("POST", "/tags"),
    ("POST", "/tags?operation=delete"), ("POST", "/tags?operation=tag-resource&operation=untag-resource"),
    ("POST", "/tags?operation=tag-resource&operation=tag-resource"), ("POST", "/tags?Operation=tag-resource"),
    ("GET", "/tags/x"), ("POST", "app-instance-users"), ("POST", ""), ("POST", "*"),
  ])
  func whatTheModelDoesNotHaveIsUnknown(_ method: String, _ target: String) {
    #expect(throws: IdentificationFailure.unknownOperation) { try identify(method, target) }
  }

  @Test(arguments: [
    ("/app-instance-users/a%", IdentificationFailure.malformedLabel(.malformedPercentEncoding)),
    ("/app-instance-users/a%2", .malformedLabel(.malformedPercentEncoding)),
    ("/app-instance-users/a%GG", .malformedLabel(.malformedPercentEncoding)),
    ("/app-instance-users/arn%253Aaws", .malformedLabel(.doublePercentEncoding)),
    ("/app-instance-users/a%00b", .malformedLabel(.notText)),
    ("/app-instance-users/%FF", .malformedLabel(.notText)),
    ("/app-instance-users/%C0%AF", .malformedLabel(.notText)),
    ("/app-instance-users/%2e%2E", .malformedLabel(.dotSegment)),
    ("/app-instance-users/x/endpoints/.", .malformedLabel(.dotSegment)),
    ("/app-instance-users/x?a=%", .malformedQuery(.malformedPercentEncoding)),
    ("/app-instance-users/x?a=b+c", .malformedQuery(.unexpectedCharacter(0x2B))),
    ("/app-instance-users/x?a=1&&b=2", .malformedQuery(.emptyPair)),
  ])
  func targetsWithoutOneMeaningAreRefused(_ target: String, _ failure: IdentificationFailure) {
    #expect(throws: failure) { try identify("GET", target) }
  }

  @Test func labelsAreDecodedOnceAndEncodedAsBotocoreEncodes() throws {
    let call = try identify("GET", "/app-instance-users/arn:aws:chime%3aus@x/endpoints/a%20b%2Fc%25!")
    #expect(call.operation == .describeAppInstanceUserEndpoint)
    #expect(call.member("AppInstanceUserArn") == "arn:aws:chime:us@x")
    #expect(call.member("EndpointId") == "a b/c%!")
    #expect(
      String(decoding: call.upstreamPath, as: UTF8.self)
        == "/app-instance-users/arn%3Aaws%3Achime%3Aus%40x/endpoints/a%20b%2Fc%25%21")
  }

  @Test func aQueryIsWrittenAnewInCanonicalForm() throws {
    let call = try identify("GET", "/app-instance-users?max-results=5&app-instance-arn=\(Sample.app)")
    #expect(call.operation == .listAppInstanceUsers)
    #expect(call.member("MaxResults") == "5")
    #expect(
      String(decoding: call.upstreamQuery, as: UTF8.self)
        == "app-instance-arn=\(Sample.encoded(Sample.app))&max-results=5")
  }

  @Test func theHotPathAndTheGeneralOneAgree() throws {
    let plain = try identify("POST", "/app-instance-users")
    let general = try identify("POST", "/app-instance-users?")
    for call in [plain, general] {
      #expect(call.operation == .createAppInstanceUser)
      #expect(call.upstreamPath == Array("/app-instance-users".utf8))
      #expect(call.upstreamQuery.isEmpty && call.pathMembers.isEmpty && call.queryMembers.isEmpty)
    }
  }

  /// Authentication comes first, so that a presigned request is told what it lacks.
  @Test func unknownParametersAreIdentifiedNowAndRefusedByValidation() throws {
    let call = try identify("POST", "/app-instance-users?X-Amz-Signature=0&X-Amz-Date=1")
    #expect(call.operation == .createAppInstanceUser)
    let refusal = #expect(throws: ModelViolation.self) { try ModelValidator.validate(call, document: nil) }
    #expect(refusal?.message == "`X-Amz-Date` is not a query parameter of this operation")
    #expect(throws: ModelViolation.self) { try confinementSubjects(of: call, document: nil) }
  }

  @Test func operationNamesReadBack() {
    #expect(ChimeIdentity.Operation.allCases.count == 30)
    for operation in ChimeIdentity.Operation.allCases {
      #expect(ChimeIdentity.Operation(name: operation.text) == operation)
    }
    #expect(ChimeIdentity.Operation(name: "createAppInstanceUser") == nil)
    #expect(ChimeIdentity.Operation(name: "") == nil)
  }

  @Test func readsAndIdempotentCallsAreKnown() {
    #expect(ChimeIdentity.Operation.describeAppInstanceUser.isRead)
    #expect(!ChimeIdentity.Operation.tagResource.isRead)
    #expect(ChimeIdentity.Operation.tagResource.isIdempotent)
    #expect(!ChimeIdentity.Operation.createAppInstanceUser.isIdempotent)
    #expect(ChimeIdentity.Operation.createAppInstanceUser.idempotencyToken?.text == "ClientRequestToken")
    #expect(ChimeIdentity.Operation.createAppInstanceAdmin.idempotencyToken == nil)
    #expect(ChimeIdentity.Operation.allCases.filter { $0.idempotencyToken != nil }.count == 4)
  }
}
