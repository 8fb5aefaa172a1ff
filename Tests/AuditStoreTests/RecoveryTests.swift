import AuditTrail
import TestSupport
import Testing

@testable import AuditStore

@Suite struct RecoveryTests {
  /// A journal that was closed, with `segments` segments of three records each.
  private func closedJournal(segments: Int = 1) throws -> ScriptedFileSystem {
    let files = ScriptedFileSystem()
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    for segment in 0..<segments {
      try writer.append((1...3).map { record("outcome", "\(3 * segment + $0)") })
      if segment < segments - 1 { try writer.finishSegment() }
    }
    try writer.close()
    #expect(files.openFiles == 0)
    return files
  }

  private func opening(_ files: ScriptedFileSystem) throws -> RecoveredJournal {
    let recovered = try RecoveredJournal(recovering: files)
    try SegmentWriter(recovered, in: files, segmentSize: 1 << 20).close()
    #expect(files.openFiles == 0)
    return recovered
  }

  private let last = SegmentName(firstSequence: 1).file

  @Test func emptyDirectoryIsANewJournal() throws {
    let files = ScriptedFileSystem()
    #expect(try opening(files).head == .genesis)
    let verification = try JournalVerification(of: files)
    #expect(verification.problem == nil)
    #expect(verification.extent.records == 0)
  }

  @Test func closedJournalGoesOnWhereItEnded() throws {
    let files = try closedJournal(segments: 3)
    let recovered = try RecoveredJournal(recovering: files)
    #expect(recovered.head.sequence == 9)
    #expect(recovered.notices.isEmpty)
    let writer = try SegmentWriter(recovered, in: files, segmentSize: 1 << 20)
    try writer.append([record("outcome", "more")])
    try writer.close()
    let verification = try JournalVerification(of: files)
    #expect(verification.problem == nil)
    #expect(verification.extent.records == 10)
    #expect(verification.extent.segments == 3)
  }

  @Test func recordTornAtAnyByteIsDroppedAndKeptAside() throws {
    let whole = try closedJournal()
    let bytes = try #require(whole.bytes(of: last))
    var lines = ChainedLines()
    var head = try RecoveredJournal(recovering: whole).head
    lines.append(record("intent", "torn"), after: &head)
    let next = lines.withBytes { Array($0) }
    for count in 1..<next.count {
      let files = whole.afterKill(seed: 0)
      let torn = Array(next[..<count])
      files.replace(last, with: bytes + torn)
      let before = try JournalVerification(of: files).problem
      #expect(before?.kind == .torn(bytes: count, wasWhole: false))
      let recovered = try opening(files)
      #expect(recovered.head.sequence == 3)
      #expect(recovered.notices.count == 1)
      #expect(files.bytes(of: "dropped-4.partial") == torn)
      #expect(files.bytes(of: last) == bytes)
      #expect(try JournalVerification(of: files).problem == nil)
    }
  }

  @Test func lastRecordCutAtAnyByteIsReportedAndDropped() throws {
    let whole = try closedJournal()
    let bytes = try #require(whole.bytes(of: last))
    let start = try #require(bytes.dropLast().lastIndex(of: 0x0A)) + 1
    for end in start + 1..<bytes.count {
      let files = whole.afterKill(seed: 0)
      files.replace(last, with: Array(bytes[..<end]))
      #expect(try JournalVerification(of: files).problem?.kind == .torn(bytes: end - start, wasWhole: true))
      #expect(try opening(files).head.sequence == 2)
      #expect(try JournalVerification(of: files).problem == nil)
    }
  }

  @Test func wholeRecordsCutOffTheEndStopTheStart() throws {
    let files = try closedJournal()
    let bytes = try #require(files.bytes(of: last))
    let start = try #require(bytes.dropLast().lastIndex(of: 0x0A)) + 1
    files.replace(last, with: Array(bytes[..<start]))
    #expect(throws: JournalOpenFailure.self) { try opening(files) }
    // Also when a part of one more record is gone.
    files.replace(last, with: Array(bytes[..<(start - 20)]))
    #expect(throws: JournalOpenFailure.self) { try opening(files) }
  }

