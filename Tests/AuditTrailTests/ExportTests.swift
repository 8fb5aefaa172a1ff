import AuditTrail
import OpenSSLCrypto
import Primitives
import StrictJSON
import Testing

@Suite struct ExportTests {
  private let place = ExportPlace(account: "123456789012", region: "us-east-1")

  private func created(_ number: UInt64 = 1, at seconds: Int64 = 0) throws -> RequestHistory {
    let request = exampleRequest(number, at: seconds)
    let intent = try record(request.intentRecord(under: Sensitivity()))
    let outcome = try record(
      exampleResult().outcomeRecord(of: request.id, intent: 1, at: time(seconds + 1)), sequence: 2)
    return RequestHistory(first: intent, second: outcome)
  }

  private func denied(_ change: (inout AuditedRequest) -> Void = { _ in }) throws -> RequestHistory {
    var request = exampleRequest(2)
    request.decision = .denied
    request.violations = [
      .init(policy: "base", rule: "name.forbidden", field: "Name", message: "the name is not allowed")
    ]
    change(&request)
    var result = AuditedResult(.notForwarded, status: 403, durationNanoseconds: 1000)
    result.errorType = "ForbiddenException"
    return RequestHistory(
      first: try record(request.outcomeRecord(result, under: Sensitivity())), second: nil)
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  // MARK: CSV

  @Test(arguments: [
    ("plain", "plain"), ("", ""), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""),
    ("two\nlines", "\"two\nlines\""), ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\tx", "'\tx"), ("\rx", "\"'\rx\""), ("=\"a\",1", "\"'=\"\"a\"\",1\""), ("a=b", "a=b"),
  ])
  func fieldIsQuotedAndNoFormula(value: String, expected: String) {
    var writer = CSVWriter()
    writer.field("first")
    writer.field(Text(value))
    writer.endLine()
    #expect(text(writer.bytes) == "first,\(expected)\r\n")
  }

  @Test func lineHasAsManyFieldsAsTheHeader() throws {
    let header = text(RequestHistory.csvHeader())
    #expect(header.hasPrefix("time,requestId,tenant,accessKeyId,actor,"))
    let line = text(try created().csvLine)
    #expect(
      line.hasPrefix(
        "2026-11-23T13:00:00.123Z,00000001-0000-4000-8000-000100000000,crm,GHAKCRM00000000001,alice@corp,"))
    #expect(line.contains(",\"{\"\"CostCenter\"\":\"\"4711\"\"}\",30,allowed,"))
    #expect(line.hasSuffix(",created,12.345,,,,,,,,,\r\n"))
  }

  // MARK: Places

  @Test func onlyAllowedRequestsNameAPlace() throws {
    #expect(try created().place == place)
    #expect(try denied().place == nil)
  }

  @Test(arguments: [
    "arn:aws:chime:us-east-1:12345678901:app-instance/x",
    "arn:aws:chime:../../etc:123456789012:app-instance/x",
    "arn:aws:chime::123456789012:app-instance/x", "arn:aws:s3:us-east-1:123456789012:x", "x", "",
    "arn:aws:chime:us-east-1:../4567890123:app-instance/x",
  ])
  func whatIsNoARNIsNoPlace(arn: String) { #expect(ExportPlace(arn: Text(arn)) == nil) }

  // MARK: CloudTrail

  @Test func creationIsACloudTrailEvent() throws {
    let event = try JSONDocument(parsing: try created().cloudTrailEvent(at: place))
    let expected: [(Text, Text)] = [
      ("eventVersion", "1.11"), ("eventTime", "2026-11-23T13:00:00Z"), ("eventSource", "chime.amazonaws.com"),
      ("eventName", "CreateAppInstanceUser"), ("awsRegion", "us-east-1"), ("sourceIPAddress", "127.0.0.1"),
      ("userAgent", "Boto3/1.40"), ("requestID", "upstream-1"),
      ("eventID", "00000001-0000-4000-8000-000100000000"), ("eventType", "AwsApiCall"),
      ("recipientAccountId", "123456789012"), ("eventCategory", "Management"),
    ]
    for (key, value) in expected {
      #expect(event.member(key, of: event.root).flatMap { event.text($0) } == value, "\(key)")
    }
    let readOnly = try #require(event.member("readOnly", of: event.root))
    #expect(event.boolean(readOnly) == false)
    #expect(event.member("errorCode", of: event.root) == nil)
    let answer = try #require(event.member("responseElements", of: event.root))
    #expect(event.member("appInstanceUserArn", of: answer) != nil)
  }

  @Test func refusalSaysWhy() throws {
    let event = text(try denied().cloudTrailEvent(at: place))
    #expect(
      event.contains("\"errorCode\":\"ForbiddenException\",\"errorMessage\":\"the name is not allowed\""))
    #expect(event.contains("\"responseElements\":null"))
  }

  @Test func filesAndDigestsAreChained() throws {
    var files = CloudTrailFiles(at: place)
    var written: [CloudTrailFiles.File] = []
    for (number, second) in [(1, 0), (2, 299), (3, 300), (4, 3600), (5, 10)].map({
      (UInt64($0.0), Int64($0.1))
    }) {
      written += files.take(try created(number, at: second))
    }
    written += files.finish()
    let names = written.map { $0.path.split(separator: "/").last.map(String.init) ?? "" }
    #expect(
      names.map { String($0.prefix { $0 != "Z" }) } == [
        "123456789012_CloudTrail_us-east-1_20261123T1300",
        "123456789012_CloudTrail_us-east-1_20261123T1305",
        "123456789012_CloudTrail-Digest_us-east-1_gatehouse_us-east-1_20261123T140000",
        "123456789012_CloudTrail_us-east-1_20261123T1400",
        "123456789012_CloudTrail-Digest_us-east-1_gatehouse_us-east-1_20261123T150000",
      ])
    #expect(written[0].path.hasPrefix("AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/23/"))
    #expect(written[2].path.hasPrefix("AWSLogs/123456789012/CloudTrail-Digest/us-east-1/2026/11/23/"))
    #expect(text(written[2].content).contains("\"hashValue\":\"\(SHA256.digest(written[1].content).hex)\""))
    #expect(
      text(written[4].content).contains(
        "\"previousDigestHashValue\":\"\(SHA256.digest(written[2].content).hex)\""))
    let records = try written.filter { !$0.path.contains("Digest") }.map {
      let document = try JSONDocument(parsing: $0.content)
      let list = try #require(document.member("Records", of: document.root))
      return document.elements(list).count
    }
    // The last came late and stands in the file of when it was recorded.
    #expect(records == [2, 1, 2])
  }

  // MARK: OCSF

  /// Required by ocsf-schema 1.5.0: `base_event`, `api_activity`, the profile `cloud`, and the objects in them.
  private static let required: [[Text]] = [
    ["activity_id"], ["category_uid"], ["class_uid"], ["metadata"], ["severity_id"], ["time"], ["type_uid"],
    ["actor"], ["api"], ["src_endpoint"], ["cloud"], ["metadata", "product"], ["metadata", "version"],
    ["api", "operation"], ["api", "request", "uid"], ["cloud", "provider"], ["http_response", "code"],
  ]

  @Test func eventHasWhatTheSchemaRequires() throws {
    for request in [
      try created(), try denied(), try denied { $0.tenant = nil }, try denied { $0.sourceIp = nil },
    ] {
      let event = try JSONDocument(parsing: request.ocsfEvent(at: place, productVersion: "1"))
      for path in Self.required {
        let node = path.reduce(Optional(event.root)) { node, key in node.flatMap { event.member(key, of: $0) }
        }
        #expect(node.map { event.kind($0) } ?? .null != .null, "\(path)")
      }
      let number = { (key: Text) in event.member(key, of: event.root).flatMap { event.integer($0) } }
      #expect(number("class_uid") == 6003)
      #expect(number("type_uid") == 600_300 + (number("activity_id") ?? 0))
      #expect(number("activity_id") == 1)
      #expect(number("time") == 1_795_438_800_123)
    }
  }

  @Test func statusFollowsTheOutcome() throws {
    #expect(text(try created().ocsfEvent(at: place, productVersion: "1")).contains("\"status_id\":1,"))
    #expect(text(try denied().ocsfEvent(at: place, productVersion: "1")).contains("\"status_id\":2,"))
    let open = RequestHistory(
      first: try record(exampleRequest().intentRecord(under: Sensitivity())), second: nil)
    #expect(text(open.ocsfEvent(at: place, productVersion: "1")).contains("\"status_id\":0,"))
  }
}
