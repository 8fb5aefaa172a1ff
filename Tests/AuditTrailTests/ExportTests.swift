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
    ("\tx", "'\tx"), ("\rx", "\"'\rx\""), ("\n=1", "\"'\n=1\""), ("\nx", "\"'\nx\""), (" =1", "' =1"),
    ("\u{A0}\u{200B}-1", "'\u{A0}\u{200B}-1"),
    ("\u{FF1D}1", "'\u{FF1D}1"), ("\u{FF0B}1", "'\u{FF0B}1"), ("\u{FF0D}1", "'\u{FF0D}1"),
    ("\u{FF20}x", "'\u{FF20}x"), ("\u{3000}\u{FF1D}1", "'\u{3000}\u{FF1D}1"), ("\u{1}=1", "'\u{1}=1"),
    (" x", " x"), ("a;b", "\"a;b\""), ("\u{E9}=1", "\u{E9}=1"), ("=\"a\",1", "\"'=\"\"a\"\",1\""),
    ("a=b", "a=b"),
  ])
  func fieldIsQuotedAndNoFormula(value: String, expected: String) {
    var writer = CSVWriter()
    writer.field("first")
    writer.field(Text(value))
    writer.endLine()
    #expect(text(writer.bytes) == "first,\(expected)\r\n")
  }

  @Test func noControlStandsInALine() throws {
    let line = text(try denied { $0.name = "a\u{1B}]0;x\u{7}\u{9B}m\u{202E}\u{7F}\rb" }.csvLine)
    #expect(line.contains(#","a\u001b]0;x\u0007\u009bm\u202e\u007f\u000db","#))
  }

  @Test func lineHasAsManyFieldsAsTheHeader() throws {
    let header = text(RequestHistory.csvHeader())
    #expect(header.hasPrefix("time,requestId,tenant,accessKeyId,actor,"))
    let line = text(try created().csvLine)
    #expect(
      line.hasPrefix(
        "2026-11-23T13:00:00.123Z,00000001-0000-4000-8000-000100000000,crm,GHAKCRM00000000001,alice@corp,"))
    #expect(
      line.contains(
        ",\"{\"\"CostCenter\"\":\"\"4711\"\",\"\"Owner\"\":\"\"crm@example.com\"\"}\",30,allowed,"))
    #expect(line.hasSuffix(",created,12.345,,,,,,,,,,\r\n"))
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
    var files = CloudTrailFiles(at: place, key: nil)
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

  /// The files of requests, one each at so many seconds, by path; of the journal from the request `first` on.
  private func files(
    at seconds: [Int64], first: Int = 0, key: Ed25519PrivateKey? = nil, after earlier: EarlierExport? = nil
  ) throws -> [String: CloudTrailFiles.File] {
    var files = CloudTrailFiles(at: place, key: key, earlier: earlier)
    var written: [CloudTrailFiles.File] = []
    for (number, second) in seconds.enumerated().dropFirst(first) {
      written += files.take(try created(UInt64(number + 1), at: second))
    }
    written += files.finish()
    return Dictionary(written.map { ($0.path, $0) }) { $1 }
  }

  private func digest(_ file: CloudTrailFiles.File) throws -> CloudTrailDigest {
    guard case .digest(let signature) = file.kind else { throw Missing() }
    return try #require(CloudTrailDigest(file.content, path: file.path, signature: signature))
  }

  private struct Missing: Error {}

  @Test func digestsAreSignedAndNameTheSignatureBefore() throws {
    let key = try #require(Ed25519PrivateKey(seed: Array(0..<32)))
    let files = try files(at: [0, 3600, 2 * 3600], key: key)
    let digests = try files.values.filter { $0.kind != .log }.sorted { $0.path < $1.path }.map {
      try digest($0)
    }
    #expect(digests.count == 3)
    var before: [UInt8]?
    for digest in digests {
      let signature = try #require(digest.signature)
      #expect(key.publicKey.verifies(signature, of: digest.content))
      let content = text(digest.content)
      #expect(content.contains("\"digestSignatureAlgorithm\":\"Ed25519\""))
      #expect(
        content.contains("\"digestPublicKeyFingerprint\":\"\(key.publicKey.fingerprint.hex)\""))
      #expect(
        content.contains(
          "\"previousDigestSignature\":" + (before.map { "\"\(Hex.encode($0))\"" } ?? "null")))
      before = signature
    }
  }

  @Test func unsignedDigestsSayThatTheyAre() throws {
    let content = text(try #require(try files(at: [0]).values.first { $0.kind != .log }).content)
    #expect(content.contains("\"digestPublicKeyFingerprint\":null,\"digestSignatureAlgorithm\":null"))
  }

  /// Whatever retention takes off the beginning, what was exported before goes on as if nothing had happened.
  @Test(arguments: 1...11)
  func retainedJournalContinuesWhatWasExported(first: Int) throws {
    // Several hours, windows and requests in one window, over the hour's end; 13:00 is the beginning.
    let seconds: [Int64] = [10, 20, 290, 310, 1000, 3590, 3599, 3601, 3900, 8000, 8001, 20_000]
    let key = try #require(Ed25519PrivateKey(seed: Array(0..<32)))
    let whole = try files(at: seconds, key: key)
    let left = time(seconds[first])
    let start = CloudTrailFiles.hour(left)
    let digests = whole.values.filter { $0.kind != .log }.sorted { $0.path < $1.path }
    let earlier = EarlierExport(
      first: left, before: try digests.last { $0.hour < start }.map { try digest($0) },
      digests: try digests.filter { $0.hour == start || $0.hour == EarlierExport.lastHour(first: left) }
        .map { try digest($0) })
    let again = try files(at: seconds, first: first, key: key, after: earlier)
    for (path, file) in again {
      #expect(whole[path]?.content == file.content, "\(path) is new or differs")
      #expect(whole[path]?.kind == file.kind, "\(path)")
    }
    // All digests of the hours that are left.
    #expect(
      Set(again.values.filter { $0.kind != .log }.map(\.path))
        == Set(digests.filter { $0.hour >= start }.map(\.path)))
  }

  @Test func whatIsNoDigestIsNotRead() throws {
    let file = try #require(try files(at: [0]).values.first { $0.kind != .log })
    #expect(CloudTrailDigest(file.content, path: file.path, signature: nil) != nil)
    #expect(CloudTrailDigest(file.content, path: "elsewhere" + file.path, signature: nil) == nil)
    #expect(CloudTrailDigest(Array(file.content.dropLast()), path: file.path, signature: nil) == nil)
    #expect(CloudTrailDigest(Array("{}".utf8), path: file.path, signature: nil) == nil)
  }

  // MARK: OCSF

  /// What is required by github.com/ocsf/ocsf-schema, tag 1.5.0: events/base_event.json, events/application/
  /// api_activity.json, profiles/cloud.json and the objects in them, one of each `at_least_one` included.
  /// `test_export.py` compares whole events with what Tests/Fixtures/ocsf has of that schema.
  private static let required: [[Text]] = [
    ["activity_id"], ["category_uid"], ["class_uid"], ["metadata"], ["severity_id"], ["time"], ["type_uid"],
    ["actor"], ["api"], ["src_endpoint"], ["cloud"], ["metadata", "product"], ["metadata", "version"],
    ["api", "operation"], ["api", "request", "uid"], ["cloud", "provider"], ["http_response", "code"],
    ["actor", "user", "name"], ["api", "service", "name"], ["cloud", "account", "uid"],
    ["metadata", "product", "name"],
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
