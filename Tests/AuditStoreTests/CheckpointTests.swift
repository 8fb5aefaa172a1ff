import AuditTrail
import OpenSSLCrypto
import Primitives
import TestSupport
import Testing

@testable import AuditStore

@Suite struct CheckpointTests {
  private let clock = RunningClock()
  private let key = Ed25519PrivateKey(seed: [UInt8](0..<32))

  private func settings(signed: Bool = true) -> Journal.Settings {
    var settings = Journal.Settings(directory: "")
    settings.signingKey = signed ? key : nil
    return settings
  }

  /// One request a run, so a checkpoint at the start (the first time) and one at the end of each.
  private func journal(runs: Int, signed: Bool = true) async throws -> ScriptedFileSystem {
    let files = ScriptedFileSystem()
    for run in 1...runs { try await serve(files, "\(run)", signed: signed) }
    return files
  }

  private func serve(_ files: ScriptedFileSystem, _ id: String, signed: Bool = true) async throws {
    files.delete(".lock")
    let journal = try Journal(settings(signed: signed), clock: clock, files: files)
    _ = try await journal.intend(record("intent", id))
    journal.close()
  }

  private func lines(_ files: ScriptedFileSystem) throws -> [[UInt8]] {
    try #require(files.bytes(of: Checkpoint.file)).split(separator: 0x0A).map { Array($0) }
  }

  private func put(_ lines: [[UInt8]], in files: ScriptedFileSystem) {
    files.replace(Checkpoint.file, with: Array(lines.joined(separator: [0x0A])) + [0x0A])
  }

  private func kind(_ files: ScriptedFileSystem, signed: Bool = true, kept: [Checkpoint] = []) throws
    -> ChainProblem.Kind?
  {
    try JournalVerification(of: files, keys: signed ? [key?.publicKey].compactMap(\.self) : [], kept: kept)
      .problem?.kind
  }

  private let segment = SegmentName(firstSequence: 1).file

  @Test func eachRunEndsWithACheckpointAndAllAgree() async throws {
    let files = try await journal(runs: 3)
    let checkpoints = try lines(files).compactMap { Checkpoint.read($0)?.0 }
    #expect(checkpoints.map(\.head.sequence) == [0, 1, 2, 3])
    #expect(checkpoints.last?.segments == 1)
    #expect(Set(checkpoints.map(\.journal)).count == 1)
    #expect(try kind(files) == nil)
    #expect(try kind(files, signed: false) == nil)
    #expect(try kind(files, kept: checkpoints) == nil)
    #expect(files.openFiles == 0)
  }

  @Test func nothingNewLeavesNoCheckpoint() async throws {
    let files = try await journal(runs: 1)
    let before = try lines(files)
    files.delete(".lock")
    try Journal(settings(), clock: clock, files: files).close()
    #expect(try lines(files) == before)
  }

  @Test func alteringAnyByteOfACheckpointIsFound() async throws {
    let files = try await journal(runs: 2)
    let good = try lines(files)
    for index in good.indices {
      for offset in good[index].indices {
        var bad = good
        bad[index][offset] ^= 1
        put(bad, in: files)
        #expect(try kind(files) != nil, "byte \(offset) of checkpoint \(index)")
      }
    }
  }

  @Test func removedOrMovedCheckpointIsFound() async throws {
    let files = try await journal(runs: 4)
    let good = try lines(files)
    for index in good.indices.dropLast() {
      var bad = good
      bad.remove(at: index)
      put(bad, in: files)
      #expect(try kind(files, signed: false) == .checkpoint(.unlinked))
      bad = good
      bad.swapAt(index, index + 1)
      put(bad, in: files)
      #expect(try kind(files, signed: false) == .checkpoint(.unlinked))
    }
    files.delete(Checkpoint.file)
    #expect(try kind(files) == .checkpoint(.missing))
    #expect(try kind(files, signed: false) == nil, "nothing says that there were any")
  }

  @Test func journalThatWasCutOffWithItsMarkIsFound() async throws {
    let files = try await journal(runs: 3)
    let bytes = try #require(files.bytes(of: segment))
    let end = try #require(bytes.dropLast().lastIndex(of: 0x0A)) + 1
    files.replace(segment, with: Array(bytes[..<end]))
    files.delete(HeadMark.file)
    #expect(try kind(files) == .checkpoint(.journalIsShorter(last: 2)))
    files.delete(".lock")
    #expect(throws: JournalOpenFailure.self) { try Journal(settings(), clock: clock, files: files) }
  }

