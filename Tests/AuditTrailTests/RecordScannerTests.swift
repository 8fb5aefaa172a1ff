import AuditTrail
import OpenSSLCrypto
import Primitives
import TestSupport
import Testing

/// The scanner takes no line that the general reader does not take, and says the same of it.
@Suite struct RecordScannerTests {
  /// - Returns: whether the scanner took it.
  private func compare(_ line: [UInt8], _ scanner: inout RecordScanner) -> Bool {
    let readings = RecordReadings(of: line, &scanner)
    #expect(readings.agree, "\(String(decoding: line, as: UTF8.self))")
    return readings.scanned != nil
  }

  private static let start =
    #"{"sequence":4711,"previous":"\#(ChainHead.genesis.text)","recordVersion":1,"#

  private func chained(_ body: [UInt8]) -> [UInt8] { Array(Self.start.utf8) + body }

  /// Records of each kind, as our own writer writes them.
  private var written: [[UInt8]] {
    var odd = exampleRequest()
    odd.name = "Zoë \"Z\" \\ \u{1}\u{7F}\n\t😀"
    odd.metadata = "{\"team\":\"blue\"}"
    odd.tags = [
      .init(key: "Owner", value: "a\"b"), .init(key: "Größe", value: ""), .init(key: "Cost", value: "1"),
    ]
    odd.tagKeys = ["A", "B\\"]
    odd.warnings = [.init(policy: "p", rule: "r", field: "Name", message: "no \"x\"")]
    odd.violations = odd.warnings + odd.warnings
    odd.changes = [
      .init(field: "Name", from: "x", to: "y\n"), .init(field: "Tags.Owner", from: nil, to: "z"),
    ]
    odd.repeatOf = requestID(7)
    odd.decision = .denied
    let key = Secret(Array(0..<32))
    var failed = exampleResult()
    failed.outcome = .unknown
    failed.errorType = "ServiceUnavailableException"
    failed.reason = "upstream took \"long\""
    failed.attempts = 2
    return [
      exampleRequest().intentRecord(under: Sensitivity()),
      odd.intentRecord(under: Sensitivity(metadata: .plain)),
      odd.outcomeRecord(
        exampleResult(), under: Sensitivity(name: .hashed(under: key), tagValues: .hashed(under: key))),
      odd.outcomeRecord(failed, under: Sensitivity(name: .omitted, tagValues: .omitted)),
      exampleResult().outcomeRecord(of: requestID(1), intent: 4710, at: time(1)),
      failed.outcomeRecord(of: requestID(1), intent: 4710, at: time(86_400), decision: .throttled),
      failed.reconciledRecord(of: requestID(1).text, intent: 4, at: time(-1)),
    ].map { chained($0) }
  }

  @Test func whatOurWriterWritesIsTaken() {
    var scanner = RecordScanner()
    for line in written {
      #expect(compare(line, &scanner), "\(String(decoding: line, as: UTF8.self))")
    }
  }

  /// A user's ARN stands with what the request is about, or in the result; a record with both is no record.
  @Test func aMemberStandsOnceWhereverItStands() {
    var scanner = RecordScanner()
    let arn = #","appInstanceUserArn":"arn:aws:chime:us-east-1:1:app-instance/x/user/y""#
    func line(_ members: String) -> [UInt8] {
      let head = #""record":"outcome","requestId":"1","time":"2026-11-23T13:00:00.123Z","tenant":"crm""#
      return chained(Array("\(head)\(members)}".utf8))
    }
    #expect(compare(line(arn + #","name":"a","status":200"#), &scanner))
    #expect(compare(line(#","name":"a","status":200"# + arn + #","outcome":"created""#), &scanner))
    #expect(!compare(line(arn + #","status":200"# + arn), &scanner))
    #expect(!compare(line(#","tenant":"crm""#), &scanner))
    // Another order is the general reader's.
    #expect(!compare(line(#","operation":"x","userAgent":"y""#), &scanner))
  }

