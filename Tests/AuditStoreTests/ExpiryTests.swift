import AuditTrail
import OpenSSLCrypto
import Primitives
import TestSupport
import Testing

@testable import AuditStore

/// Whole segments that are gone: the chain tells whether retention removed them or somebody else did.
@Suite struct ExpiryTests {
  /// Closed, with segments of two records each.
  private func journal(segments: Int) throws -> ScriptedFileSystem {
    let files = ScriptedFileSystem()
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    for segment in 0..<segments {
      try writer.append((1...2).map { record("outcome", "\(2 * segment + $0)") })
      if segment < segments - 1 { try writer.finishSegment() }
    }
    try writer.close()
    return files
  }

  private func name(_ segment: Int) -> String { SegmentName(firstSequence: 2 * segment + 1).file }

  private func verify(_ files: ScriptedFileSystem) throws -> ChainProblem? {
    try JournalVerification(of: files).problem
  }

  /// Expires the first `count` segments, up to the step that is asked for.
  private enum Step: Int, CaseIterable { case recorded, moved, removed }

  private func expire(_ count: Int, of files: ScriptedFileSystem, upTo step: Step) throws -> ExpiredSegments {
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    let listing = try JournalListing(files)
    let expired = ExpiredSegments(
      segments: Array(listing.segments[..<count]),
      last: try #require(try listing.linkBefore(listing.segments[count], in: files)), retainSeconds: 60)
    try writer.append([expired.record(at: RunningClock().wallClock())])
    try writer.synchronize()
    if step.rawValue >= Step.moved.rawValue { try writer.moveBase(to: expired.last) }
    if step == .removed { for segment in expired.segments { try files.remove(segment.file) } }
    try writer.close()
    return expired
  }

  @Test(arguments: [1, 2, 3])
  func crashAtAnyStepOfAnExpiryIsExplained(count: Int) throws {
    for step in Step.allCases {
      let files = try journal(segments: 4)
      _ = try expire(count, of: files, upTo: step)
      let after = files.afterPowerLoss(seed: UInt64(count))
      #expect(try verify(after) == nil, "\(step)")
      try SegmentWriter(RecoveredJournal(recovering: after), in: after, segmentSize: 1 << 20).close()
      let verification = try JournalVerification(of: after)
      #expect(verification.problem == nil, "\(step)")
      #expect(verification.extent.records == (step == .recorded ? 9 : 9 - 2 * count))
    }
  }

  @Test func expiryWithoutAMarkIsStillExplained() throws {
    let files = try journal(segments: 4)
    _ = try expire(2, of: files, upTo: .removed)
    files.delete(HeadMark.file)
    #expect(try verify(files) == nil)
    try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20).close()
    #expect(try verify(files) == nil)
  }

  @Test func removedSegmentsUnderAForgedBaseAreFound() throws {
    let files = try journal(segments: 4)
    let listing = try JournalListing(files)
    let mark = try #require(listing.headMark)
    let base = try #require(try listing.linkBefore(listing.segments[2], in: files))
    for segment in 0..<2 { files.delete(name(segment)) }
    #expect(try verify(files)?.kind == .missing(next: 5), "as long as the base was not forged")
    files.replace(HeadMark.file, with: HeadMark(head: mark.head, base: base).bytes)
    let problem = try #require(try verify(files))
    #expect(problem.kind == .removed)
    #expect(problem.sequence == 4)
    #expect(problem.message.contains("no `expired` record says that retention did it"))
    files.delete(HeadMark.file)
    #expect(try verify(files)?.kind == .removed)
  }

  @Test func moreRemovedThanTheRecordSaysIsFound() throws {
    let files = try journal(segments: 4)
    _ = try expire(2, of: files, upTo: .removed)
    let mark = try #require(try JournalListing(files).headMark)
    let listing = try JournalListing(files)
    let base = try #require(try listing.linkBefore(listing.segments[1], in: files))
    files.delete(name(2))
    #expect(try verify(files)?.kind == .missing(next: 7))
    files.replace(HeadMark.file, with: HeadMark(head: mark.head, base: base).bytes)
    #expect(try verify(files)?.kind == .removed)
  }

  @Test func baseWithAnotherDigestThanTheRecordNamesIsFound() throws {
    let files = try journal(segments: 2)
    let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
    let other = ChainHead(sequence: 2, digest: SHA256.digest(Array("another record".utf8)))
    let forged = ExpiredSegments(
      segments: [SegmentName(firstSequence: 1)], last: other, retainSeconds: 60)
    try writer.append([forged.record(at: RunningClock().wallClock())])
    let base = try JournalListing(files).linkBefore(SegmentName(firstSequence: 3), in: files)
    try writer.moveBase(to: try #require(base))
    try writer.close()
    files.delete(name(0))
    #expect(try verify(files)?.kind == .expiredOther)
  }

  @Test func removingSwappingRenamingOrEmptyingASegmentIsFound() throws {
    for first in 0..<4 {
      let files = try journal(segments: 4)
      let bytes = try #require(files.bytes(of: name(first)))
      files.delete(name(first))
      #expect(try verify(files) != nil, "removed \(first)")
      files.replace(SegmentName(firstSequence: 77).file, with: bytes)
      #expect(try verify(files) != nil, "renamed \(first)")
      files.delete(SegmentName(firstSequence: 77).file)
      files.replace(name(first), with: [])
      #expect(try verify(files) != nil, "emptied \(first)")
      for second in first + 1..<4 {
        let other = try #require(files.bytes(of: name(second)))
        files.replace(name(first), with: other)
        files.replace(name(second), with: bytes)
        #expect(try verify(files) != nil, "swapped \(first) and \(second)")
        files.replace(name(second), with: other)
      }
      files.replace(name(first), with: bytes)
      #expect(try verify(files) == nil)
    }
  }
}
