import AuditTrail
import OpenSSLCrypto
import Primitives
import TestSupport
import Testing

@testable import AuditStore

/// Checkpoints that are about removed records only go, and nobody else can take any away unnoticed.
@Suite struct CheckpointTrimmingTests {

  private let later = WallClockTime(nanoseconds: 1_000_000_000_000)

  private func open(_ files: ScriptedFileSystem) throws -> JournalWriter {
    var settings = Journal.Settings(directory: "")
    settings.retainNanoseconds = 1_000_000_000
    return try Journal.recover(settings, shared: JournalShared(), clock: StoppedClock(), files: files).0
  }

  private func lines(_ files: ScriptedFileSystem) throws -> [[UInt8]] {
    try #require(files.bytes(of: Checkpoint.file)).split(separator: 0x0A).map { Array($0) }
  }

  private func put(_ lines: [[UInt8]], in files: ScriptedFileSystem) {
    files.replace(Checkpoint.file, with: Array(lines.joined(separator: [0x0A])) + [0x0A])
  }

  private func sequences(_ lines: [[UInt8]]) -> [Int] {
    lines.compactMap { Checkpoint.read($0)?.0.head.sequence }
  }

  private func kind(_ files: ScriptedFileSystem, kept: [Checkpoint] = []) throws -> ChainProblem.Kind? {
    try JournalVerification(of: files, kept: kept).problem?.kind
  }

  /// With twelve segments of one record and a checkpoint each, of which retention removed the first ten.
  private func trimmed() throws -> (files: ScriptedFileSystem, former: [[UInt8]]) {
    let files = ScriptedFileSystem()
    let writer = try open(files)
    for number in 1...12 {
      if number == 11 { files.now = 1000 }
      try writer.write([record("intent", "\(number)")], durably: true)
      try writer.segments.finishSegment()
      writer.writeCheckpoint()
    }
    let former = try lines(files)
    // A part each time.
    for _ in 0..<3 { try writer.removeExpired(now: later) }
    writer.writeCheckpoint()
    return (files, former)
  }

  @Test func lastCheckpointBeforeTheKeptRecordsBeginsTheFile() throws {
    let (files, former) = try trimmed()
    #expect(sequences(former) == Array(1...12))
    #expect(try sequences(lines(files)) == [10, 11, 12, 13, 14, 15])
    #expect(try Array(lines(files)[..<3]) == Array(former[9...]))
    #expect(try kind(files) == nil)
    #expect(files.bytes(of: "checkpoints.partial") == nil)
    let kept = former.compactMap { Checkpoint.read($0)?.0 }
    #expect(try kind(files, kept: kept) == nil, "what an outsider has kept still agrees")
    for after in [files.afterKill(seed: 1), files.afterPowerLoss(seed: 1)] {
      let writer = try open(after)
      try writer.write([record("intent", "next")], durably: true)
      writer.writeCheckpoint()
      #expect(try sequences(lines(after)) == [10, 11, 12, 13, 14, 15, 16])
      #expect(try kind(after) == nil)
    }
  }

  @Test func checkpointThatAnybodyElseTakesAwayIsMissed() throws {
    let (files, former) = try trimmed()
    let good = try lines(files)
    for count in 1..<good.count {
      put(Array(good[count...]), in: files)
      #expect(try kind(files) == .checkpoint(.unlinked), "\(count) less")
    }
    // More of those that are about removed records may still be there.
    put(Array([former[4...], good[3...]].joined()), in: files)
    #expect(try kind(files) == nil)
    // Or all, when the machine stopped before they were removed.
    put(Array([former[...], good[3...]].joined()), in: files)
    #expect(try kind(files) == nil)
    put(Array([former[..<6], former[7...], good[3...]].joined()), in: files)
    #expect(try kind(files) == .checkpoint(.unlinked))
  }

