import AuditTrail
import Glibc
import Primitives
import TestSupport
import Testing

@testable import AuditStore

@Suite struct JournalTests {
  private let clock = RunningClock()

  @Test(arguments: [Journal.Settings.Durability.sync, .interval])
  func recordsOfConcurrentRequestsAreChainedInOneJournal(durability: Journal.Settings.Durability) async throws
  {
    let folder = try TemporaryFolder()
    var settings = Journal.Settings(directory: folder.path)
    settings.durability = durability
    let journal = try Journal.open(settings, clock: clock)
    let sequences = await withTaskGroup(of: [Int].self) { group in
      for task in 0..<32 {
        group.addTask {
          var sequences: [Int] = []
          for round in 0..<20 {
            guard let intent = try? await journal.intend(record("intent", "\(task)-\(round)")) else {
              return []
            }
            sequences.append(intent.sequence ?? 0)
            journal.conclude(record("outcome", "\(task)-\(round)"))
          }
          return sequences
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(Set(sequences).count == 32 * 20, "every intent has a number of its own")
    journal.close()
    let statistics = journal.statistics
    #expect(statistics.synchronizations.count < 32 * 20, "intents share synchronisations")
    #expect(statistics.records == 2 * 32 * 20)
    #expect(statistics.lastSequence == 2 * 32 * 20)
    #expect(statistics.unwrittenOutcomes == 0)
    let verification = try JournalVerification(ofDirectory: folder.path)
    #expect(verification.problem == nil)
    #expect(verification.extent.records == 2 * 32 * 20)
    #expect(verification.extent.segments == 1)
  }

  @Test func sequenceOfAnIntentIsThatOfItsRecord() async throws {
    let folder = try TemporaryFolder()
    let journal = try Journal.open(Journal.Settings(directory: folder.path), clock: clock)
    for round in 1...3 {
      journal.conclude(record("outcome", "before"))
      let intent = try await journal.intend(record("intent", "id-\(round)"))
      let sequence = intent.sequence ?? 0
      let found = try lines(in: folder).first { $0.contains("id-\(round)") }
      #expect(found?.hasPrefix("{\"sequence\":\(sequence),") == true)
    }
    journal.close()
  }

  @Test func secondJournalIsRefusedAndToldWhoHoldsIt() throws {
    let folder = try TemporaryFolder()
    let journal = try Journal.open(Journal.Settings(directory: folder.path), clock: clock)
    let failure = #expect(throws: JournalOpenFailure.self) {
      try Journal.open(Journal.Settings(directory: folder.path), clock: clock)
    }
    #expect(failure?.message.hasPrefix("the audit journal is held by pid \(getpid()) since 2") == true)
    journal.close()
    try Journal.open(Journal.Settings(directory: folder.path), clock: clock).close()
  }

  @Test func filesAreReadableByTheirOwnerOnly() async throws {
    let folder = try TemporaryFolder()
    let journal = try Journal.open(Journal.Settings(directory: folder.path), clock: clock)
    _ = try await journal.intend(record("intent", "1"))
    journal.close()
    for path in [folder.path] + names(in: folder.path).map({ "\(folder.path)/\($0)" }) {
      var status = stat()
      #expect(stat(path, &status) == 0)
      #expect(status.st_mode & 0o077 == 0, "\(path)")
    }
  }

  @Test func nextRecordAfterARotationBeginsASegment() async throws {
    let folder = try TemporaryFolder()
    let journal = try Journal.open(Journal.Settings(directory: folder.path), clock: clock)
    journal.rotate()
    for number in 1...3 {
      _ = try await journal.intend(record("intent", "\(number)"))
      journal.rotate()
      journal.rotate()
    }
    journal.close()
    #expect(
      names(in: folder.path).filter { $0.hasPrefix("journal-") }
        == (1...3).map { SegmentName(firstSequence: $0).file })
    #expect(try JournalVerification(ofDirectory: folder.path).problem == nil)
  }

  @Test func fullSegmentIsFollowedByAnother() async throws {
    let folder = try TemporaryFolder()
    var settings = Journal.Settings(directory: folder.path)
    settings.segmentSize = 1000
    let journal = try Journal.open(settings, clock: clock)
    for number in 1...20 { _ = try await journal.intend(record("intent", "\(number)", padding: 100)) }
    journal.close()
    let verification = try JournalVerification(ofDirectory: folder.path)
    #expect(verification.problem == nil)
    #expect(verification.extent.segments >= 4)
    #expect(verification.extent.records == 20)
  }

  /// One record each; the first two are older than is kept.
  private func writeFourSegments(_ settings: Journal.Settings, in folder: TemporaryFolder) async throws {
    let journal = try Journal.open(settings, clock: clock)
    for number in 1...4 {
      _ = try await journal.intend(record("intent", "\(number)"))
      journal.rotate()
    }
    journal.close()
    for number in [1, 2] { age(SegmentName(firstSequence: number), in: folder) }
  }

  @Test func segmentsThatAreTooOldAreRemovedAndTheRestVerifies() async throws {
    let folder = try TemporaryFolder()
    var settings = Journal.Settings(directory: folder.path)
    settings.retainNanoseconds = 3600 * 1_000_000_000
    try await writeFourSegments(settings, in: folder)
    let next = try Journal.open(settings, clock: clock)
    _ = try await next.intend(record("intent", "5"))
    next.close()
    let verification = try JournalVerification(ofDirectory: folder.path)
    #expect(verification.problem == nil)
    #expect(verification.extent.records == 4, "two that are kept, the record of the removal, and the new one")
    #expect(
      try lines(in: folder)[2].contains(
        #""segments":["journal-0000000000000001.jsonl","journal-0000000000000002.jsonl"],"firstSequence":1,"#
          + #""lastSequence":2,"#))
  }

  @Test func retentionLeavesAloneWhatTheCopyDoesNotHave() async throws {
    let folder = try TemporaryFolder()
    var settings = Journal.Settings(directory: folder.path)
    settings.retainNanoseconds = 3600 * 1_000_000_000
    settings.isCopied = true
    try await writeFourSegments(settings, in: folder)
    let uncopied = try Journal.open(settings, clock: clock)
    _ = try await uncopied.intend(record("intent", "5"))
    uncopied.close()
    #expect(uncopied.statistics.overdueSegments == 2)
    #expect(uncopied.statistics.baseSequence == 0)
    #expect(try JournalVerification(ofDirectory: folder.path).extent.records == 5)
    let copied = try Journal.open(settings, clock: clock)
    copied.noteCopied(upTo: 1)
    copied.rotate()
    _ = try await copied.intend(record("intent", "6"))
    copied.close()
    #expect(copied.statistics.overdueSegments == 1)
    #expect(copied.statistics.baseSequence == 1)
    let verification = try JournalVerification(ofDirectory: folder.path)
    #expect(verification.problem == nil)
    #expect(verification.extent.records == 6, "five of six, and the record of the removal")
  }

  @Test func quietJournalExpiresWithoutARequest() async throws {
    let folder = try TemporaryFolder()
    var settings = Journal.Settings(directory: folder.path)
    let journal = try Journal.open(settings, clock: clock)
    for number in 1...3 { _ = try await journal.intend(record("intent", "\(number)")) }
    journal.close()
    age(SegmentName(firstSequence: 1), in: folder)
    settings.retainNanoseconds = 3600 * 1_000_000_000
    for _ in 0..<2 {
      // The second time there is only the record of the removal, which calls for no other.
      try Journal.open(settings, clock: clock).close()
      let kept = names(in: folder.path).filter { $0.hasPrefix("journal-") }
      #expect(kept == [SegmentName(firstSequence: 4).file])
      age(SegmentName(firstSequence: 4), in: folder)
      let verification = try JournalVerification(ofDirectory: folder.path)
      #expect(verification.problem == nil)
      #expect(verification.extent.head.sequence == 4)
    }
  }

  @Test func identityIsMadeOnceAndStays() throws {
    let folder = try TemporaryFolder()
    let first = try Journal.open(Journal.Settings(directory: folder.path), clock: clock)
    first.close()
    let again = try Journal.open(Journal.Settings(directory: folder.path), clock: clock)
    again.close()
    #expect(again.identity == first.identity)
    #expect(try JournalIdentity.read(folder.path) == first.identity)
    let other = try TemporaryFolder()
    let another = try Journal.open(Journal.Settings(directory: other.path), clock: clock)
    another.close()
    #expect(another.identity != first.identity)
  }

  @Test func identityThatACrashToreIsMadeAnewAndAForeignOneStopsTheStart() throws {
    for torn in ["", "0b1c", String(repeating: "\0", count: 37)] {
      let files = ScriptedFileSystem()
      files.replace(JournalIdentity.file, with: Array(torn.utf8))
      let journal = try Journal(Journal.Settings(directory: ""), clock: clock, files: files)
      journal.close()
      #expect(try JournalIdentity.read(in: files) == journal.identity)
    }
    let files = ScriptedFileSystem()
    files.replace(JournalIdentity.file, with: Array("somebody wrote something quite different\n".utf8))
    let failure = #expect(throws: JournalOpenFailure.self) {
      try Journal(Journal.Settings(directory: ""), clock: clock, files: files)
    }
    #expect(failure == .unreadableIdentity)
    #expect(files.openFiles == 0)
  }

  private func age(_ segment: SegmentName, in folder: TemporaryFolder) {
    let old = timespec(tv_sec: time(nil) - 7200, tv_nsec: 0)
    _ = [old, old].withUnsafeBufferPointer {
      utimensat(AT_FDCWD, "\(folder.path)/\(segment.file)", $0.baseAddress, 0)
    }
  }

  @Test func closedJournalRefusesRecords() async throws {
    let folder = try TemporaryFolder()
    let journal = try Journal.open(Journal.Settings(directory: folder.path), clock: clock)
    journal.close()
    journal.close()
    await #expect(throws: JournalFailure.closed) {
      _ = try await journal.intend(record("intent", "1")).sequence
    }
    journal.conclude(record("outcome", "1"))
    #expect(journal.statistics.unwrittenOutcomes == 1)
  }