  @Test func rewrittenHistoryIsFoundByAKeptCheckpointOnly() async throws {
    let files = try await journal(runs: 3)
    let kept = try lines(files).compactMap { Checkpoint.read($0)?.0 }
    let identity = try #require(files.bytes(of: JournalIdentity.file))
    // A forger with root but without the key writes everything anew, unsigned; with the key, signed.
    for signed in [false, true] {
      let forged = ScriptedFileSystem()
      forged.replace(JournalIdentity.file, with: identity)
      for id in ["1", "forged", "3", "4"] { try await serve(forged, id, signed: signed) }
      #expect(try kind(forged, signed: false) == nil)
      #expect(try kind(forged) == (signed ? nil : .checkpoint(.missing)))
      #expect(try kind(forged, signed: false, kept: kept) == .checkpoint(.journalIsRewritten))
      #expect(try kind(forged, signed: false, kept: Array(kept[..<2])) == nil, "what was before is the same")
    }
  }

  @Test func truncationIsFoundByAKeptCheckpoint() async throws {
    let files = try await journal(runs: 4)
    let kept = try lines(files).compactMap { Checkpoint.read($0)?.0 }
    let identity = try #require(files.bytes(of: JournalIdentity.file))
    let shorter = ScriptedFileSystem()
    shorter.replace(JournalIdentity.file, with: identity)
    for id in ["1", "2"] { try await serve(shorter, id) }
    #expect(try kind(shorter) == nil)
    #expect(try kind(shorter, kept: kept.suffix(1)) == .checkpoint(.journalIsShorter(last: 2)))
  }

  @Test func checkpointsOfAnotherJournalOrKeyAreFound() async throws {
    let files = try await journal(runs: 2)
    let other = try await journal(runs: 2)
    let kept = try lines(other).compactMap { Checkpoint.read($0)?.0 }
    #expect(try kind(files, kept: kept.suffix(1)) == .checkpoint(.otherJournal))
    put(try lines(other), in: files)
    #expect(try kind(files) == .checkpoint(.otherJournal))
    let another = try #require(Ed25519PrivateKey.generate())
    #expect(
      try JournalVerification(of: other, keys: [another.publicKey]).problem?.kind
        == .checkpoint(.badSignature))
  }

  @Test func changedKeyNeedsBothToVerify() async throws {
    let files = try await journal(runs: 2)
    let second = try #require(Ed25519PrivateKey.generate())
    var settings = settings()
    settings.signingKey = second
    let journal = try Journal(settings, clock: clock, files: files)
    _ = try await journal.intend(record("intent", "3"))
    journal.close()
    let first = try #require(key?.publicKey)
    for keys in [[first], [second.publicKey]] {
      #expect(try JournalVerification(of: files, keys: keys).problem?.kind == .checkpoint(.badSignature))
    }
    #expect(try JournalVerification(of: files, keys: [second.publicKey, first]).problem == nil)
  }

  @Test func signatureMayBeginLaterButNotEnd() async throws {
    let files = try await journal(runs: 2, signed: false)
    #expect(try kind(files) == .checkpoint(.missing))
    try await serve(files, "3")
    #expect(try kind(files) == nil)
    try await serve(files, "4", signed: false)
    #expect(try kind(files) == .checkpoint(.unsigned))
  }

  @Test func checkpointTornAtAnyByteIsWrittenAnew() async throws {
    let whole = try await journal(runs: 2)
    let bytes = try #require(whole.bytes(of: Checkpoint.file))
    let start = try #require(bytes.dropLast().lastIndex(of: 0x0A)) + 1
    for end in start..<bytes.count {
      let files = whole.afterKill(seed: 1)
      files.replace(Checkpoint.file, with: Array(bytes[..<end]))
      #expect(try kind(files) == nil)
      files.delete(".lock")
      try Journal(settings(), clock: clock, files: files).close()
      #expect(try lines(files).count == 3)
      #expect(try kind(files) == nil)
    }
  }

  @Test func identityThatWasDeletedComesBackFromTheCheckpoints() async throws {
    let files = try await journal(runs: 1)
    let identity = files.bytes(of: JournalIdentity.file)
    files.delete(JournalIdentity.file)
    #expect(try kind(files) == nil)
    try await serve(files, "2")
    #expect(files.bytes(of: JournalIdentity.file) == identity)
    #expect(try kind(files) == nil)
  }

  @Test func failedCheckpointsStopNoRequestAndAreMadeUpFor() async throws {
    for seed in 0..<200 {
      let files = ScriptedFileSystem(seed: UInt64(seed))
      let journal = try Journal(settings(), clock: clock, files: files)
      for number in 0..<5 {
        files.fail(number.isMultiple(of: 2) ? 30 : 0)
        if let intent = try? await journal.intend(record("intent", "\(number)")) { _ = intent.sequence }
        journal.rotate()
      }
      files.fail(0)
      journal.close()
      #expect(try kind(files) == nil, "seed \(seed)")
      let after = files.afterPowerLoss(seed: UInt64(seed))
      after.delete(".lock")
      try Journal(settings(), clock: clock, files: after).close()
      #expect(try kind(after) == nil, "seed \(seed)")
    }
  }
}
