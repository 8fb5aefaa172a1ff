import AuditTrail
import Primitives
import TestSupport
import Testing

/// No record is longer than 16 KiB, whatever came, and what is left out of it is said.
@Suite struct RecordBoundsTests {
  private func line(_ write: (inout RecordWriter) -> Void) -> [UInt8] {
    var record = RecordWriter(under: Sensitivity(metadata: .plain))
    record.append(bounded: write)
    var lines = ChainedLines()
    var head = ChainHead(sequence: 1_000_000_000_000_000, digest: ChainHead.genesis.digest)
    lines.append(record.bytes.array, after: &head)
    return lines.withBytes { Array($0) }
  }

  private func text(_ byte: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }

  /// Everything at once, as long as it can come.
  private func everything(_ byte: UInt8, _ count: Int, to record: inout RecordWriter) {
    let long = text(byte, count)
    record.begin(outcome: requestID(1), at: time())
    record.tenant(Array("crm".utf8).span)
    record.accessKeyId(long.span)
    record.actor(long.span)
    record.sourceIp(long.span)
    record.userAgent(long.span)
    record.operation(Array("CreateAppInstanceUser".utf8).span)
    record.appInstanceArn(long.span)
    record.appInstanceUserId(long.span)
    record.appInstanceUserArn(of: long.span, user: long.span)
    record.resourceArn(long.span)
    record.name(long.span)
    record.metadata(long.span)
    for number in 0..<200 {
      let key = Array("\(number)".utf8) + long
      record.tag(key.span, long.span)
    }
    for _ in 0..<200 { record.tagKey(long.span) }
    record.decision(.denied)
    for _ in 0..<200 {
      record.violation(policy: long.span, rule: long.span, field: long.span, message: long.span)
    }
    for _ in 0..<200 {
      record.warning(policy: long.span, rule: long.span, field: long.span, message: long.span)
    }
    for _ in 0..<200 { record.change(field: long.span, from: long.span, to: long.span) }
    record.result(
      .notForwarded, status: 403, errorType: long.span, reason: long.span, upstreamStatus: 500,
      upstreamRequestId: long.span, userArn: long.span, attempts: 3, durationNanoseconds: 1)
    record.end()
  }

  @Test(arguments: [UInt8(ascii: "x"), UInt8(ascii: "\""), 0x01, 0xFF], [1, 100, 5000, 300_000])
  func nothingMakesARecordLonger(_ byte: UInt8, _ count: Int) throws {
    let bytes = line { everything(byte, count, to: &$0) }
    #expect(bytes.count <= 16 << 10)
    let record = try #require(JournalRecord(line: Array(bytes.dropLast())))
    let source = record.source("truncated").map { String(decoding: $0, as: UTF8.self) }
    #expect(source?.contains("\"violations\"") == true, "there were more than any record has")
  }

  @Test func recordAfterACutOneIsWhole() {
    var record = RecordWriter(under: Sensitivity())
    record.append(bounded: { everything(UInt8(ascii: "x"), 5000, to: &$0) })
    let start = record.bytes.count
    record.append(bounded: {
      $0.begin(intent: requestID(2), at: time())
      $0.name(text(UInt8(ascii: "n"), 4000).span)
      $0.end()
    })
    let second = String(decoding: record.bytes.array[start...], as: UTF8.self)
    #expect(second.count > 4000 && !second.contains("truncated"))
  }

  /// The longest that the service model allows.
  @Test func longestTextsOfAForwardedRequestAreCutFirst() throws {
    let arn = Array(
      "arn:aws:chime:us-east-1:123456789012:app-instance/\(String(repeating: "a", count: 500))".utf8)
    let bytes = line { record in
      record.begin(intent: requestID(1), at: time())
      record.tenant(Array("crm".utf8).span)
      record.appInstanceArn(arn.span)
      record.appInstanceUserId(text(UInt8(ascii: "u"), 64).span)
      record.name(text(UInt8(ascii: "n"), 256).span)
      record.metadata(text(UInt8(ascii: "m"), 1024).span)
      for number in 10..<60 {
        let key = Array("\(number)".utf8) + text(UInt8(ascii: "k"), 126)
        record.tag(key.span, text(UInt8(ascii: "v"), 256).span)
      }
      record.decision(.allowed)
      record.end()
    }
    #expect(bytes.count <= 16 << 10)
    let record = try #require(JournalRecord(line: Array(bytes.dropLast())))
    #expect(record.text("appInstanceArn") == Text(uncheckedUTF8: arn))
    #expect(record.text("appInstanceUserId")?.utf8.count == 64)
    #expect(record.tags.count == 50)
    #expect(record.tags.allSatisfy { $0.key.utf8.count == 128 && $0.value.utf8.count >= 100 })
    let cut = record.source("truncated").map { String(decoding: $0, as: UTF8.self) }
    #expect(cut == #"["name","metadata","tags"]"#)
  }

  @Test func whatAStrangerChoosesIsCutAndSaid() throws {
    let bytes = line { record in
      record.begin(outcome: requestID(1), at: time())
      record.accessKeyId(text(UInt8(ascii: "k"), 300).span, cutAfter: RecordWriter.longestOfStranger)
      record.userAgent(text(UInt8(ascii: "u"), 300).span, cutAfter: RecordWriter.longestOfStranger)
      record.unknownOperation(
        method: text(UInt8(ascii: "M"), 300).span, path: text(UInt8(ascii: "/"), 300).span)
      record.decision(.unauthenticated)
      record.end()
    }
    let record = try #require(JournalRecord(line: Array(bytes.dropLast())))
    for member: Text in ["accessKeyId", "userAgent", "method", "path"] {
      #expect(record.text(member)?.utf8.count == 256)
    }
    let cut = record.source("truncated").map { String(decoding: $0, as: UTF8.self) }
    #expect(cut == #"["accessKeyId","userAgent","method","path"]"#)
  }

  @Test func cutIsKnownWhenItIsReadAgain() throws {
    let bytes = line { everything(UInt8(ascii: "x"), 5000, to: &$0) }
    let record = try #require(JournalRecord(line: Array(bytes.dropLast())))
    let history = RequestHistory(first: record, second: nil)
    #expect(history.isCut("tags") && history.isCut("name") && !history.isCut("tenant"))
    #expect(String(decoding: history.json, as: UTF8.self).contains(#""truncated":["#))
    var scanner = RecordScanner()
    var facts = RecordFacts()
    let whole = Array(bytes.dropLast())
    let isUsual = scanner.scan(whole.span, into: &facts)
    #expect(isUsual, "readers need not read it twice")
  }
}
