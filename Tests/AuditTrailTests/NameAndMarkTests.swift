import AuditTrail
import Primitives
import Testing

@Suite struct NameAndMarkTests {
  @Test func segmentNamesSortAsTheirRecords() {
    let numbers = [1, 2, 9, 10, 99, 100, 1_000_000, 9_999_999_999_999_999]
    let files = numbers.map { SegmentName(firstSequence: $0).file }
    #expect(files.sorted() == files)
    #expect(files[0] == "journal-0000000000000001.jsonl")
    #expect(files.compactMap { SegmentName(file: $0)?.firstSequence } == numbers)
  }

  @Test(arguments: [
    "", "journal-.jsonl", "journal-1.jsonl", "journal-000000000000000x.jsonl",
    "journal-+000000000000001.jsonl",
    "journal-0000000000000000.jsonl", "journal-0000000000000001.jsonl.gz", "xjournal-0000000000000001.jsonl",
  ])
  func otherFilesAreNoSegments(_ file: String) { #expect(SegmentName(file: file) == nil) }

  @Test func markComesBackAsItWas() throws {
    let chain = Chain(records: 30)
    let mark = HeadMark(head: chain.heads[30], base: chain.heads[4])
    #expect(HeadMark(mark.bytes) == mark)
    #expect(
      mark.bytes.count == HeadMark(head: .genesis, base: .genesis).bytes.count, "it is written in place")
    #expect(mark.bytes.count < 512, "one sector holds it")
  }

  @Test func mixtureOfTwoMarksIsNotRead() {
    let chain = Chain(records: 3)
    let old = HeadMark(head: chain.heads[2], base: .genesis).bytes
    let new = HeadMark(head: chain.heads[3], base: .genesis).bytes
    for cut in 1..<old.count {
      let mixed = Array(new[..<cut] + old[cut...])
      #expect(mixed == old || mixed == new || HeadMark(mixed) == nil)
    }
  }

  @Test func damagedMarkIsNotRead() {
    let bytes = HeadMark(head: Chain(records: 3).heads[3], base: .genesis).bytes
    for count in bytes.indices { #expect(HeadMark(Array(bytes[..<count])) == nil) }
    #expect(HeadMark(bytes + [0x0A]) == nil)
    #expect(HeadMark(bytes.map { $0 == UInt8(ascii: "a") ? UInt8(ascii: "A") : $0 }) == nil)
  }

  @Test(arguments: [
    ("15m", 900), ("24h", 86_400), ("7d", 604_800), ("1s", 1), ("0s", 0),
  ])
  func relativeTimesAreBeforeNow(_ text: String, _ seconds: Int64) {
    #expect(TimeExpression(text)?.resolved(at: time()) == time(-seconds))
  }

  @Test func absoluteTimesStandForThemselves() {
    #expect(TimeExpression("2026-11-23T14:00:00.123+01:00")?.resolved(at: time(99)) == time())
    #expect(
      TimeExpression("2026-11-23")?.resolved(at: time(99)) == WallClockTime(rfc3339: "2026-11-23T00:00:00Z"))
  }

  @Test(arguments: [
    "", "m", "15", "-15m", "15 m", "15w", "1.5h", "yesterday", "2026-13-23", "2026-11-2", "9999999999d",
    "999999999d",
  ])
  func otherTextIsNoTime(_ text: String) { #expect(TimeExpression(text) == nil) }
}
