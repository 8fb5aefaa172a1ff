import AuditTrail
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import AuditStore

/// Faults of the disk one at a time: those that once cost records, and a full disk at every byte.
@Suite struct DiskFaultTests {

  private let first = SegmentName(firstSequence: 1).file
  /// Long after every file's modification time.
  private let later = WallClockTime(nanoseconds: 1_000_000_000_000)

  private func open(
    _ files: ScriptedFileSystem, _ durability: Journal.Settings.Durability = .sync,
    shared: JournalShared? = nil
  ) throws -> JournalWriter {
    var settings = Journal.Settings(directory: "")
    settings.durability = durability
    settings.retainNanoseconds = 1_000_000_000
    return try Journal.recover(
      settings, shared: shared ?? JournalShared(), clock: StoppedClock(), files: files
    ).0
  }

  /// The ids of the records that requests made, of a journal that verifies.
  private func ids(_ files: ScriptedFileSystem) throws -> [String] {
    let problem = try JournalVerification(of: files).problem
    try #require(problem == nil, "\(problem?.message ?? "")")
    var ids: [String] = []
    try JournalReader(files).forEachLine { line in
      let text = String(decoding: line, as: UTF8.self)
      if let id = text.split(separator: "\"requestId\":\"").dropFirst().first?.split(separator: "\"").first {
        ids.append(String(id))
      }
      return true
    }
    return ids
  }

  private func write(_ id: String, _ writer: JournalWriter) throws {
    try writer.write([record("intent", id)], durably: true)
  }

  // MARK: Faults that cost records once

  @Test func retentionLeavesTheEmptySegmentThatAFullDiskLeft() throws {
    let files = ScriptedFileSystem()
    let writer = try open(files)
    try write("1", writer)
    try writer.segments.finishSegment()
    files.leaveRoom(10)
    #expect(throws: FileFault.self) { try write("refused", writer) }
    files.leaveRoom(nil)
    #expect(files.bytes(of: SegmentName(firstSequence: 2).file) == [])
    try writer.removeExpired(now: later)
    #expect(files.bytes(of: first) == nil)
    // These once went to a file that had no name any more.
    try write("2", writer)
    #expect(try ids(files.afterKill(seed: 0)) == ["2"])
    #expect(try ids(files.afterPowerLoss(seed: 0)) == ["2"])
  }

  @Test func retentionBesideASegmentWithoutRecordsNamesTheTrueEnd() throws {
    let files = ScriptedFileSystem()
    let former = try open(files)
    try write("1", former)
    try former.segments.finishSegment()
    let killed = files.afterKill(seed: 0)
    killed.replace(SegmentName(firstSequence: 2).file, with: [])
    let writer = try open(killed)
    try writer.removeExpired(now: later)
    #expect(writer.segments.base.sequence == 1)
    #expect(killed.bytes(of: first) == nil)
    try write("2", writer)
    let after = killed.afterKill(seed: 0)
    #expect(try open(after).segments.head.sequence == 3)
    #expect(try ids(after) == ["2"])
  }

