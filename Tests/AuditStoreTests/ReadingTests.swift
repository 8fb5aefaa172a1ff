import AuditTrail
import Primitives
import Testing

@testable import AuditStore

@Suite struct ReadingTests {
  private func body(_ id: String) -> [UInt8] {
    Array("\"record\":\"outcome\",\"requestId\":\"\(id)\",\"time\":\"2026-11-23T13:00:00Z\"}".utf8)
  }

  @Test func linesOfAnyLengthComeWhole() throws {
    var entropy = SeededEntropy(seed: 7)
    let lines = (0..<200).map { _ in
      [UInt8](repeating: UInt8(ascii: "x"), count: Int.random(in: 0...10, using: &entropy) < 9 ? 40 : 300_000)
    }
    let files = ScriptedFileSystem()
    files.replace("lines", with: Array(lines.joined(separator: [0x0A])) + [0x0A] + Array("rest".utf8))
    var reader = try SegmentLines("lines", in: files)
    var found: [Int] = []
    var item = SegmentLines.Item.line
    while item == .line {
      item = try reader.next { found.append($0.byteCount) }
    }
    #expect(found == lines.map(\.count))
    #expect(item == .end(tornBytes: 4))
    #expect(reader.offset == lines.reduce(0) { $0 + $1.count + 1 })
    reader.close()
  }

  @Test func lineWithoutEndIsGivenUp() throws {
    let files = ScriptedFileSystem()
    files.replace("lines", with: [UInt8](repeating: UInt8(ascii: "x"), count: 100_001))
    var reader = try SegmentLines("lines", in: files, longestLine: 100_000)
    #expect(try reader.next { _ in } == .tooLong)
    reader.close()
  }

  @Test func followerGivesEachNewRequestOnceOverSegments() throws {
    let files = ScriptedFileSystem()
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    try writer.append([body("before")])
    var follower = try JournalFollower(files)
    var found: [Text] = []
    for round in 0..<6 {
      try writer.append([body("\(round)a"), body("\(round)b")])
      if round.isMultiple(of: 2) { try writer.finishSegment() }
      if round.isMultiple(of: 3) { try follower.poll { found.append($0.requestId) } }
    }
    try follower.poll { found.append($0.requestId) }
    #expect(found == (0..<6).flatMap { [Text("\($0)a"), Text("\($0)b")] })
    try writer.close()
  }

  @Test func followerTellsARequestThatWasUnderWayWhenItBegan() throws {
    let files = ScriptedFileSystem()
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    let intent = body("1").split(separator: Array("outcome".utf8)).joined(separator: Array("intent".utf8))
    try writer.append([Array(intent)])
    var follower = try JournalFollower(files)
    try writer.append([body("1")])
    var found: [RequestHistory] = []
    try follower.poll { found.append($0) }
    #expect(found.map(\.first.kind) == [.intent])
    #expect(found.map(\.second?.kind) == [.outcome])
    try writer.close()
  }

  @Test func followerOfAnEmptyJournalSeesItsFirstRequest() throws {
    let files = ScriptedFileSystem()
    var follower = try JournalFollower(files)
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    try writer.append([body("first")])
    var found: [Text] = []
    try follower.poll { found.append($0.requestId) }
    #expect(found == ["first"])
    try writer.close()
  }

  @Test func unreadableLinesAreCounted() throws {
    let files = ScriptedFileSystem()
    let name = SegmentName(firstSequence: 1).file
    let good = Array("{\"sequence\":1,\"previous\":\"\",".utf8) + body("good") + [0x0A]
    files.replace(name, with: good + Array("{}\n".utf8) + good + Array("{\"sequence\"".utf8))
    var found = 0
    #expect(try JournalReader(files).forEachRequest { _ in found += 1 } == 1)
    #expect(found == 2)
  }
}