  @Test func failureRefusesIntentsKeepsOutcomesAndPasses() async throws {
    let files = ScriptedFileSystem()
    let journal = try Journal(Journal.Settings(directory: ""), clock: clock, files: files)
    _ = try await journal.intend(record("intent", "1"))
    files.fail(100)
    journal.conclude(record("outcome", "1"))
    for _ in 0..<3 {
      await #expect(throws: JournalFailure.self) {
        _ = try await journal.intend(record("intent", "2")).sequence
      }
    }
    #expect(journal.statistics.failure != nil)
    #expect(journal.statistics.unwrittenOutcomes == 1)
    files.fail(0)
    let intent = try await journal.intend(record("intent", "3"))
    #expect(journal.statistics.failure == nil)
    #expect(journal.statistics.unwrittenOutcomes == 0)
    let sequence = intent.sequence
    #expect(sequence == 3, "the outcome went before it, and what was refused left nothing")
    journal.close()
    #expect(try JournalVerification(of: files).problem == nil)
    #expect(files.openFiles == 0)
  }

  @Test func settingsMayLetRequestsGoOnWithoutARecord() async throws {
    let files = ScriptedFileSystem()
    var settings = Journal.Settings(directory: "")
    settings.continuesOnFailure = true
    let journal = try Journal(settings, clock: clock, files: files)
    files.fail(100)
    let intent = try await journal.intend(record("intent", "1"))
    let sequence = intent.sequence
    #expect(sequence == nil)
    files.fail(0)
    journal.close()
  }

  private func lines(in folder: TemporaryFolder) throws -> [String] {
    var lines: [String] = []
    try JournalReader(PosixFileSystem(folder.path, creating: false)).forEachLine { line in
      lines.append(String(decoding: line, as: UTF8.self))
      return true
    }
    return lines
  }
}
