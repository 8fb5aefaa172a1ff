import HTTPWire
import Primitives
import Testing
import Transport

@testable import Gateway

/// A request's whole way through the stages, without sockets.
@Suite struct RequestPathTests {
  private static func body(
    id: String = "crm-alice", arn: String = appInstance, token: String = "t-1"
  ) -> String {
    #"{"AppInstanceArn":"\#(arn)","AppInstanceUserId":"\#(id)","Name":"Alice","#
      + #""ClientRequestToken":"\#(token)"}"#
  }

  private static let policy = #"""
    {"policy": "p", "rules": {"appInstanceUserId": {"prefix": "${tenant.id}-"},
      "tags": {"set": {"CreatedVia": "gatehouse"}}}}
    """#

  @Test func theIntentIsOnDiskBeforeTheRequestIsForwarded() throws {
    let fixture = try WorkerFixture(policies: [Self.policy])
    let request = try fixture.signed(body: Self.body())
    nonisolated(unsafe) var seen = ""
    // Only the loop's thread writes it, and it is read when the loop has ended.
    fixture.upstream.onRequest = { [unowned fixture] in seen = fixture.journalText() }
    nonisolated(unsafe) var status = 0
    // As above.
    fixture.run { fixture in status = await fixture.send(request).status }
    #expect(status == 201)
    #expect(seen.contains(#""record":"intent""#) && seen.contains(#""appInstanceUserId":"crm-alice""#))
    #expect(!seen.contains(#""record":"outcome""#))
    let after = fixture.journalText()
    #expect(after.contains(#""outcome":"created""#))
    #expect(after.contains(#""appInstanceUserArn":"\#(appInstance)/user/crm-alice""#))
  }

  @Test func whatWasEvaluatedIsForwardedSignedAnew() throws {
    let fixture = try WorkerFixture(policies: [Self.policy])
    let request = try fixture.signed(body: Self.body())
    nonisolated(unsafe) var fields = ""
    // Only the loop's thread writes it, and it is read when the loop has ended.
    fixture.run { fixture in fields = await fixture.send(request).fields }
    let sent = try #require(fixture.upstream.requests.first)
    #expect(sent.hasPrefix("POST /app-instance-users HTTP/1.1\r\nHost: 127.0.0.1:1\r\n"))
    #expect(sent.contains("Credential=AKIAGATEWAY/") && !sent.contains("GHAKCRM"))
    #expect(sent.contains(#""Tags":[{"Key":"CreatedVia","Value":"gatehouse"}]"#))
    #expect(fields.contains("x-gatehouse-changes: Tags.CreatedVia\r\n"))
    #expect(fields.contains("x-amzn-RequestId: up-1\r\n"))
  }

  @Test(arguments: [
    ("wrong secret", 403, "unauthenticated"), ("foreign instance", 403, "denied"),
    ("policy", 403, "denied"), ("no JSON", 400, "invalid"), ("unknown member", 400, "invalid"),
    ("no operation", 404, "invalid"), ("operation not the tenant's", 403, "denied"),
  ])
  func whatAStageRefusesIsRecordedAndNotForwarded(_ kind: String, _ expected: Int, _ decision: String) throws
  {
    let fixture = try WorkerFixture(policies: [Self.policy])
    let request =
      switch kind {
      case "wrong secret": try fixture.signed(body: Self.body(), secret: "another")
      case "foreign instance":
        try fixture.signed(body: Self.body(arn: "arn:aws:chime:us-east-1:123456789012:app-instance/other"))
      case "policy": try fixture.signed(body: Self.body(id: "alice"))
      case "no JSON": try fixture.signed(body: "{")
      case "unknown member": try fixture.signed(body: #"{"AppInstanceArn":"\#(appInstance)","Nome":"x"}"#)
      case "no operation": try fixture.signed("PATCH", body: "{}")
      default: try fixture.signed("POST", "/app-instances", body: #"{"Name":"x"}"#)
      }
    nonisolated(unsafe) var status = 0
    // Only the loop's thread writes it, and it is read when the loop has ended.
    fixture.run { fixture in status = await fixture.send(request).status }
    #expect(status == expected, "\(kind)")
    #expect(fixture.upstream.requests.isEmpty, "\(kind)")
    let journal = fixture.journalText()
    #expect(journal.contains(#""decision":"\#(decision)""#), "\(kind): \(journal)")
    #expect(journal.contains(#""outcome":"notForwarded""#), "\(kind)")
    #expect(!journal.contains(#""record":"intent""#), "\(kind)")
  }

  @Test func aRefusedRequestIsRecordedWithItsFacts() throws {
    let fixture = try WorkerFixture(policies: [Self.policy])
    let request = try fixture.signed(body: Self.body(id: "alice"))
    fixture.run { fixture in _ = await fixture.send(request) }
    let journal = fixture.journalText()
    #expect(journal.contains(#""appInstanceUserId":"alice","name":"Alice""#), "\(journal)")
    #expect(journal.contains(#""rule":"appInstanceUserId.prefix""#))
  }

  @Test func aRepeatGetsTheRecordedAnswerAndIsNotForwarded() throws {
    let fixture = try WorkerFixture()
    let request = try fixture.signed(body: Self.body())
    nonisolated(unsafe) var answers: [(status: Int, body: String, fields: String)] = []
    // Only the loop's thread writes it, and it is read when the loop has ended.
    fixture.run { fixture in
      for _ in 0..<2 { answers.append(await fixture.send(request)) }
    }
    #expect(fixture.upstream.requests.count == 1)
    #expect(answers.count == 2 && answers[0].body == answers[1].body)
    #expect(fixture.journalText().contains(#""repeatOf":"#))
  }

  @Test func aTokenThatIsFilledInIsTheSameFromTwoGateways() throws {
    var tokens: [String] = []
    let body = #"{"AppInstanceArn":"\#(appInstance)","AppInstanceUserId":"crm-alice","Name":"Alice"}"#
    for _ in 0..<2 {
      let fixture = try WorkerFixture()
      let request = try fixture.signed(body: body)
      fixture.run { fixture in _ = await fixture.send(request) }
      let sent = try #require(fixture.upstream.requests.first)
      let token = try #require(sent.firstMatch(of: /"ClientRequestToken":"([-_a-zA-Z0-9]{2,64})"/))
      tokens.append(String(token.1))
    }
    #expect(tokens[0] == tokens[1])
  }

  @Test func aLostAnswerIsTriedAgainAndTold() throws {
    let fixture = try WorkerFixture(answers: [.failure(.lost(.closed)), .status(400)])
    let request = try fixture.signed(body: Self.body())
    nonisolated(unsafe) var status = 0
    // Only the loop's thread writes it, and it is read when the loop has ended.
    fixture.run { fixture in status = await fixture.send(request).status }
    #expect(status == 400 && fixture.upstream.requests.count == 2)
    let journal = fixture.journalText()
    #expect(journal.contains(#""outcome":"unknown","attempts":2"#), "\(journal)")
  }

  @Test func aPlaceAmongTheTenantsRequestsIsGivenBackWhateverHappens() throws {
    let fixture = try WorkerFixture(
      policies: [Self.policy],
      rateLimit: #"{"requestsPerSecond": 1000, "burst": 1000, "concurrency": 1}"#)
    let (bad, good) = (
      try fixture.signed(body: Self.body(id: "alice")), try fixture.signed(body: Self.body(token: "t-2"))
    )
    nonisolated(unsafe) var statuses: [Int] = []
    // Only the loop's thread writes it, and it is read when the loop has ended.
    fixture.run { fixture in
      for request in [bad, good, bad] { statuses.append(await fixture.send(request).status) }
    }
    #expect(statuses == [403, 201, 403])
  }
}
