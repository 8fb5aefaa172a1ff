import ChimeIdentity
import Primitives
import StrictJSON
import Testing

@testable import PolicyEngine

@Suite struct ExplanationTests {
  func explain(_ policies: [String], _ body: String, token: Text? = nil) throws -> Explanation {
    try compile(policies).0.explain(try request(body), token: token)
  }

  @Test func theObjectHasTheMembersOfTheContractAndIsOneLine() throws {
    let explanation = try explain(
      [
        policy(#""name":{"maxLength":3},"tags":{"set":{"K":"1"}}"#, name: "a"),
        policy(#""name":{"maxLength":3}"#, name: "b", mode: "warn"),
        policy(#""name":{}"#, name: "c", mode: "off"),
        policy(#""name":{}"#, name: "d", match: #"{"tenants":["erp"]}"#),
      ], createBody(tags: [("K", "2")]))
    let message = "the value has 5 characters; accepted: at most 3 characters"
    #expect(
      String(decoding: explanation.json(), as: UTF8.self) == """
        {"decision":"denied",\
        "violations":[{"policy":"a","rule":"name.length","field":"Name","message":"\(message)"}],\
        "warnings":[{"policy":"b","rule":"name.length","field":"Name","message":"\(message)"}],\
        "changes":[{"field":"Tags.K","from":"2","to":"1"}],\
        "request":{"AppInstanceArn":"\(appInstance)","AppInstanceUserId":"crm-alice","Name":"Alice",\
        "ClientRequestToken":"token-1","Tags":[{"Key":"K","Value":"1"}]},"policies":["a","b"]}
        """)
  }

  @Test func anUnchangedBodyIsShownWithoutItsWhiteSpace() throws {
    let body =
      "{\n \"Name\": \"A\\u006cice\", \"AppInstanceUserId\":\"x\",\t\"ClientRequestToken\" : \"token\",\r\n"
      + "\"AppInstanceArn\":\"\(appInstance)\", \"Tags\": [ {\"Key\":\"a b\",\"Value\":\" \"} ],\"Metadata\":null}"
    let explanation = try explain([], body)
    #expect(explanation.body == Array(body.utf8))
    #expect(
      String(decoding: explanation.json(), as: UTF8.self) == """
        {"decision":"allowed","violations":[],"warnings":[],"changes":[],"request":{"Name":"A\\u006cice",\
        "AppInstanceUserId":"x","ClientRequestToken":"token","AppInstanceArn":"\(appInstance)",\
        "Tags":[{"Key":"a b","Value":" "}],"Metadata":null},"policies":[]}
        """)
  }

  @Test func aCallWithoutABodyHasAnEmptyRequest() throws {
    let (set, _) = try compile([])
    let explanation = set.explain(try request("", as: .describeAppInstanceUser), tenant: crm)
    #expect(explanation.body == nil)
    #expect(
      String(decoding: explanation.json(), as: UTF8.self)
        == #"{"decision":"allowed","violations":[],"warnings":[],"changes":[],"request":{},"policies":[]}"#)
  }

  @Test func aMissingTokenIsFilledInWhereTheRequestIsAllowed() throws {
    let body = createBody().replacing(#""ClientRequestToken":"token-1""#, with: #""ClientRequestToken":null"#)
    let policies = [policy(#""tags":{"set":{"K":"1"}}"#)]
    let explanation = try explain(policies, body, token: "made-up")
    #expect(explanation.changes.map(\.field) == ["Tags.K", "ClientRequestToken"])
    #expect(explanation.changes.last?.to == "made-up")
    #expect(!PlainFacts(explanation.request).lacksClientRequestToken)
    let sent = String(decoding: try #require(explanation.body), as: UTF8.self)
    #expect(sent.contains(#""ClientRequestToken":"made-up""#))
    let given = try explain(policies, sent, token: "another")
    #expect(given.changes.isEmpty && PlainFacts(given.request).clientRequestToken == "made-up")
    let denied = try explain([policy(#""name":{"maxLength":1}"#)], body, token: "made-up")
    #expect(denied.changes.isEmpty && PlainFacts(denied.request).lacksClientRequestToken)
  }

  @Test func everyPolicySaysWhyItHasNoSay() throws {
    let explanation = try explain(
      [
        policy(#""name":{}"#, name: "a", match: #"{"tenants":["erp"]}"#),
        policy(#""name":{}"#, name: "b", match: #"{"appInstances":["*x"]}"#),
        policy(#""name":{}"#, name: "c", match: #"{"operations":["TagResource"]}"#),
        policy(#""name":{}"#, name: "d", mode: "off"), policy(#""name":{}"#, name: "e"),
      ], createBody())
    #expect(
      explanation.policies.map(\.silence) == [.otherTenant, .otherAppInstance, .otherOperation, .off, nil])
    #expect(explanation.appliedPolicies == ["e"])
  }

  @Test func everyRuleLookedAtHasAVerdict() throws {
    let explanation = try explain(
      [
        policy(#""name":{"minLength":2,"trimmed":true,"forbidden":["x","l"]},"expiration":{"defaultDays":9}"#)
      ],
      createBody(name: " Al"))
    let report = try #require(explanation.policies.first)
    #expect(
      report.verdicts.map { "\($0.rule) \($0.isKept)" } == [
        "name.forbidden true", "name.forbidden false", "name.length true", "name.trimmed false",
      ])
    #expect(report.verdicts[2].accepted == "at least 2 characters")
    #expect(report.verdicts[2].wrong == "")
    #expect(report.verdicts[3].wrong == "the value begins or ends with white space")
    #expect(report.changes.map(\.field) == ["ExpirationSettings.ExpirationDays"])
  }

  @Test func whatPolicyNeverSeesIsInvalidWithAMessage() throws {
    #expect(
      String(decoding: invalidExplanationJSON(message: "Name: \"missing\""), as: UTF8.self)
        == #"{"decision":"invalid","message":"Name: \"missing\""}"#)
  }
}