  @Test func lastSegmentIsWrittenAnewWhenItsSynchronisationFailedBeforeAKill() throws {
    for seed in 0..<40 {
      let files = ScriptedFileSystem()
      let former = try open(files)
      try write("1", former)
      // The bytes are lost, and there is no time to cut them back.
      files.failNext(.synchronize, of: first, isDone: false)
      files.stop(after: 2)
      #expect(throws: FileFault.self) {
        try former.write([record("intent", "in doubt", padding: 2000)], durably: true)
      }
      let killed = files.afterKill(seed: UInt64(seed))
      let writer = try open(killed)
      try write("2", writer)
      // The system took the lost bytes for written; a hole before record 3 would cut it off.
      let left = try ids(killed.afterPowerLoss(seed: UInt64(seed)))
      #expect(left.first == "1" && left.last == "2", "seed \(seed): \(left)")
    }
  }

  @Test func checkpointIsWrittenAnewWhenItsSynchronisationFailedBeforeAKill() throws {
    for seed in 0..<40 {
      let files = ScriptedFileSystem()
      let former = try open(files)
      former.writeCheckpoint()
      try write("1", former)
      files.failNext(.synchronize, of: Checkpoint.file, isDone: false)
      former.writeCheckpoint()
      let killed = files.afterKill(seed: UInt64(seed))
      let writer = try open(killed)
      try write("2", writer)
      writer.writeCheckpoint()
      let after = killed.afterPowerLoss(seed: UInt64(seed))
      #expect(try ids(after) == ["1", "2"], "seed \(seed)")
      #expect(try open(after).segments.head.sequence == 2)
    }
  }

  @Test func checkpointsOfTwoAttemptsDoNotMix() throws {
    for seed in 0..<10 {
      for operations in 0..<20 {
        let files = ScriptedFileSystem()
        let writer = try open(files)
        writer.writeCheckpoint()
        try write("1", writer)
        // It fails, and is on disk all the same.
        files.failNext(.synchronize, of: Checkpoint.file, isDone: true)
        writer.writeCheckpoint()
        try write("2", writer)
        // The machine stops while the next one is written in its place.
        files.stop(after: operations)
        writer.writeCheckpoint()
        let after = files.afterPowerLoss(seed: UInt64(seed))
        #expect(try ids(after) == ["1", "2"], "seed \(seed), stopped after \(operations) operations")
        try open(after).writeCheckpoint()
        #expect(try ids(after) == ["1", "2"], "seed \(seed), stopped after \(operations) operations")
      }
    }
  }

  // MARK: Full disks

  @Test(arguments: [Journal.Settings.Durability.sync, .interval])
  func diskThatIsFullAtAnyByteOfARecordRefusesItAndGoesOn(durability: Journal.Settings.Durability) throws {
    var refused = 0
    for room in 1..<1000 {
      let files = ScriptedFileSystem()
      let writer = try open(files, durability)
      try writer.write([record("intent", "1")], durably: durability == .sync)
      files.leaveRoom(room)
      let isRefused = (try? writer.write([record("intent", "2")], durably: durability == .sync)) == nil
      // What is refused cannot be read, not even before a restart.
      #expect(try ids(files) == (isRefused ? ["1"] : ["1", "2"]))
      files.leaveRoom(nil)
      try writer.write([record("intent", "3")], durably: durability == .sync)
      let expected = isRefused ? ["1", "3"] : ["1", "2", "3"]
      #expect(try ids(files.afterKill(seed: 0)) == expected)
      writer.finish()
      #expect(try ids(files.afterPowerLoss(seed: 0)) == expected)
      guard isRefused else { break }
      refused += 1
    }
    let length = try #require(files(holding: "2").bytes(of: first)).count
    #expect(refused == length - 1, "every byte but the last was tried")
  }

  private func files(holding id: String) throws -> ScriptedFileSystem {
    let files = ScriptedFileSystem()
    try write(id, open(files))
    return files
  }

  @Test func diskWithoutRoomForANewSegmentRefusesAndGoesOn() throws {
    let files = ScriptedFileSystem()
    let writer = try open(files)
    try write("1", writer)
    try writer.segments.finishSegment()
    files.leaveRoom(0)
    #expect(throws: FileFault(.open, SegmentName(firstSequence: 2).file, code: 28)) {
      try write("refused", writer)
    }
    #expect(try ids(files) == ["1"])
    files.leaveRoom(nil)
    try write("2", writer)
    #expect(try ids(files.afterPowerLoss(seed: 0)) == ["1", "2"])
  }

  @Test func fullDiskCostsACheckpointAndIsSaid() throws {
    let files = ScriptedFileSystem()
    let shared = JournalShared()
    let writer = try open(files, shared: shared)
    try write("1", writer)
    files.leaveRoom(10)
    writer.writeCheckpoint()
    var statistics = shared.statistics.withLock { $0 }
    #expect(statistics.checkpointFailures == 1)
    #expect(statistics.checkpointFailure == FileFault(.write, Checkpoint.file, code: 28))
    #expect(statistics.failure == nil, "records are written all the same")
    #expect(statistics.lastCheckpoint == nil)
    files.leaveRoom(nil)
    writer.writeCheckpoint()
    statistics = shared.statistics.withLock { $0 }
    #expect(statistics.checkpointFailures == 1)
    #expect(statistics.checkpointFailure == nil)
    #expect(statistics.lastCheckpoint == StoppedClock().wallClock())
    #expect(try ids(files.afterPowerLoss(seed: 0)) == ["1"])
    let next = JournalShared()
    _ = try open(files.afterKill(seed: 0), shared: next)
    #expect(next.statistics.withLock { $0.lastCheckpoint } == StoppedClock().wallClock())
  }

  // MARK: Removals

  @Test func removalThatFailsIsMadeUpFor() throws {
    for isDone in [false, true] {
      let files = ScriptedFileSystem()
      let writer = try open(files)
      for id in ["1", "2"] {
        try write(id, writer)
        try writer.segments.finishSegment()
      }
      files.now = 1000
      for id in ["3", "4"] {
        try write(id, writer)
        try writer.segments.finishSegment()
      }
      try write("5", writer)
      files.failNext(.remove, of: first, isDone: isDone)
      #expect(throws: FileFault.self) { try writer.removeExpired(now: later) }
      #expect(try ids(files) == ["3", "4", "5"], "what is below the base counts as gone")
      #expect((try? writer.removeExpired(now: later)) != nil)
      #expect(files.bytes(of: first) == nil)
      #expect(files.bytes(of: SegmentName(firstSequence: 2).file) == nil)
      #expect(try ids(files.afterPowerLoss(seed: 0)) == ["3", "4", "5"])
    }
  }
}