  @Test func alteredRecordStopsTheStartAndIsNamed() throws {
    let files = try closedJournal(segments: 2)
    let name = SegmentName(firstSequence: 4).file
    var bytes = try #require(files.bytes(of: name))
    let end = try #require(bytes.dropLast().lastIndex(of: 0x0A))
    bytes[end - 3] ^= 1
    files.replace(name, with: bytes)
    let failure = #expect(throws: JournalOpenFailure.self) { try opening(files) }
    #expect(
      failure?.message.contains("\(name) line 2: record 5 was altered") == true, "\(failure?.message ?? "")")
  }

  @Test func missingLastSegmentStopsTheStart() throws {
    let files = try closedJournal(segments: 3)
    files.delete(SegmentName(firstSequence: 7).file)
    #expect(throws: JournalOpenFailure.self) { try opening(files) }
  }

  @Test func segmentThatIsMissingInBetweenIsFoundByVerify() throws {
    let files = try closedJournal(segments: 4)
    files.delete(SegmentName(firstSequence: 4).file)
    let problem = try #require(try JournalVerification(of: files).problem)
    #expect(problem.kind == .missing(next: 7))
    #expect(problem.sequence == 4)
  }

  @Test func removedSegmentsAreMissedEvenWhenNoneIsLeft() throws {
    let files = try closedJournal()
    files.delete(last)
    #expect(try JournalVerification(of: files).problem?.kind == .cutOff(last: 0))
    #expect(throws: JournalOpenFailure.self) { try opening(files) }
  }

  @Test(arguments: [true, false])
  func missingMarkIsSaidAndWrittenAgain(isThere: Bool) throws {
    let files = try closedJournal()
    if isThere {
      files.replace(HeadMark.file, with: Array("garbage".utf8))
    } else {
      files.delete(HeadMark.file)
    }
    let verification = try JournalVerification(of: files)
    #expect(verification.notices.count == 1)
    // A crash can leave it so; what the rest says still holds.
    #expect(verification.problem == nil)
    #expect(try opening(files).notices.count == 1)
    #expect(try JournalVerification(of: files).notices.isEmpty)
    #expect(try JournalVerification(of: files).problem == nil)
  }

  @Test func folderWithoutAJournalIsNoGoodJournal() throws {
    let files = ScriptedFileSystem()
    files.replace(".lock", with: [])
    #expect(throws: FileFault.self) { try JournalVerification(of: files) }
  }

  @Test func emptySegmentThatAKillLeftIsUsed() throws {
    let files = try closedJournal(segments: 2)
    files.replace(SegmentName(firstSequence: 7).file, with: [])
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    try writer.append([record("outcome", "7")])
    try writer.close()
    let verification = try JournalVerification(of: files)
    #expect(verification.problem == nil)
    #expect(verification.extent.segments == 3)
  }

  @Test func baseOfAJournalWithRemovedSegmentsIsKept() throws {
    let files = try closedJournal(segments: 3)
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    let listing = try JournalListing(files)
    let base = try #require(try listing.linkBefore(listing.segments[1], in: files))
    let expired = ExpiredSegments(segments: [listing.segments[0]], last: base, retainSeconds: 1)
    try writer.append([expired.record(at: RunningClock().wallClock())])
    try writer.moveBase(to: base)
    try writer.close()
    // Whether or not the removal was done before a crash.
    #expect(try JournalVerification(of: files).problem == nil)
    #expect(try opening(files).base.sequence == 3)
    #expect(files.bytes(of: last) == nil, "what is not kept is removed at the next start")
    let verification = try JournalVerification(of: files)
    #expect(verification.problem == nil)
    #expect(verification.extent.records == 7)
    files.delete(SegmentName(firstSequence: 4).file)
    #expect(try JournalVerification(of: files).problem?.kind == .missing(next: 7))
  }
}
