import AuditTrail
import Primitives
import TestSupport
import Testing

@testable import AuditStore

@Suite struct ReadingTests {
  fileprivate func body(_ id: String) -> [UInt8] {
    Array("\"record\":\"outcome\",\"requestId\":\"\(id)\",\"time\":\"2026-11-23T13:00:00Z\"}".utf8)
  }

  @Test func linesOfAnyLengthComeWhole() throws {
    var entropy = SeededGenerator(seed: 7)
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

  /// What a gateway that runs leaves for a follower to see.
  private struct FollowedJournal {
    let files = ScriptedFileSystem()
    let writer: SegmentWriter
    var follower: JournalFollower

    init() throws {
      writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
      _ = try files.lock()
      follower = try JournalFollower(files, fromStart: true)
    }

    func write(_ ids: String...) throws {
      try writer.append(ids.map { ReadingTests().body($0) })
    }

    func synchronize() throws {
      try writer.synchronize()
      writer.updateMark()
    }

    mutating func polled() throws -> [Text] {
      var found: [Text] = []
      try follower.poll { found.append($0.requestId) }
      return found
    }
  }

  @Test func followerTellsWhatAFailedSynchronizationTookBackOnce() throws {
    var journal = try FollowedJournal()
    try journal.write("a")
    try journal.synchronize()
    #expect(try journal.polled() == ["a"])
    try journal.write("b", "c")
    #expect(try journal.polled() == [])
    #expect(try journal.polled() == [], "it may still be taken back")
    journal.files.fail(100)
    #expect(throws: FileFault.self) { try journal.writer.synchronize() }
    #expect(throws: FileFault.self) { try journal.polled() }
    journal.files.fail(0)
    // Written again, to another segment.
    try journal.synchronize()
    #expect(try JournalListing(journal.files).segments.count == 2)
    #expect(try journal.polled() == ["b", "c"])
    #expect(try journal.polled() == [])
    try journal.writer.close()
  }

  @Test func followerDoesNotTellWhatWasRefused() throws {
    var journal = try FollowedJournal()
    try journal.write("a")
    try journal.synchronize()
    try journal.write("refused")
    #expect(try journal.polled() == ["a"])
    #expect(try journal.polled() == [])
    journal.files.fail(100)
    #expect(throws: FileFault.self) { try journal.writer.synchronize() }
    journal.writer.forgetUnsynchronized()
    journal.files.fail(0)
    // It gets the number that the refused one had.
    try journal.write("b")
    try journal.synchronize()
    #expect(try journal.polled() == ["b"])
    try journal.writer.close()
  }

  @Test func followerReadsToTheEndWhatNobodyWritesAnyMore() throws {
    var journal = try FollowedJournal()
    try journal.write("a")
    try journal.synchronize()
    try journal.write("b")
    #expect(try journal.polled() == ["a"])
    #expect(try journal.polled() == [])
    // The gateway was killed before it could say that this is on disk; the next one goes on behind it.
    let files = journal.files.afterKill(seed: 1)
    var follower = try JournalFollower(files, fromStart: true)
    var found: [Text] = []
    try follower.poll { found.append($0.requestId) }
    try follower.poll { found.append($0.requestId) }
    #expect(found == ["a", "b"])
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1)
    try writer.append([body("c")])
    try writer.append([body("d")])
    try writer.synchronize()
    writer.updateMark()
    try follower.poll { found.append($0.requestId) }
    #expect(found == ["a", "b", "c", "d"])
    try writer.close()
  }

  @Test func followerGoesOnBehindSegmentsThatRetentionRemoved() throws {
    var journal = try FollowedJournal()
    try journal.write("a")
    try journal.writer.finishSegment()
    #expect(try journal.polled() == ["a"])
    try journal.write("b")
    try journal.writer.finishSegment()
    let second = try #require(try JournalListing(journal.files).segments.last)
    try journal.write("c")
    try journal.synchronize()
    try journal.writer.moveBase(to: ChainHead(sequence: 2, digest: ChainHead.genesis.digest))
    journal.files.delete(SegmentName(firstSequence: 1).file)
    journal.files.delete(second.file)
    #expect(try journal.polled() == ["c"])
    try journal.writer.close()
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

  @Test func recordsBearWhatIsKnownOfThem() throws {
    let files = ScriptedFileSystem()
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    try writer.append(["a", "b", "c", "d"].map { body($0) })
    try writer.close()
    func doubts() throws -> [RecordDoubt?] {
      var doubts: [RecordDoubt?] = []
      _ = try JournalReader(files).forEachRecord { doubts.append($0.doubt) }
      return doubts
    }
    let name = SegmentName(firstSequence: 1).file
    let good = String(decoding: try #require(files.bytes(of: name)), as: UTF8.self)
    #expect(try doubts() == [nil, nil, nil, nil])
    files.replace(name, with: Array(good.replacing("\"requestId\":\"b\"", with: "\"requestId\":\"x\"").utf8))
    #expect(try doubts() == [nil, .altered, nil, nil])
    files.replace(name, with: Array(good.replacing("\"requestId\":\"d\"", with: "\"requestId\":\"x\"").utf8))
    #expect(try doubts() == [nil, nil, nil, .altered], "the mark has its digest")
    let lines = good.split(separator: "\n").map { $0 + "\n" }
    files.replace(name, with: Array(lines[..<3].joined().utf8))
    #expect(try doubts() == [nil, nil, .unproven], "the mark promises more")
    files.replace(name, with: Array((lines[..<2] + lines[3...]).joined().utf8))
    #expect(try doubts() == [nil, .unproven, nil], "the one behind it is gone")
  }

  @Test func followerTellsWhatDoesNotHold() throws {
    var journal = try FollowedJournal()
    try journal.write("a")
    try journal.write("b")
    try journal.synchronize()
    var notices: [JournalFollower.Notice] = []
    var found: [RequestHistory] = []
    func poll() throws { try journal.follower.poll({ found.append($0) }, { notices.append($0) }) }
    try poll()
    #expect(found.map(\.requestId) == ["a", "b"] && found.allSatisfy { $0.doubt == nil } && notices.isEmpty)
    // Altered after it was shown: then what comes next is chained to another.
    let name = SegmentName(firstSequence: 1).file
    try journal.write("c")
    try journal.write("d")
    try journal.synchronize()
    let text = String(decoding: try #require(journal.files.bytes(of: name)), as: UTF8.self)
    journal.files.replace(
      name, with: Array(text.replacing("\"requestId\":\"c\"", with: "\"requestId\":\"x\"").utf8))
    try poll()
    #expect(found.map(\.doubt) == [nil, nil, .altered, nil])
    #expect(notices.isEmpty)
    try journal.writer.close()
  }
}
