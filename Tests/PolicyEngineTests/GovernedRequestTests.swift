import ChimeIdentity
import Primitives
import StrictJSON
import Testing

@testable import PolicyEngine

@Suite struct GovernedRequestTests {
  @Test func everyMemberOfACreationIsAFact() throws {
    let request = try facts(
      createBody(
        name: "Al\u{1F600}\n", tags: [("K", "1"), ("L", "\"2\"")], days: 5475, metadata: #"{"a":"\u00e9"}"#))
    #expect(request.appInstanceArn == Text(appInstance))
    #expect(request.appInstanceId == "aaaa-1")
    #expect(request.appInstanceUserId == "crm-alice")
    #expect(request.name == "Al\u{1F600}\n")
    #expect(request.metadata == #"{"a":"\u00e9"}"#)
    #expect(request.clientRequestToken == "token-1")
    #expect(request.tags == [.init(key: "K", value: "1"), .init(key: "L", value: "\"2\"")])
    #expect(request.expirationDays == 5475)
    #expect(request.expirationCriterion == "CREATED_TIMESTAMP")
    #expect(request.governance == .createUser)
  }

  @Test func escapedKeysAndValuesAreTheSameFacts() throws {
    let body = #"""
      {"\u0041ppInstanceArn":"\#(appInstance)","AppInstanceUser\u0049d":"crm-\u0061","N\u0061me":"\uD83D\uDE00",
      "ClientRequestToken":"tt","T\u0061gs":[{"V\u0061lue":"\u0031","\u004bey":"K"}]}
      """#
    let request = try facts(body)
    #expect(request.appInstanceUserId == "crm-a")
    #expect(request.name == "\u{1F600}")
    #expect(request.tags == [.init(key: "K", value: "1")])
  }

  @Test func nullIsAbsence() throws {
    let body = createBody().replacing(
      #""Name":"#, with: #""Tags":null,"Metadata":null,"ExpirationSettings":null,"Name":"#)
    let request = try facts(body)
    #expect(request.tags.isEmpty && request.metadata == nil && request.expirationDays == nil)
  }

  @Test func aBodyWrittenAnewSaysTheSame() throws {
    let bodies = [
      createBody(), createBody(name: "\"\\\u{1}\u{7F}\u{2028}\u{10FFFF}/"), createBody(metadata: ""),
      createBody(tags: [("\u{0}".replacing("\u{0}", with: "\t"), " ")], days: 1, metadata: "{\r\n}"),
    ]
    for body in bodies {
      let first = try facts(body)
      let second = try facts(String(decoding: first.body(), as: UTF8.self))
      #expect(second.name == first.name && second.metadata == first.metadata && second.tags == first.tags)
      #expect(second.appInstanceUserId == first.appInstanceUserId)
      #expect(second.expirationDays == first.expirationDays)
      #expect(second.clientRequestToken == first.clientRequestToken)
      #expect(second.body() == first.body())
    }
  }

  @Test func aUserIsKnownByTheARNInThePath() throws {
    let request = try facts(#"{"Name":"A","Metadata":""}"#, as: .updateAppInstanceUser)
    #expect(request.appInstanceArn == Text(appInstance))
    #expect(request.appInstanceId == "aaaa-1")
    #expect(request.appInstanceUserId == "crm-alice")
    #expect(request.governance == .updateUser)
  }

  @Test func aTokenIsFilledIntoOperationsThatPolicyDoesNotChange() throws {
    var request = try request(#"{ "Name" : "In\u0073tance", "Metadata":null }"#, as: .createAppInstance)
    #expect(PlainFacts(request).lacksClientRequestToken)
    request.fillClientRequestToken("t-1")
    let filled = PlainFacts(request)
    #expect(filled.changes == [Change(field: "ClientRequestToken", from: nil, to: "t-1")])
    #expect(!filled.lacksClientRequestToken)
    #expect(
      String(decoding: filled.body(), as: UTF8.self)
        == #"{"Name":"In\u0073tance","ClientRequestToken":"t-1"}"#)
  }

  @Test func whatTheModelHasAsIdempotencyTokenIsWanted() throws {
    // The operations whose input has a member with `"idempotencyToken": true` in botocore's model.
    let wanting: Set = [
      "CreateAppInstance", "CreateAppInstanceBot", "CreateAppInstanceUser", "RegisterAppInstanceUserEndpoint",
    ]
    for operation in Operation.allCases {
      var request = GovernedRequest(operation: operation)
      request.text = try JSONDocument(parsing: Array(#"{"Name":"x"}"#.utf8))
      request.hasText = true
      let isWanting = request.lacksClientRequestToken
      #expect(isWanting == wanting.contains(operation.name), "\(operation.name)")
      guard isWanting else { continue }
      request.fillClientRequestToken("t-1")
      let filled = PlainFacts(request)
      #expect(!filled.lacksClientRequestToken)
      let body = try JSONDocument(parsing: filled.body())
      let token = try #require(body.member("ClientRequestToken", of: body.root))
      #expect(body.text(token) == "t-1", "\(operation.name)")
    }
  }

  private func facts(_ body: String, as operation: ChimeIdentity.Operation = .createAppInstanceUser) throws
    -> PlainFacts
  {
    PlainFacts(try request(body, as: operation))
  }
}

extension GovernedRequest {
  fileprivate mutating func fillClientRequestToken(_ token: Text) { fillClientRequestToken(token.utf8.span) }
}
