import AuditTrail
import HTTPWire
import Primitives
import StrictJSON
import TestSupport
import Testing

@testable import AuditReconciliation

private struct DiskFull: Error {}

/// Several requests, one after the other.
@Suite struct ReconciliationTests {
  private func play(
    _ upstream: ScriptedUpstream, _ requests: [RequestHistory], records: Bool = true
  ) async throws -> (summary: ReconciliationSummary, shown: [Reconciled], recorded: [[UInt8]]) {
    var recorded: [[UInt8]] = []
    var shown: [Reconciled] = []
    let reconciliation = Reconciliation<DiskFull>(
      reconciler: Reconciler(reader: upstream, tolerance: 0, values: QueryFilter()),
      clock: StoppedClock(at: asked),
      record: records ? { record throws(DiskFull) in recorded.append(record) } : nil,
      show: { shown.append($0) })
    let summary = try await reconciliation.run(requests)
    return (summary, shown, recorded)
  }

  @Test func whatIsKnownIsRecordedAndWhatIsNotIsLeft() async throws {
    let requests = try [
      open("CreateAppInstanceUser", sequence: 1), open("CreateAppInstance", sequence: 2),
      open("DeleteAppInstanceUser", sequence: 3),
    ]
    let (summary, shown, recorded) = try await play(ScriptedUpstream(), requests)
    #expect(summary.found == [.failed: 1, .unknown: 1, .succeeded: 1])
    #expect(summary.left == 1 && summary.unavailable == 0)
    #expect(shown.map(\.isRecorded) == [true, false, true])
    #expect(recorded.count == 2)
    #expect(String(decoding: recorded[0], as: UTF8.self).contains("reconciled: upstream has no such user"))
  }

  @Test func aDryRunRecordsNothing() async throws {
    let (summary, shown, recorded) = try await play(
      ScriptedUpstream(), [open("CreateAppInstanceUser")], records: false)
    #expect(summary.found == [.failed: 1] && recorded.isEmpty && shown.map(\.isRecorded) == [false])
  }

  @Test func aSilentUpstreamIsLeftAloneAfterThreeQuestions() async throws {
    let upstream = ScriptedUpstream()
    upstream.described = .silent
    let requests = try (1...5).map { try open("CreateAppInstanceUser", sequence: $0) }
    let (summary, shown, recorded) = try await play(upstream, requests)
    #expect(upstream.questions == 3)
    #expect(summary.unavailable == 5 && summary.left == 5 && summary.found.isEmpty && recorded.isEmpty)
    #expect(shown.count == 5 && shown.allSatisfy { $0.finding.outcome == .unknown })
  }

  @Test func anAnswerBetweenBeginsTheCountAnew() async throws {
    let upstream = ScriptedUpstream()
    upstream.described = .silent
    // Of TagResource it says something each time.
    let operations = ["CreateAppInstanceUser", "CreateAppInstanceUser", "TagResource"]
    let requests = try (0..<9).map { try open(operations[$0 % 3], sequence: $0 + 1) }
    let (summary, _, _) = try await play(upstream, requests)
    #expect(upstream.questions == 9 && summary.unavailable == 6)
  }

  @Test func aJournalThatCannotBeWrittenEndsIt() async throws {
    let upstream = ScriptedUpstream()
    let reconciliation = Reconciliation<DiskFull>(
      reconciler: Reconciler(reader: upstream, tolerance: 0, values: QueryFilter()),
      clock: StoppedClock(at: asked), record: { _ throws(DiskFull) in throw DiskFull() }, show: { _ in })
    let requests = try (1...2).map { try open("CreateAppInstanceUser", sequence: $0) }
    await #expect(throws: DiskFull.self) { _ = try await reconciliation.run(requests) }
    #expect(upstream.questions == 1)
  }

  @Test func summaryIsToldInWords() {
    var summary = ReconciliationSummary()
    summary.found = [.unknown: 1, .created: 2]
    summary.unavailable = 3
    #expect(summary.text == "2 created, 1 left unknown, 3 left, as upstream does not answer")
    #expect(ReconciliationSummary().text.isEmpty)
  }

  @Test func aRequestIsShownOnOneLineAndAsJSON() throws {
    let reconciled = Reconciled(
      try open("CreateAppInstanceUser"), Finding(outcome: .created, reason: "a\nb", userArn: alice))
    #expect(
      reconciled.text
        == "00000000-0000-4000-8000-000000000001  CreateAppInstanceUser  alice  created: a\u{FFFD}b")
    #expect(
      String(decoding: reconciled.json, as: UTF8.self)
        == #"{"requestId":"00000000-0000-4000-8000-000000000001","time":"\#(asked.rfc3339)","tenant":"crm","#
        + #""operation":"CreateAppInstanceUser","appInstanceArn":"\#(app)","appInstanceUserId":"alice","#
        + #""outcome":"created","appInstanceUserArn":"\#(alice)","reason":"a\nb","recorded":false}"#)
  }
}

@Suite struct ReadAnswerTests {
  private func answer(_ status: Int, _ fields: String = "", _ body: String = "{}") throws -> ReadAnswer? {
    var parser = ResponseParser(limits: HTTPLimits())
    let text = "HTTP/1.1 \(status) X\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    guard case .response(let message) = try parser.next(adding: Array(text.utf8).span.bytes) else {
      throw Unusable(line: text)
    }
    return ReadAnswer(message)
  }

  private func refusal(_ answer: ReadAnswer?) -> String? {
    if case .refused(let reason) = answer { reason } else { nil }
  }

  @Test func whatMayBeBetterNextTimeIsNoAnswer() throws {
    for status in [429, 500, 502, 503, 504] { #expect(try answer(status) == nil) }
    #expect(try answer(200, "", "no JSON") == nil)
  }

  @Test func aResourceIsMissingOnlyIfUpstreamSaysSo() throws {
    for (fields, body) in [
      ("x-amzn-ErrorType: NotFoundException\r\n", "{}"), ("", #"{"Code":"NotFound"}"#),
      ("", #"{"__type":"NotFoundException"}"#),
    ] {
      guard case .notFound = try answer(404, fields, body) else {
        Issue.record("\(fields)\(body)")
        continue
      }
    }
    #expect(try refusal(answer(404)) == "404", "of a proxy on the way")
    #expect(try refusal(answer(404, "", #"{"Code":"Gone"}"#)) == "404 Gone")
  }

  @Test func refusalsTellStatusAndType() throws {
    #expect(try refusal(answer(403, "x-amzn-ErrorType: ForbiddenException\r\n")) == "403 ForbiddenException")
    #expect(try refusal(answer(302, "", "")) == "302")
  }

  @Test func anAnswerIsRead() throws {
    guard case .found(let document) = try answer(200, "", #"{"a":1}"#) else {
      Issue.record("not found")
      return
    }
    #expect(document.member("a", of: document.root) != nil)
  }
}