  @Test func recordsThatWereRewrittenUnderATrimmedFileAreFound() throws {
    let (files, former) = try trimmed()
    let segment = SegmentName(firstSequence: 12).file
    let bytes = try #require(files.bytes(of: segment))
    files.replace(
      segment, with: Array(String(decoding: bytes, as: UTF8.self).replacing("\"12\"", with: "\"21\"").utf8))
    #expect(try kind(files) == .checkpoint(.journalIsRewritten))
    files.replace(segment, with: bytes)
    let other = ChainHead(sequence: 10, digest: SHA256.digest([1]))
    let kept = try #require(Checkpoint.read(former[9])?.0)
    let forged = Checkpoint(
      journal: kept.journal, time: kept.time, head: other, base: kept.base, segments: 1,
      previous: kept.previous)
    #expect(try kind(files, kept: [forged]) == .checkpoint(.journalIsRewritten))
  }

  /// A file of so many checkpoints about the records 1, 2, 3 …
  private func longFile(_ count: Int, in files: ScriptedFileSystem) throws -> CheckpointWriter {
    let journal = try #require(JournalIdentity("29f9b5e0-fc92-4bb8-b308-1eb0d52045bf"))
    var writer = CheckpointWriter(try CheckpointTail(in: files), of: journal, in: files)
    for number in 1...count {
      _ = try writer.write(
        head(number), base: .genesis, segments: 1, key: nil, now: StoppedClock().wallClock())
    }
    return writer
  }

  private func head(_ sequence: Int) -> ChainHead {
    ChainHead(sequence: sequence, digest: SHA256.digest([UInt8(sequence & 255)]))
  }

  @Test func longFileIsCopiedInPartsWhileItGrows() throws {
    let files = ScriptedFileSystem()
    var writer = try longFile(100, in: files)
    var trimming = CheckpointTrimming(in: files, part: 5000)
    var calls = 0
    var removed = 0
    repeat {
      let end = try #require(files.bytes(of: Checkpoint.file)).count
      removed = try trimming.advance(below: head(70), end: end)
      calls += 1
      if removed == 0 {
        _ = try writer.write(
          head(100 + calls), base: .genesis, segments: 1, key: nil, now: StoppedClock().wallClock())
      }
    } while removed == 0
    #expect(calls > 2)
    #expect(try sequences(lines(files)) == Array(70..<100 + calls))
  }

  @Test func everyBaseIsFoundAndLessThanHalfIsLeftAlone() throws {
    for base in 0...41 {
      let files = ScriptedFileSystem()
      _ = try longFile(40, in: files)
      let end = try #require(files.bytes(of: Checkpoint.file)).count
      var trimming = CheckpointTrimming(in: files)
      let removed = try trimming.advance(below: head(base), end: end)
      let left = try sequences(lines(files))
      #expect(left.last == 40)
      if removed == 0 {
        #expect(left.count == 40 && base <= 21, "base \(base)")
      } else {
        #expect(left.first == min(base, 40), "base \(base)")
      }
    }
  }

  @Test func renamingThatFailsAndHasHappenedIsNoticed() throws {
    for isDone in [false, true] {
      let files = ScriptedFileSystem()
      var writer = try longFile(40, in: files)
      files.failNext(.rename, of: "checkpoints.partial", isDone: isDone)
      #expect(throws: FileFault.self) { try writer.trim(below: head(30)) }
      _ = try writer.write(head(41), base: .genesis, segments: 1, key: nil, now: StoppedClock().wallClock())
      #expect(try sequences(lines(files)) == Array((isDone ? 30 : 1)...41))
    }
  }

  @Test func failedTrimmingLeavesTheFileAndIsTriedAgain() throws {
    for (operation, name) in [
      (FileFault.Operation.write, "checkpoints.partial"), (.synchronize, "checkpoints.partial"),
      (.rename, "checkpoints.partial"),
    ] {
      let files = ScriptedFileSystem()
      _ = try longFile(40, in: files)
      let end = try #require(files.bytes(of: Checkpoint.file)).count
      var trimming = CheckpointTrimming(in: files)
      files.failNext(operation, of: name, isDone: false)
      #expect(throws: FileFault.self) { try trimming.advance(below: head(30), end: end) }
      #expect(try lines(files).count == 40)
      #expect(files.bytes(of: "checkpoints.partial") == nil)
      #expect(try trimming.advance(below: head(30), end: end) > 0)
      #expect(try sequences(lines(files)) == Array(30...40))
    }
  }
}
