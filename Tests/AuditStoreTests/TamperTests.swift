import AuditTrail
import OpenSSLCrypto
import Primitives
import TestSupport
import Testing

@testable import AuditStore

/// What somebody with write access to the folder may try, and what happens to a reader while a gateway works.
@Suite struct TamperTests {
  private let first = SegmentName(firstSequence: 1).file
  private let key: Ed25519PrivateKey

  init() throws { key = try #require(Ed25519PrivateKey(seed: [UInt8](0..<32))) }

  private func writer(_ files: ScriptedFileSystem) throws -> SegmentWriter {
    try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
  }

  /// A journal that was closed, with `segments` segments of three records each.
  private func closedJournal(segments: Int = 1) throws -> ScriptedFileSystem {
    let files = ScriptedFileSystem()
    let writer = try writer(files)
    for segment in 0..<segments {
      try writer.append((1...3).map { record("outcome", "\(3 * segment + $0)") })
      if segment < segments - 1 { try writer.finishSegment() }
    }
    try writer.close()
    return files
  }

  private func reopen(_ files: ScriptedFileSystem) throws -> [String] {
    let journal = try Journal(Journal.Settings(directory: ""), clock: RunningClock(), files: files)
    journal.close()
    return journal.notices
  }

  /// The next start, which is killed before it writes a checkpoint.
  private func goOn(_ files: ScriptedFileSystem) throws -> [String] {
    let settings = Journal.Settings(directory: "")
    let (writer, _, notices) = try Journal.recover(
      settings, shared: JournalShared(), clock: RunningClock(), files: files)
    try writer.segments.close()
    return notices
  }

  @Test func lockHoldsAlsoWhenItsFileIsRemoved() throws {
    let files = ScriptedFileSystem()
    let journal = try Journal(Journal.Settings(directory: ""), clock: RunningClock(), files: files)
    files.delete(".lock")
    #expect(throws: JournalOpenFailure.held(by: "another process")) { try reopen(files) }
    journal.close()
    #expect(try reopen(files) == [])
  }

  @Test func identityOfAnotherJournalStopsTheStart() throws {
    let files = ScriptedFileSystem()
    let journal = try Journal(Journal.Settings(directory: ""), clock: RunningClock(), files: files)
    journal.close()
    let other = "00000000-0000-4000-8000-000000000000"
    files.replace(JournalIdentity.file, with: Array("\(other)\n".utf8))
    let failure = #expect(throws: JournalOpenFailure.self) { try reopen(files) }
    #expect(failure?.message.contains(other) == true)
    #expect(failure?.message.contains(journal.identity.text) == true)
  }

  @Test func chainedLineThatIsNoRecordIsFound() throws {
    let files = try closedJournal()
    let writer = try writer(files)
    try writer.append([Array("not JSON".utf8)])
    try writer.close()
    let problem = try #require(try JournalVerification(of: files).problem)
    #expect(problem.kind == .noRecord)
    #expect(problem.sequence == 4)
  }

  @Test func recordThatWasCutAfterItWasOnDiskLeavesARecordOfThat() throws {
    let files = try closedJournal()
    for crash in 1...2 {
      let whole = try #require(files.bytes(of: first))
      files.replace(first, with: Array(whole.dropLast()))
      let sequence = try #require(try JournalVerification(of: files).problem).sequence
      let notice = try #require(try goOn(files).first)
      #expect(notice.contains("it was whole before"))
      let verification = try JournalVerification(of: files)
      #expect(verification.problem == nil)
      #expect(verification.extent.dropped == 1, "the second crash cut the record of the first")
      #expect(
        verification.notices == [
          "1 records were cut after they had been on disk; `dropped` records say which"
        ])
      let dropped = try JournalReader(files).firstRecord { $0.kind == .dropped }
      #expect(dropped?.integer("droppedSequence") == sequence)
      let copy = crash == 1 ? "dropped-\(sequence).partial" : "dropped-\(sequence)-2.partial"
      #expect(dropped?.text("keptIn")?.string == copy)
      #expect(files.bytes(of: copy)?.count == dropped?.integer("droppedBytes"))
    }
  }

  @Test func segmentsStayWhenTheRestIsNotChainedToThem() throws {
    let files = try closedJournal(segments: 3)
    let mark = try #require(HeadMark(files.bytes(of: HeadMark.file) ?? []))
    let forged = HeadMark(head: mark.head, base: ChainHead(sequence: 3, digest: ChainHead.genesis.digest))
    files.replace(HeadMark.file, with: forged.bytes)
    #expect(throws: JournalOpenFailure.self) { try reopen(files) }
    #expect(files.bytes(of: first) != nil)
  }

