import AuditTrail
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import AuditStore

/// The segment that is written is removed, renamed, replaced or cut by somebody else.
@Suite struct SegmentPlaceTests {
  private let name = SegmentName(firstSequence: 1).file

  private func open(
    _ files: ScriptedFileSystem, _ durability: Journal.Settings.Durability = .sync,
    shared: JournalShared = JournalShared()
  ) throws -> JournalWriter {
    var settings = Journal.Settings(directory: "")
    settings.durability = durability
    return try Journal.recover(settings, shared: shared, clock: StoppedClock(), files: files).0
  }

  private func write(_ id: String, _ writer: JournalWriter, _ durability: Journal.Settings.Durability = .sync)
    throws
  {
    try writer.write([record("intent", id)], durably: durability == .sync)
  }

  private func ids(_ files: ScriptedFileSystem) throws -> [String] {
    let problem = try JournalVerification(of: files).problem
    try #require(problem == nil, "\(problem?.message ?? "")")
    var ids: [String] = []
    try JournalReader(files).forEachLine { line in
      if let id = JournalRecord(line: line.withUnsafeBytes { Array($0) })?.requestId { ids.append(id.string) }
      return true
    }
    return ids
  }

  enum Deed: CaseIterable { case removes, renames, replaces }

  private func displace(_ files: ScriptedFileSystem, _ deed: Deed) {
    switch deed {
    case .removes: files.unlink(name)
    case .renames: files.move(name, to: "elsewhere")
    case .replaces: files.exchange(name, with: Array("forged\n".utf8))
    }
  }

  @Test(arguments: Deed.allCases, [Journal.Settings.Durability.sync, .interval])
  func nothingIsAcknowledgedUntilItIsWrittenAnew(
    _ deed: Deed, _ durability: Journal.Settings.Durability
  ) throws {
    let files = ScriptedFileSystem()
    let writer = try open(files, durability)
    try write("1", writer, durability)
    displace(files, deed)
    for _ in 0..<3 {
      let fault = #expect(throws: FileFault.self) { try write("refused", writer, durability) }
      #expect(fault?.operation == .displaced)
    }
    try writer.puttingBack { () throws(FileFault) in try writer.segments.settle() }
    try write("2", writer, durability)
    #expect(try ids(files.afterKill(seed: 1)) == ["1", "2"])
    try writer.segments.close()
    #expect(try ids(files.afterPowerLoss(seed: 2)) == ["1", "2"])
    #expect(files.openFiles == 0)
    if deed == .replaces { #expect(files.bytes(of: name + ".replaced-1") == Array("forged\n".utf8)) }
  }

  @Test func fileThatIsPutBackIsWrittenAgain() throws {
    let files = ScriptedFileSystem()
    let writer = try open(files)
    try write("1", writer)
    files.move(name, to: "elsewhere")
    #expect(throws: FileFault.self) { try write("refused", writer) }
    files.move("elsewhere", to: name)
    try write("2", writer)
    #expect(try ids(files.afterKill(seed: 1)) == ["1", "2"])
  }

  @Test func renamedDirectoryIsNotWrittenTo() throws {
    let files = ScriptedFileSystem()
    let writer = try open(files)
    try write("1", writer)
    files.moveDirectory(away: true)
    let fault = #expect(throws: FileFault.self) { try write("refused", writer) }
    #expect(fault?.description.contains("audit.directory") == true)
    #expect(throws: FileFault.self) {
      try writer.puttingBack { () throws(FileFault) in try writer.segments.settle() }
    }
    files.moveDirectory(away: false)
    try write("2", writer)
    #expect(try ids(files.afterKill(seed: 1)) == ["1", "2"])
  }

  @Test(arguments: [0, 50, -1])
  func whatWasCutByAnotherStaysRefused(_ size: Int) throws {
    let files = ScriptedFileSystem()
    let writer = try open(files)
    try write("1", writer)
    files.cut(name, to: size < 0 ? writer.segments.size + size : size)
    for _ in 0..<2 {
      let fault = #expect(throws: FileFault.self) { try write("refused", writer) }
      #expect(fault?.operation == .displaced)
      #expect(throws: FileFault.self) {
        try writer.puttingBack { () throws(FileFault) in try writer.segments.settle() }
      }
    }
  }

  @Test func endThatGrewIsCutBack() throws {
    let files = ScriptedFileSystem()
    let writer = try open(files)
    try write("1", writer)
    files.cut(name, to: 5000)
    #expect(throws: FileFault.self) { try write("refused", writer) }
    try write("2", writer)
    #expect(try ids(files.afterKill(seed: 1)) == ["1", "2"])
  }

  @Test func drainLeavesAJournalThatTheNextStartTakes() throws {
    let files = ScriptedFileSystem()
    let writer = try open(files)
    try write("1", writer)
    files.unlink(name)
    #expect(throws: FileFault.self) { try write("refused", writer) }
    files.unlink(HeadMark.file)
    files.unlink(Checkpoint.file)
    writer.finish()
    let next = try open(files.afterKill(seed: 1))
    try write("2", next)
    #expect(try ids(files.afterKill(seed: 1)) == ["1"])
  }

  @Test func itIsNoticedAndMendedWithoutARequest() throws {
    let files = ScriptedFileSystem()
    let shared = JournalShared()
    let writer = try open(files, shared: shared)
    try write("1", writer)
    files.move(name, to: "elsewhere")
    writer.look()
    guard case .file(let fault)? = shared.statistics.withLock({ $0.failure }) else {
      Issue.record("it was not noticed")
      return
    }
    #expect(fault.operation == .displaced)
    #expect(fault.description.contains("SIGUSR1"))
    files.move("elsewhere", to: name)
    writer.look()
    #expect(shared.statistics.withLock { $0.failure } == nil)
  }

  @Test func markThatWasRemovedIsWrittenAnew() throws {
    let files = ScriptedFileSystem()
    let writer = try open(files)
    try write("1", writer)
    files.unlink(HeadMark.file)
    writer.look()
    writer.segments.updateMark()
    #expect(try JournalListing(files).headMark?.head == writer.segments.head)
  }

  @Test func checkpointsThatWereRemovedBeginAnew() throws {
    let files = ScriptedFileSystem()
    let writer = try open(files)
    try write("1", writer)
    writer.writeCheckpoint()
    files.unlink(Checkpoint.file)
    try write("2", writer)
    writer.writeCheckpoint()
    #expect(files.bytes(of: Checkpoint.file)?.contains(0) == false)
    #expect(try ids(files.afterKill(seed: 1)) == ["1", "2"])
  }

  @Test func whenNobodyCanTellWhereTheSegmentIsItsRecordsStayThere() throws {
    let files = ScriptedFileSystem()
    let writer = try open(files, .interval)
    try write("1", writer, .interval)
    files.failNext(.find, of: name, isDone: false)
    writer.look()
    #expect(try ids(files.afterKill(seed: 1)) == ["1"], "it was acknowledged")
    writer.look()
    writer.finish()
    #expect(try ids(files) == ["1"])
  }
}
