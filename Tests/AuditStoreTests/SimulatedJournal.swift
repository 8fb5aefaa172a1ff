import AuditTrail
import Glibc
import Primitives
import TestSupport

@testable import AuditStore

/// A journal that goes through a random schedule of batches, rotations, removals, checkpoints, faults, full disks and
/// crashes. After each crash, what is left is compared with what was promised:
///
/// - What was acknowledged is there. `sync`: always. `interval`: over a kill, unless a synchronisation had failed; over
///   a loss of power, what was synchronised.
/// - What is there was written, in that order, and once.
/// - Nothing is gone that retention had to keep.
/// - The journal opens, and it verifies, also against checkpoints that an outsider kept. Before it is opened, it shows
///   at most what a crash can leave.
/// - No descriptor is synchronised again after that failed.
struct SimulatedJournal {
  /// A promise that was broken.
  struct Violation: Error {
    let message: String

    init(_ message: String) { self.message = message }
  }

  /// What became of a record that the journal was given.
  private struct Written {
    let body: [UInt8]
    /// When, in seconds.
    let time: Int64
  }

  /// Tells the time of the files.
  private struct FileClock: TimeSource {
    let files: ScriptedFileSystem

    func monotonic() -> MonotonicInstant { MonotonicInstant(nanoseconds: files.now * 1_000_000_000) }
    func wallClock() -> WallClockTime { WallClockTime(nanoseconds: files.now * 1_000_000_000) }
  }

  private static let keptSeconds: Int64 = 25

  private(set) var files: ScriptedFileSystem
  private var entropy: SeededGenerator
  private let settings: Journal.Settings
  private var writer: JournalWriter?
  /// Every record that was tried to write, in order.
  private var attempted: [Written] = []
  /// Of those that were acknowledged, the ones that may still be there, in order.
  private var acknowledged: [Written] = []
  /// How many of them must survive a power loss.
  private var durable = 0
  /// What an outsider has copied.
  private var keptCheckpoints: [Checkpoint] = []

  private var isSynchronous: Bool { settings.durability == .sync }

  init(seed: UInt64, durability: Journal.Settings.Durability, isTraced: Bool = false) throws {
    files = ScriptedFileSystem(seed: seed)
    if isTraced { files.startTracing() }
    entropy = SeededGenerator(seed: seed &* 31)
    var settings = Journal.Settings(directory: "")
    settings.durability = durability
    settings.segmentSize = 1200
    settings.retainNanoseconds = Self.keptSeconds * 1_000_000_000
    self.settings = settings
    try open()
  }

  mutating func run(steps: Int) throws {
    for _ in 0..<steps { try step() }
    try crash()
  }

  private mutating func step() throws {
    files.now += Int64.random(in: 0...4, using: &entropy)
    if entropy.happens(10) { files.writeBack() }
    // A crash in the middle of what comes, or after it.
    let crashes = entropy.happens(7)
    if crashes { files.stop(after: Int.random(in: 0...16, using: &entropy)) }
    switch Int.random(in: 0..<100, using: &entropy) {
    case 0..<56: writeBatch()
    case 56..<62: finishSegment()
    case 62..<67: writer?.segments.updateMark()
    case 67..<77: removeExpired()
    case 77..<82: writeCheckpoint()
    case 82..<90: files.fail(entropy.happens(50) ? 0 : Int.random(in: 1...60, using: &entropy))
    case 90..<94: files.leaveRoom(entropy.happens(50) ? nil : Int.random(in: 0...2000, using: &entropy))
    case 94..<98: if !isSynchronous { synchronize() }
    default: finish()
    }
    if crashes || writer == nil { try crash() }
  }

  private mutating func writeBatch() {
    let bodies = (0..<Int.random(in: 1...3, using: &entropy)).map { number in
      record(
        "intent", "\(attempted.count + number)",
        padding: entropy.happens(10) ? 700 : Int.random(in: 0...60, using: &entropy))
    }
    let batch = bodies.map { Written(body: $0, time: files.now) }
    attempted += batch
    files.note("write \(bodies.count) records")
    do throws(FileFault) {
      try writer?.write(bodies, durably: isSynchronous)
      acknowledged += batch
      if isSynchronous { durable = acknowledged.count }
      files.note("acknowledged up to record \(writer?.segments.head.sequence ?? 0)")
    } catch {
      files.note("refused: \(error)")
    }
  }

  private mutating func finishSegment() {
    files.note("finish the segment")
    guard (try? writer?.segments.finishSegment()) != nil else { return }
    durable = acknowledged.count
  }

  private mutating func removeExpired() {
    files.note("remove expired segments")
    guard (try? writer?.removeExpired(now: FileClock(files: files).wallClock())) != nil else { return }
    durable = acknowledged.count
  }

  private mutating func synchronize() {
    files.note("synchronize")
    guard (try? writer?.segments.synchronize()) != nil else { return }
    durable = acknowledged.count
  }

