import AuditTrail
import OpenSSLCrypto
import Primitives
import Testing

@Suite struct QueryTests {
  private func history(_ change: (inout AuditedRequest) -> Void = { _ in }) throws -> RequestHistory {
    var request = exampleRequest()
    change(&request)
    let intent = try record(request.intentRecord(under: Sensitivity()))
    let outcome = try record(
      exampleResult().outcomeRecord(of: request.id, intent: 1, at: time(1)), sequence: 2)
    return RequestHistory(first: intent, second: outcome)
  }

  @Test func requestIsPrintedAsTheContractShowsIt() throws {
    #expect(
      String(decoding: try history().json, as: UTF8.self) == """
        {"time":"2026-11-23T13:00:00.123Z","requestId":"00000001-0000-4000-8000-000100000000","tenant":"crm",\
        "accessKeyId":"GHAKCRM00000000001","actor":"alice@corp","sourceIp":"127.0.0.1","userAgent":"Boto3/1.40",\
        "operation":"CreateAppInstanceUser","appInstanceArn":"arn:aws:chime:us-east-1:123456789012:app-instance/one",\
        "appInstanceUserId":"crm-alice","name":"Alice","tags":{"CostCenter":"4711","Owner":"crm@example.com"},"expirationDays":30,\
        "decision":"allowed","violations":[],"warnings":[],\
        "changes":[{"field":"Tags.Owner","to":"crm@example.com"}],"policyRevision":"sha256:00ff","status":201,\
        "upstreamStatus":201,"upstreamRequestId":"upstream-1",\
        "appInstanceUserArn":"arn:aws:chime:us-east-1:123456789012:app-instance/one/user/crm-alice",\
        "outcome":"created","durationMs":12.345}
        """)
  }

  /// What came is told by `changes`; what else stands there is what was decided about.
  @Test func factsAreThoseThatWereEvaluated() throws {
    let request = try history {
      $0.tags = [.init(key: "Via", value: "forged"), .init(key: "Team", value: "a")]
      $0.expirationDays = nil
      $0.changes = [
        .init(field: "Tags.Via", from: "forged", to: "gatehouse"),
        .init(field: "Tags.Owner", from: nil, to: "o"),
        .init(field: "ExpirationSettings.ExpirationDays", from: nil, to: "30"),
        .init(field: "ClientRequestToken", from: nil, to: "t"),
      ]
    }
    #expect(
      request.evaluatedTags.map { "\($0.key)=\($0.value ?? "?")" } == ["Via=gatehouse", "Team=a", "Owner=o"])
    #expect(request.evaluatedExpirationDays == 30)
    let json = String(decoding: request.json, as: UTF8.self)
    #expect(json.contains(#""tags":{"Via":"gatehouse","Team":"a","Owner":"o"},"expirationDays":30,"#))
  }

  @Test func countsTellKindsApart() throws {
    var counts = RequestCounts(by: [.rule, .decision])
    counts.add(try history())
    #expect(counts.rows.isEmpty)
    for _ in 0..<2 {
      counts.add(
        try history {
          $0.warnings = [
            .init(policy: "p", rule: "tags.value", field: "Tags.a", message: "m"),
            .init(policy: "q", rule: "tags.value", field: "Tags.b", message: "m"),
            .init(policy: "p", rule: "name.length", field: "Name", message: "m"),
          ]
        })
    }
    #expect(counts.rows.map(\.values) == [["name.length", "allowed"], ["tags.value", "allowed"]])
    #expect(counts.rows.map(\.count) == [2, 2])
    var hours = RequestCounts(by: [.hour])
    hours.add(try history())
    #expect(hours.rows.first?.values == ["2026-11-23T13:00:00Z"])
  }

  @Test func intentWithoutOutcomeIsUnknown() throws {
    let intent = try record(exampleRequest().intentRecord(under: Sensitivity()))
    let text = String(decoding: RequestHistory(first: intent, second: nil).json, as: UTF8.self)
    #expect(text.hasSuffix(#""appInstanceUserArn":null,"outcome":"unknown","durationMs":null}"#))
    #expect(text.contains(#""status":null,"upstreamStatus":null"#))
  }

  @Test func findingKeepsTheAnswerThatTheCallerGot() throws {
    let intent = try record(exampleRequest().intentRecord(under: Sensitivity()))
    var unknown = AuditedResult(.unknown, status: 504, durationNanoseconds: 10_002_000_000)
    unknown.errorType = "ServiceUnavailableException"
    unknown.reason = "upstream took too long"
    unknown.attempts = 2
    let outcome = try record(unknown.outcomeRecord(of: requestID(1), intent: 1, at: time(10)), sequence: 2)
    var found = AuditedResult(.created, status: nil, durationNanoseconds: 0)
    found.reason = "reconciled: upstream has the user"
    found.appInstanceUserArn = exampleResult().appInstanceUserArn
    let finding = try record(
      found.reconciledRecord(of: requestID(1).text, intent: 1, at: time(3600)), sequence: 3)
    #expect(finding.source("durationMs") == nil && finding.source("status") == nil)
    let text = String(
      decoding: RequestHistory(first: intent, second: outcome, finding: finding).json, as: UTF8.self)
    #expect(
      text.hasSuffix(
        #"""
        "status":504,"upstreamStatus":null,"upstreamRequestId":null,\#
        "appInstanceUserArn":"arn:aws:chime:us-east-1:123456789012:app-instance/one/user/crm-alice",\#
        "outcome":"created","durationMs":10002.000,"errorType":"ServiceUnavailableException",\#
        "reason":"reconciled: upstream has the user","attempts":2,"reconciledAt":"2026-11-23T14:00:00.123Z"}
        """#), "\(text)")
    // The gateway was killed before it could write an outcome: nothing is known of an answer.
    let killed = String(
      decoding: RequestHistory(first: intent, second: nil, finding: finding).json, as: UTF8.self)
    #expect(killed.contains(#""status":null,"#))
    #expect(killed.contains(#""outcome":"created","durationMs":null,"#))
  }

  @Test func eachFilterKeepsWhatItNames() throws {
    let request = try history()
    let filters: [(String, (inout QueryFilter, Text) -> Void, Text)] = [
      ("user id", { $0.userId = $1 }, "crm-alice"),
      (
        "user arn", { $0.userArn = $1 },
        "arn:aws:chime:us-east-1:123456789012:app-instance/one/user/crm-alice"
      ),
      ("tenant", { $0.tenant = $1 }, "crm"), ("actor", { $0.actor = $1 }, "alice@corp"),
      ("access key", { $0.accessKeyId = $1 }, "GHAKCRM00000000001"),
      ("operation", { $0.operation = $1 }, "CreateAppInstanceUser"),
      ("tag", { $0.tags = [("CostCenter", $1)] }, "4711"),
      ("tag that policy set", { $0.tags = [("Owner", $1)] }, "crm@example.com"),
    ]
    for (name, set, value) in filters {
      var filter = QueryFilter()
      set(&filter, value)
      #expect(filter.matches(request), "\(name)")
      set(&filter, value + "x")
      #expect(!filter.matches(request), "\(name)")
    }
  }

  @Test func decisionOfTheOutcomeGoesBeforeThatOfTheIntent() throws {
    let intent = try record(exampleRequest().intentRecord(under: Sensitivity()))
    let outcome = try record(
      exampleResult().outcomeRecord(of: requestID(1), intent: 1, at: time(1), decision: .refused))
    var filter = QueryFilter()
    filter.decision = .refused
    #expect(filter.matches(RequestHistory(first: intent, second: outcome)))
    #expect(!filter.matches(RequestHistory(first: intent, second: nil)))
  }

  @Test func timesAreFromSinceUpToUntil() throws {
    let request = try history()
    for (since, until, expected) in [(0, 1, true), (1, 2, false), (-1, 0, false), (-5, 5, true)] {
      var filter = QueryFilter()
      filter.since = time(Int64(since))
      filter.until = time(Int64(until))
      #expect(filter.matches(request) == expected, "\(since) to \(until)")
    }
  }

  @Test func userIsAlsoFoundByTheArnItWasNamedBy() throws {
    let request = try history { $0.appInstanceUserId = nil }
    var filter = QueryFilter()
    filter.userId = "crm-alice"
    #expect(filter.matches(request))
    filter.userId = "alice"
    #expect(!filter.matches(request))
  }

  @Test func userThatMayExistIsFoundByItsArn() throws {
    let intent = try record(exampleRequest().intentRecord(under: Sensitivity()))
    var filter = QueryFilter()
    filter.userArn = "arn:aws:chime:us-east-1:123456789012:app-instance/one/user/crm-alice"
    #expect(filter.matches(RequestHistory(first: intent, second: nil)))
  }

  @Test func everyRequestAboutAUserIsFoundByTheUsersArn() throws {
    let denied = try record(
      exampleRequest().outcomeRecord(
        AuditedResult(.notForwarded, status: 403, durationNanoseconds: 1), under: Sensitivity()))
    let intent = try record(exampleRequest().intentRecord(under: Sensitivity()))
    let rejected = try record(
      AuditedResult(.rejected, status: 400, durationNanoseconds: 1).outcomeRecord(
        of: requestID(1), intent: 1, at: time(1)))
    var filter = QueryFilter()
    filter.userArn = "arn:aws:chime:us-east-1:123456789012:app-instance/one/user/crm-alice"
    var another = QueryFilter()
    another.userArn = "arn:aws:chime:us-east-1:123456789012:app-instance/two/user/crm-alice"
    for request in [
      RequestHistory(first: denied, second: nil), RequestHistory(first: intent, second: rejected),
    ] {
      #expect(request.text("appInstanceUserArn") == nil)
      #expect(filter.matches(request))
      #expect(!another.matches(request))
    }
  }

  @Test func hashedTagIsFoundByItsValue() throws {
    let key = Secret(Array(0..<32))
    let record = try record(exampleRequest().intentRecord(under: Sensitivity(tagValues: .hashed(under: key))))
    var filter = QueryFilter()
    filter.tags = [("CostCenter", "4711")]
    #expect(!filter.matches(RequestHistory(first: record, second: nil)))
    filter.hashKey = key
    #expect(filter.matches(RequestHistory(first: record, second: nil)))
  }
}

@Suite struct RequestJoinerTests {
  private enum Step {
    case intent(UInt64, at: Int64)
    case outcome(UInt64, at: Int64, AuditOutcome = .created)
    case only(UInt64, at: Int64)
    case reconciled(UInt64, at: Int64, AuditOutcome)
    case expired
  }

  private func joined(_ steps: [Step]) throws -> [String] {
    let records = try steps.enumerated().map { index, step in
      switch step {
      case .intent(let number, let seconds):
        try record(
          exampleRequest(number, at: seconds).intentRecord(under: Sensitivity()), sequence: index + 1)
      case .outcome(let number, let seconds, let outcome):
        try record(
          AuditedResult(outcome, status: 1, durationNanoseconds: 0).outcomeRecord(
            of: requestID(number), intent: 1, at: time(seconds)), sequence: index + 1)
      case .only(let number, let seconds):
        try record(
          exampleRequest(number, at: seconds).outcomeRecord(
            AuditedResult(.notForwarded, status: 1, durationNanoseconds: 0), under: Sensitivity()),
          sequence: index + 1)
      case .reconciled(let number, let seconds, let outcome):
        try record(
          AuditedResult(outcome, status: nil, durationNanoseconds: 0).reconciledRecord(
            of: requestID(number).text, intent: 1, at: time(seconds)), sequence: index + 1)
      case .expired:
        try record(
          ExpiredSegments(segments: [SegmentName(firstSequence: 1)], last: .genesis, retainSeconds: 1).record(
            at: time()), sequence: index + 1)
      }
    }
    var survey = JournalSurvey()
    for record in records { survey.take(record) }
    var joiner = RequestJoiner(after: survey)
    var given: [String] = []
    let give = { (history: RequestHistory) in
      given.append("\(Int(history.requestId.string.prefix(8), radix: 16) ?? 0) \(history.outcome)")
    }
    for record in records { joiner.take(record, give) }
    joiner.finish(give)
    return given
  }

  @Test func requestsComeInTheOrderOfTheirFirstRecords() throws {
    #expect(
      try joined([
        .intent(1, at: 0), .intent(2, at: 0), .only(3, at: 0), .outcome(2, at: 1), .intent(4, at: 1),
        .outcome(1, at: 2), .outcome(4, at: 2),
      ]) == ["1 created", "2 created", "3 notForwarded", "4 created"])
  }

  @Test func intentWithoutOutcomeKeepsItsPlace() throws {
    #expect(
      try joined([.intent(1, at: 0), .intent(2, at: 0), .outcome(2, at: 1), .only(3, at: 2)])
        == ["1 unknown", "2 created", "3 notForwarded"])
  }

  @Test func laterFindingReplacesUnknown() throws {
    #expect(
      try joined([
        .intent(1, at: 0), .outcome(1, at: 1, .unknown), .intent(2, at: 2), .only(3, at: 3),
        .outcome(1, at: 9000, .created), .outcome(2, at: 9000, .failed),
      ]) == ["1 created", "2 failed", "3 notForwarded"])
  }

  @Test func reconciliationReplacesAnUnknownOrMissingOutcome() throws {
    // At once, too: nothing says that it must come late.
    #expect(
      try joined([
        .intent(1, at: 0), .outcome(1, at: 1, .unknown), .intent(2, at: 2), .only(3, at: 3),
        .reconciled(1, at: 4, .created), .reconciled(2, at: 4, .failed), .intent(4, at: 5),
        .outcome(4, at: 5),
      ]) == ["1 created", "2 failed", "3 notForwarded", "4 created"])
  }

  @Test func reconciliationAfterAnOutcomeIsOneRequest() throws {
    // The outcome comes at once, late, or not at all; what lies between keeps its order.
    #expect(
      try joined([
        .intent(1, at: 0), .intent(2, at: 0), .outcome(1, at: 1, .unknown), .only(3, at: 2),
        .outcome(2, at: 900, .unknown), .intent(4, at: 901), .reconciled(2, at: 902, .created),
        .reconciled(1, at: 903, .failed), .reconciled(4, at: 904, .created),
        .reconciled(4, at: 905, .failed),
      ]) == ["1 failed", "2 created", "3 notForwarded", "4 failed"])
  }

  @Test func recordsAboutNoRequestAreSkipped() throws {
    #expect(
      try joined([.expired, .intent(1, at: 0), .expired, .outcome(1, at: 1), .expired]) == ["1 created"])
    var live = LiveJoiner()
    let expired = try record(
      ExpiredSegments(
        segments: [SegmentName(firstSequence: 1)], last: .genesis, retainSeconds: 1
      ).record(at: time()))
    #expect(live.take(expired) == nil)
  }

  @Test func followedReconciliationIsToldWithWhatWasKnownBefore() throws {
    var live = LiveJoiner()
    #expect(live.take(try record(exampleRequest().intentRecord(under: Sensitivity()))) == nil)
    let unknown = AuditedResult(.unknown, status: 504, durationNanoseconds: 9_000_000)
    let ended = live.take(
      try record(unknown.outcomeRecord(of: requestID(1), intent: 1, at: time(9)), sequence: 2))
    #expect(ended?.outcome == "unknown")
    let found = live.take(
      try record(
        AuditedResult(.created, status: nil, durationNanoseconds: 0).reconciledRecord(
          of: requestID(1).text, intent: 1, at: time(99)), sequence: 3))
    #expect(found?.outcome == "created")
    #expect(found?.integer("status") == 504)
    #expect(found?.text("tenant") == "crm")
  }

  @Test func followedReconciliationEndsItsIntent() throws {
    var live = LiveJoiner()
    #expect(live.take(try record(exampleRequest().intentRecord(under: Sensitivity()))) == nil)
    let found = live.take(
      try record(
        AuditedResult(.failed, status: nil, durationNanoseconds: 0).reconciledRecord(
          of: requestID(1).text, intent: 1, at: time(9)), sequence: 2))
    #expect(found?.outcome == "failed")
    #expect(found?.text("tenant") == "crm")
  }
}