  @Test func rotationWhileTheJournalIsVerifiedIsNoTruncation() throws {
    let files = try closedJournal()
    let hooked = HookedFileSystem(files, beforeOpening: first) {
      let journal = try Journal(Journal.Settings(directory: ""), clock: RunningClock(), files: files)
      journal.close()
      let writer = try SegmentWriter(RecoveredJournal(recovering: files), in: files, segmentSize: 1 << 20)
      try writer.finishSegment()
      try writer.append([record("outcome", "in the next segment")])
      try writer.close()
      // Its last checkpoint is about a record of a segment that the verification has not listed.
      let again = try Journal(Journal.Settings(directory: ""), clock: RunningClock(), files: files)
      again.close()
    }
    let verification = try JournalVerification(of: hooked)
    #expect(verification.problem == nil)
    #expect(verification.extent.segments == 1)
    #expect(try JournalVerification(of: files).extent.segments == 2)
  }

  /// Retention comes just before the second segment is opened.
  private func expiring(_ files: ScriptedFileSystem) -> HookedFileSystem {
    HookedFileSystem(files, beforeOpening: SegmentName(firstSequence: 4).file) {
      var settings = Journal.Settings(directory: "")
      settings.retainNanoseconds = 1_000_000_000
      let writer = try Journal.recover(settings, shared: JournalShared(), clock: RunningClock(), files: files)
        .0
      try writer.removeExpired(now: WallClockTime(nanoseconds: 1_000_000_000_000))
      try writer.segments.close()
    }
  }

  @Test func retentionWhileTheJournalIsReadIsNoFault() throws {
    let files = try closedJournal(segments: 3)
    var records = 0
    _ = try JournalReader(expiring(files)).forEachRecord { _ in records += 1 }
    #expect(files.bytes(of: first) == nil)
    #expect(records >= 3)
  }

  @Test func retentionWhileTheJournalIsVerifiedIsNoFault() throws {
    let files = try closedJournal(segments: 3)
    let verification = try JournalVerification(of: expiring(files))
    #expect(files.bytes(of: first) == nil)
    #expect(verification.problem == nil, "\(verification.problem?.message ?? "")")
  }

  /// Three segments of one record each, with checkpoints, of which retention removed the first if it ran.
  private func signedJournal(retaining: Bool) throws -> ScriptedFileSystem {
    let files = ScriptedFileSystem()
    var settings = Journal.Settings(directory: "")
    settings.signingKey = key
    settings.retainNanoseconds = 1_000_000_000
    let writer = try Journal.recover(settings, shared: JournalShared(), clock: RunningClock(), files: files).0
    for number in 1...3 {
      if number == 2 { files.now = 1000 }
      try writer.write([record("outcome", "\(number)")], durably: true)
      try writer.segments.finishSegment()
      writer.writeCheckpoint()
    }
    if retaining { try writer.removeExpired(now: WallClockTime(nanoseconds: 1_000_500_000_000)) }
    try writer.segments.close()
    return files
  }

  @Test func retentionIsVouchedForByTheKey() throws {
    let files = try signedJournal(retaining: true)
    #expect(files.bytes(of: first) == nil)
    let verification = try JournalVerification(of: files, keys: [key.publicKey])
    #expect(verification.problem == nil, "\(verification.problem?.message ?? "")")
  }

  /// Whoever can write the folder can chain a record of a removal and move the base, but not sign.
  @Test func removalWithAForgedRecordIsFoundByTheKey() throws {
    let files = try signedJournal(retaining: false)
    let base = try #require(
      try JournalReader(files).firstRecord { $0.sequence == 2 }.flatMap { RecordPrefix($0.line.span.bytes) })
    let removed = ChainHead(sequence: 1, digest: base.previous)
    let expired = ExpiredSegments(
      segments: [SegmentName(firstSequence: 1)], last: removed, retainSeconds: 1)
    let writer = try writer(files)
    try writer.append([expired.record(at: WallClockTime(nanoseconds: 1_000_500_000_000))])
    try writer.synchronize()
    try writer.moveBase(to: removed)
    try writer.close()
    files.delete(first)
    #expect(try JournalVerification(of: files).problem == nil, "nothing else is left to tell")
    let problem = try #require(try JournalVerification(of: files, keys: [key.publicKey]).problem)
    #expect(problem.kind == .checkpoint(.baseUnsigned))
    #expect(problem.sequence == 1)
  }
}
