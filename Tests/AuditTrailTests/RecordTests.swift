import AuditTrail
import OpenSSLCrypto
import Primitives
import StrictJSON
import TestSupport
import Testing

@Suite struct RecordTests {
  private let plain = Sensitivity()
  private let key = Secret(Array(0..<32))

  @Test func intentTellsTheRequestAsItWasReceived() throws {
    var request = exampleRequest()
    request.metadata = "{}"
    let body = request.intentRecord(under: Sensitivity(metadata: .plain))
    #expect(
      String(decoding: body, as: UTF8.self) == """
        "record":"intent","requestId":"00000001-0000-4000-8000-000100000000","time":"2026-11-23T13:00:00.123Z",\
        "tenant":"crm","accessKeyId":"GHAKCRM00000000001","actor":"alice@corp","sourceIp":"127.0.0.1",\
        "userAgent":"Boto3/1.40","operation":"CreateAppInstanceUser",\
        "appInstanceArn":"arn:aws:chime:us-east-1:123456789012:app-instance/one","appInstanceUserId":"crm-alice",\
        "name":"Alice","metadata":"{}","metadataBytes":2,"tags":{"CostCenter":"4711"},"expirationDays":30,\
        "decision":"allowed","changes":[{"field":"Tags.Owner","to":"crm@example.com"}],\
        "policyRevision":"sha256:00ff"}
        """)
  }

  @Test func outcomeOfAnIntentRefersToIt() throws {
    let body = exampleResult().outcomeRecord(of: requestID(1), intent: 7, at: time(1), decision: .refused)
    #expect(
      String(decoding: body, as: UTF8.self) == """
        "record":"outcome","requestId":"00000001-0000-4000-8000-000100000000","time":"2026-11-23T13:00:01.123Z",\
        "intent":7,"decision":"refused","status":201,"upstreamStatus":201,"upstreamRequestId":"upstream-1",\
        "appInstanceUserArn":"arn:aws:chime:us-east-1:123456789012:app-instance/one/user/crm-alice",\
        "outcome":"created","durationMs":12.345}
        """)
  }

  @Test func reconciledRecordRefersToItsIntent() {
    let body = exampleResult().reconciledRecord(of: requestID(1).text, intent: 7, at: time(1))
    #expect(
      String(decoding: body, as: UTF8.self) == """
        "record":"reconciled","requestId":"00000001-0000-4000-8000-000100000000","time":"2026-11-23T13:00:01.123Z",\
        "intent":7,\
        "appInstanceUserArn":"arn:aws:chime:us-east-1:123456789012:app-instance/one/user/crm-alice",\
        "outcome":"created"}
        """)
  }

  @Test func expiredRecordNamesWhatIsGone() throws {
    let names = [1, 12].map { SegmentName(firstSequence: $0) }
    let last = ChainHead(sequence: 30, digest: SHA256.digest(Array("abc".utf8)))
    let body = ExpiredSegments(segments: names, last: last, retainSeconds: 86_400).record(at: time(1))
    #expect(
      String(decoding: body, as: UTF8.self) == """
        "record":"expired","time":"2026-11-23T13:00:01.123Z",\
        "segments":["journal-0000000000000001.jsonl","journal-0000000000000012.jsonl"],"firstSequence":1,\
        "lastSequence":30,"lastDigest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",\
        "retainSeconds":86400}
        """)
    let record = try record(body)
    #expect(record.kind == .expired)
    #expect(record.requestId == nil)
  }

  @Test func recordOfAnUnknownVersionIsNotRead() {
    let body = String(decoding: exampleRequest().intentRecord(under: plain), as: UTF8.self)
    #expect(JournalRecord(line: line(Array((#""recordVersion":1,"# + body).utf8))) != nil)
    #expect(JournalRecord(line: line(Array((#""recordVersion":2,"# + body).utf8))) == nil)
  }

  @Test func onlyRecordOfARefusedRequestTellsEverything() throws {
    var request = exampleRequest()
    request.decision = .denied
    request.changes = []
    request.violations = [
      .init(policy: "base", rule: "name.length", field: "Name", message: "has 5 characters; 6 are required")
    ]
    var result = AuditedResult(.notForwarded, status: 403, durationNanoseconds: 0)
    result.errorType = "ForbiddenException"
    let record = try record(request.outcomeRecord(result, under: plain))
    #expect(record.kind == .outcome)
    #expect(record.text("decision") == "denied")
    #expect(record.integer("status") == 403)
    #expect(record.rules("violations") == ["name.length"])
    #expect(record.source("durationMs").map { String(decoding: $0, as: UTF8.self) } == "0.000")
    #expect(record.integer("intent") == nil)
  }

  @Test func userArnOfRequestAndAnswerStandsOnce() throws {
    var request = exampleRequest()
    request.appInstanceUserArn = exampleResult().appInstanceUserArn
    _ = try record(request.outcomeRecord(exampleResult(), under: plain))
  }

  @Test(arguments: [
    "", "plain", "\"", "\\", "\n\r\t", "\u{1}\u{1F}\u{7F}", "ä€𝄞", "12345678\"", "1234567\"8",
    "line\u{2028}separator", "eight by", "</script>",
  ])
  func anyTextComesBackAsItWas(_ text: String) throws {
    for padding in 0..<9 {
      var request = exampleRequest()
      let value = Text(String(repeating: "x", count: padding) + text)
      request.name = value
      request.tags = [.init(key: value, value: value)]
      request.violations = [.init(policy: value, rule: text, field: text, message: text)]
      let record = try record(request.intentRecord(under: plain))
      #expect(record.text("name") == value)
      #expect(record.tags.map(\.key) == [value])
      #expect(record.rules("violations") == [Text(text)])
      #expect(!record.line.contains(0x0A), "a record is one line")
    }
  }

  @Test func randomBytesNeverBreakTheLine() throws {
    var entropy = SeededGenerator(seed: 1)
    for _ in 0..<2000 {
      let bytes = (0..<Int.random(in: 0...40, using: &entropy)).map { _ in
        UInt8.random(in: .min ... .max, using: &entropy)
      }
      var request = exampleRequest()
      // Header fields may hold bytes that are no UTF-8.
      request.userAgent = Text(uncheckedUTF8: bytes)
      let record = try record(request.intentRecord(under: plain))
      let expected = String(decoding: bytes, as: UTF8.self).unicodeScalars.map {
        $0 == "\u{0}" ? "\u{FFFD}" : $0
      }
      #expect(record.text("userAgent") == Text(String(String.UnicodeScalarView(expected))))
      #expect(!record.line.contains(0x0A))
    }
  }

  @Test func hashedValuesAreKeyedDigests() throws {
    let sensitivity = Sensitivity(
      name: .hashed(under: key), metadata: .omitted, tagValues: .hashed(under: key))
    var request = exampleRequest()
    request.metadata = "private"
    let body = request.intentRecord(under: sensitivity)
    let record = try record(body)
    // python3: hmac.new(bytes(range(32)), b"Alice", "sha256").hexdigest()
    #expect(
      record.text("name") == "hmac-sha256:c04cd7fb082cd5fc62c1d57d1a5f6daad1a335cf16359f6074987c2cdb55a9a1")
    #expect(
      record.tags.first?.value
        == "hmac-sha256:6d45b7f8862dbcd87e2aef15fc78bd09250833f403180f0aef7e64a9d3c580d9")
    let text = String(decoding: body, as: UTF8.self)
    for hidden in ["Alice", "4711", "private", "crm@example.com"] { #expect(!text.contains(hidden)) }
    #expect(record.integer("metadataBytes") == 7)
  }

  @Test func omittedTagValuesLeaveTheirKeys() throws {
    let record = try record(
      exampleRequest().intentRecord(under: Sensitivity(name: .omitted, tagValues: .omitted)))
    #expect(record.source("tags").map { String(decoding: $0, as: UTF8.self) } == #"{"CostCenter":null}"#)
    #expect(
      record.source("changes").map { String(decoding: $0, as: UTF8.self) }
        == #"[{"field":"Tags.Owner","to":null}]"#)
    #expect(record.text("name") == nil)
  }

  @Test func messagesAboutHiddenValuesAreNotRecorded() throws {
    var request = exampleRequest()
    request.violations = [
      .init(policy: "p", rule: "metadata.forbidden", field: "Metadata", message: "`secret` is forbidden"),
      .init(policy: "p", rule: "name.length", field: "Name", message: "`Alice` is short"),
    ]
    let text = String(decoding: request.intentRecord(under: plain), as: UTF8.self)
    #expect(!text.contains("`secret`"))
    #expect(text.contains("`Alice` is short"))
  }

  @Test func keyGivenTwiceIsRecordedOnce() throws {
    var request = exampleRequest()
    request.tags = [.init(key: "a", value: "1"), .init(key: "a", value: "2"), .init(key: "b", value: "3")]
    let record = try record(request.intentRecord(under: plain))
    #expect(record.tags.map(\.value) == ["1", "3"])
    #expect(record.integer("tagsNotRecorded") == 1)
  }

  @Test func whatARefusedRequestBringsIsBounded() throws {
    var request = exampleRequest()
    request.tags = (0..<10_000).map { .init(key: Text("key\($0)"), value: "v") }
    request.name = Text(String(repeating: "ä", count: 100_000))
    request.userAgent = Text(String(repeating: "ä", count: 100_000))
    let record = try record(request.intentRecord(under: plain))
    #expect(record.tags.count == 50)
    #expect(record.integer("tagsNotRecorded") == 9950)
    #expect(record.text("name")?.utf8.count == 8192)
    #expect(record.text("userAgent")?.utf8.count == 1024)
  }
}