  private mutating func writeCheckpoint() {
    files.note("write a checkpoint")
    writer?.writeCheckpoint()
    // Whatever can be read may be copied, whether it is on disk or not.
    guard entropy.happens(30), let bytes = files.bytes(of: Checkpoint.file) else { return }
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    if let line = lines.last, let (checkpoint, _) = Checkpoint.read(Array(line)) {
      keptCheckpoints.append(checkpoint)
    }
  }

  /// The end of a drain.
  private mutating func finish() {
    files.note("close the journal")
    writer?.finish()
    writer = nil
  }

  private mutating func crash() throws {
    guard files.repeatedSynchronizations == 0 else { throw Violation("a failed descriptor was asked again") }
    let isKill = entropy.happens(50)
    // After a failed synchronisation records are only in memory until they are written again; when the journal was
    // closed meanwhile, that can have been given up.
    let isKept =
      writer.map { !$0.segments.isUnsynchronized || $0.segments.currentSegment != nil } ?? false
    let promised = isKill && isKept ? acknowledged.count : durable
    let seed = entropy.next()
    files.note(isKill ? "KILL" : "POWER LOSS")
    files = isKill ? files.afterKill(seed: seed) : files.afterPowerLoss(seed: seed)
    if entropy.happens(40) { try checkBeforeOpening() }
    try open()
    try compare(promised: promised)
  }

  private func checkBeforeOpening() throws {
    guard let problem = try JournalVerification(of: files, kept: keptCheckpoints).problem else { return }
    let last = try JournalListing(files).segments.last?.file ?? ""
    guard !problem.isLeftByCrash(lastSegment: last) else { return }
    throw Violation("after the crash: \(problem.segment): \(problem.message)")
  }

  /// Opens the journal, sometimes after trying on a disk that fails.
  private mutating func open() throws {
    if entropy.happens(25) {
      files.fail(Int.random(in: 1...20, using: &entropy))
      do throws(JournalOpenFailure) {
        try openOnce()
        return
      } catch {
        guard case .file = error else { throw Violation("the journal does not open: \(error.message)") }
      }
      files.fail(0)
    }
    do throws(JournalOpenFailure) {
      try openOnce()
    } catch {
      throw Violation("the journal does not open: \(error.message)")
    }
  }

  private mutating func openOnce() throws(JournalOpenFailure) {
    files.note("open the journal")
    (writer, _, _) = try Journal.recover(
      settings, shared: JournalShared(), clock: FileClock(files: files), files: files)
    files.note("open, up to record \(writer?.segments.head.sequence ?? 0)")
  }

  private mutating func compare(promised: Int) throws {
    files.fail(0)
    let verification = try JournalVerification(of: files, kept: keptCheckpoints)
    if let problem = verification.problem { throw Violation("\(problem.segment): \(problem.message)") }
    let found = try bodies()
    let removed =
      found.first.flatMap { first in acknowledged.firstIndex { isSame($0.body, first) } } ?? promised
    let limit = files.now - Self.keptSeconds
    guard acknowledged[..<removed].allSatisfy({ $0.time < limit }) else {
      throw Violation("records are gone that are to be kept")
    }
    let kept = acknowledged[min(removed, promised)..<promised]
    guard found.count >= kept.count else {
      throw Violation("of \(promised) promised records, \(removed) removed, \(found.count) are left")
    }
    guard zip(found, kept).allSatisfy({ isSame($0, $1.body) }) else {
      throw Violation("other records are left than those promised")
    }
    acknowledged = try attempts(of: found)
    durable = acknowledged.count
  }

  /// Finds what is left among what was tried, in that order.
  private func attempts(of found: [[UInt8]]) throws -> [Written] {
    var rest = attempted[...]
    return try found.map { body in
      guard let index = rest.firstIndex(where: { isSame($0.body, body) }) else {
        throw Violation("a record is there that was not written, or twice, or in another order")
      }
      rest = attempted[(index + 1)...]
      return attempted[index]
    }
  }

  /// Of the records that requests made.
  private func bodies() throws -> [[UInt8]] {
    var bodies: [[UInt8]] = []
    try JournalReader(files).forEachLine { line in
      let body = line.withUnsafeBytes { Array(UnsafeRawBufferPointer(rebasing: $0[bodyStart(of: $0)...])) }
      if body.starts(with: #""record":"i"#.utf8) { bodies.append(body) }
      return true
    }
    return bodies
  }

  /// After the third comma.
  private func bodyStart(of line: UnsafeRawBufferPointer) -> Int {
    var start = 0
    for _ in 0..<3 {
      let rest = UnsafeRawBufferPointer(rebasing: line[start...])
      guard let base = rest.baseAddress, let comma = memchr(base, Int32(UInt8(ascii: ",")), rest.count)
      else { return line.count }
      start += base.distance(to: comma) + 1
    }
    return start
  }
}