  /// The end of a text is found sixteen bytes at a time, and of the line's last sixteen some are looked at twice.
  @Test func textsOfEachLengthEndWhereTheyEnd() {
    var scanner = RecordScanner()
    var entropy = SeededGenerator(seed: 194)
    for length in 0...70 {
      for tail in ["", #"\""#, "é", "\u{7F}", #"\u0001"#] {
        let text = String(repeating: "a", count: length) + tail
        let head = #""record":"intent","requestId":"1","time":"2026-11-23T13:00:00.123Z""#
        for members in [#","tenant":"\#(text)""#, #","tenant":"\#(text)","name":"\#(text)b""#] {
          let line = chained(Array("\(head)\(members)}".utf8))
          #expect(compare(line, &scanner))
          for offset in 0..<min(line.count, length + 24) {
            var changed = line
            changed[line.count - 1 - offset] = [0x22, 0x5C, 0x1F, 0xFF].randomElement(using: &entropy) ?? 0
            _ = compare(changed, &scanner)
          }
        }
      }
    }
  }

  @Test func everyByteCounts() {
    var scanner = RecordScanner()
    var entropy = SeededGenerator(seed: 12)
    let bytes: [UInt8] = [
      0, 0x1F, 0x20, 0x22, 0x2C, 0x2D, 0x2E, 0x30, 0x39, 0x3A, 0x5C, 0x5D, 0x7B, 0x7D, 0x7F, 0x80, 0xC3, 0xFF,
    ]
    for line in written {
      for offset in line.indices {
        var changed = line
        for byte in [
          bytes.randomElement(using: &entropy) ?? 0, UInt8.random(in: 0...255, using: &entropy),
          line[offset] ^ 1,
        ] {
          changed[offset] = byte
          _ = compare(changed, &scanner)
        }
      }
    }
  }

  @Test func everyCutAndEveryDoubledByteIsJudgedAlike() {
    var scanner = RecordScanner()
    for line in written {
      for offset in line.indices {
        #expect(!compare(Array(line[..<offset]), &scanner))
        _ = compare(Array(line[..<offset] + line[(offset + 1)...]), &scanner)
        _ = compare(Array(line[...offset] + line[offset...]), &scanner)
      }
      #expect(!compare(line + [UInt8(ascii: " ")], &scanner))
      #expect(!compare(line + line, &scanner))
    }
  }

  /// Texts as our own writer writes them, and as somebody else may.
  private static let plain = [
    "a", "Alice Example", "é", "😀", #"\""#, #"\n"#, #"\u0001"#, "0123456789abcdef", "",
  ]
  private static let fragments = [
    "a", "Alice Example", "é", "😀", #"\""#, #"\\"#, #"\n"#, #"\r\t"#, #"\u0001"#, #"\u007f"#, #"\u007F"#,
    #"\u00e9"#,
    #"\u0041"#, #"\ud83d\ude00"#, #"\/"#, #"\b"#, "\u{7F}", "0123456789abcdef", "/user/", "Tags.", "",
  ]

  private func text(_ entropy: inout SeededGenerator) -> String {
    let isOdd = Int.random(in: 0..<20, using: &entropy) == 0
    let parts = (0..<Int.random(in: 0...4, using: &entropy)).map { _ in
      (isOdd ? Self.fragments : Self.plain).randomElement(using: &entropy) ?? ""
    }
    return "\"\(parts.joined())\""
  }

  private func value(of member: String, _ entropy: inout SeededGenerator) -> String {
    func list(_ element: (inout SeededGenerator) -> String) -> String {
      (0..<Int.random(in: 0...3, using: &entropy)).map { _ in element(&entropy) }.joined(separator: ",")
    }
    // Now and then one of another kind.
    if Int.random(in: 0..<200, using: &entropy) == 0 {
      return ["null", "true", "-1", "1e3", "01", "1.5", "{}", "[]", "12345678901234567890"]
        .randomElement(using: &entropy) ?? ""
    }
    switch member {
    case "intent", "metadataBytes", "expirationDays", "status", "upstreamStatus", "attempts",
      "tagsNotRecorded":
      return "\(Int.random(in: 0...1000, using: &entropy))"
    case "durationMs": return "\(Int.random(in: 0...1000, using: &entropy)).123"
    case "tags": return "{\(list { "\(text(&$0)):\(Bool.random(using: &$0) ? text(&$0) : "null")" })}"
    case "tagKeys": return "[\(list { text(&$0) })]"
    case "changes":
      return
        "[\(list { #"{"field":\#(text(&$0)),"from":\#(text(&$0)),"to":\#(Bool.random(using: &$0) ? text(&$0) : "null")}"# })]"
    case "violations", "warnings":
      return
        "[\(list { #"{"policy":\#(text(&$0)),"rule":\#(text(&$0)),"field":"Name","message":\#(text(&$0))}"# })]"
    default: return text(&entropy)
    }
  }

  @Test func membersInAnyOrderAndNumberAreJudgedAlike() {
    let members = [
      "intent", "tenant", "accessKeyId", "actor", "sourceIp", "userAgent", "operation", "method", "path",
      "appInstanceArn", "appInstanceUserId", "resourceArn", "name", "metadata", "metadataBytes", "tags",
      "tagsNotRecorded", "tagKeys", "expirationDays", "decision", "violations", "warnings", "changes",
      "policyRevision", "repeatOf", "status", "errorType", "reason", "upstreamStatus", "upstreamRequestId",
      "appInstanceUserArn", "outcome", "attempts", "durationMs", "somethingElse",
    ]
    var scanner = RecordScanner()
    var entropy = SeededGenerator(seed: 99)
    var taken = 0
    for round in 0..<1500 {
      var chosen = members.filter { _ in Int.random(in: 0..<4, using: &entropy) == 0 }
      if round.isMultiple(of: 3) { chosen.shuffle(using: &entropy) }
      if round.isMultiple(of: 7), let first = chosen.first { chosen.append(first) }
      let kind = ["intent", "outcome", "reconciled"].randomElement(using: &entropy) ?? ""
      let body =
        #""record":"\#(kind)","requestId":\#(text(&entropy)),"time":"2026-11-2\#(round % 10)T13:0\#(round % 6):00.12\#(round % 9)Z""#
        + chosen.map { ",\"\($0)\":\(value(of: $0, &entropy))" }.joined() + "}"
      if compare(chained(Array(body.utf8)), &scanner) { taken += 1 }
    }
    // Shuffled ones are for the general reader.
    #expect(taken > 300, "\(taken)")
  }

  @Test func datesThatAreNoneAreNotTaken() {
    var scanner = RecordScanner()
    let zeros = [UInt8](repeating: 0, count: 19)
    for date in [
      "2026-02-29T13:00:00.123Z", "2024-02-29T13:00:00.123Z", "2026-13-01T13:00:00.123Z",
      "2026-11-23T24:00:00.123Z",
      "2026-11-23t13:00:00.123Z", "2026-11-23T13:00:00.123z", "2026-11-23T13:00:00.1234Z",
      "2026-11-23T13:00:00Z",
      "2026-11-23T13:00:60.123Z", "0000-11-23T13:00:00.123Z", "9999-11-23T13:00:00.123Z",
      "2026-11-23T13:00:00+01:00",
    ] {
      let body = #""record":"intent","requestId":"1","time":"\#(date)","tenant":"crm"}"#
      _ = compare(chained(Array(body.utf8)), &scanner)
    }
    var scannerAtStart = RecordScanner()
    let head = Array(#""record":"intent","requestId":"1","time":""#.utf8)
    #expect(!compare(chained(head + zeros + Array(#".123Z","tenant":"crm"}"#.utf8)), &scannerAtStart))
  }
}
