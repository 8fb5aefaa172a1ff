import AuditTrail
import Glibc
import Primitives
import Testing

@testable import AuditStore

/// Runs the segment writer over random schedules of batches, rotations, removals, faults, full disks and
/// crashes, and compares what is left with what was promised.
@Suite struct FaultTests {
  enum Crash { case kill, powerLoss }

  /// What the journal was given of a record.
  private struct Body: Equatable {
    let bytes: [UInt8]

    // Debug builds compare arrays element by element.
    static func == (left: Body, right: Body) -> Bool {
      left.bytes.count == right.bytes.count && memcmp(left.bytes, right.bytes, left.bytes.count) == 0
    }
  }

  private struct Acknowledged {
    let body: Body
    /// When, in seconds.
    let time: Int64
  }

  /// Tells the time of the files.
  private struct FileClock: TimeSource {
    let files: ScriptedFileSystem

    func monotonic() -> MonotonicInstant { MonotonicInstant(nanoseconds: files.now * 1_000_000_000) }
    func wallClock() -> WallClockTime { WallClockTime(nanoseconds: files.now * 1_000_000_000) }
  }

  private struct FixedEntropy: Entropy {
    func next() -> UInt64 { 7 }
  }

  private static let keptSeconds: Int64 = 30

  /// One journal over many crashes.
  private struct Run {
    var files: ScriptedFileSystem
    var entropy: SeededEntropy
    let isSynchronous: Bool
    let crashes: [Crash]
    var writer: SegmentWriter?
    /// What has the writer for removals.
    var journal: JournalWriter?
    /// The records that were acknowledged and may still be there, in order.
    var acknowledged: [Acknowledged] = []
    /// How many of them must survive a power loss.
    var durable = 0
    var nextNumber = 0
    var log: [String] = []
    let identity: JournalIdentity

    init(seed: UInt64, isSynchronous: Bool, crashes: [Crash]) throws {
      files = ScriptedFileSystem(seed: seed)
      entropy = SeededEntropy(seed: seed &* 31)
      self.isSynchronous = isSynchronous
      self.crashes = crashes
      identity = JournalIdentity(random: FixedEntropy())
      try reopen()
    }

    mutating func step() throws {
      files.now += Int64.random(in: 0...4, using: &entropy)
      switch Int.random(in: 0..<100, using: &entropy) {
      case 0..<58: writeBatch()
      case 58..<65: finishSegment()
      case 65..<70: writer?.updateMark()
      case 70..<80: removeExpired()
      case 80..<88: files.fail(entropy.happens(50) ? 0 : Int.random(in: 1...60, using: &entropy))
      case 88..<91: files.leaveRoom(entropy.happens(50) ? nil : Int.random(in: 0...2000, using: &entropy))
      case 91..<95: if !isSynchronous { synchronize() }
      default: try crash()
      }
    }

    private mutating func writeBatch() {
      let bodies = (0..<Int.random(in: 1...5, using: &entropy)).map { _ in
        nextNumber += 1
        return record(
          "intent", "\(nextNumber)",
          padding: entropy.happens(10) ? 700 : Int.random(in: 0...60, using: &entropy))
      }
      do throws(FileFault) {
        try writer?.append(bodies)
        if isSynchronous {
          do throws(FileFault) {
            try writer?.synchronize()
          } catch {
            writer?.forgetUnsynchronized()
            throw error
          }
        }
        acknowledged += bodies.map { Acknowledged(body: Body(bytes: $0), time: files.now) }
        if isSynchronous { durable = acknowledged.count }
        log.append("wrote \(bodies.count)")
      } catch {
        log.append("write failed: \(error)")
      }
    }

    private mutating func finishSegment() {
      do throws(FileFault) {
        try writer?.finishSegment()
        durable = acknowledged.count
        log.append("finished segment")
      } catch {
        log.append("finishing failed: \(error)")
      }
    }

    private mutating func removeExpired() {
      do throws(FileFault) {
        try journal?.removeExpired(now: FileClock(files: files).wallClock())
        durable = acknowledged.count
        log.append("looked for expired segments")
      } catch {
        log.append("removing failed: \(error)")
      }
    }

    private mutating func synchronize() {
      do throws(FileFault) {
        try writer?.synchronize()
        durable = acknowledged.count
        log.append("synchronized")
      } catch {
        log.append("synchronizing failed: \(error)")
      }
    }

    mutating func crash() throws {
      let crash = try #require(crashes.randomElement(using: &entropy))
      let seed = entropy.next()
      #expect(files.repeatedSynchronizations == 0, "a failed descriptor was asked again\n\(story)")
      log.append("\(crash)")
      // After a failed synchronisation records are only in memory until they are written again.
      let isRepeating = writer.map { $0.isUnsynchronized && $0.currentSegment == nil } ?? false
      switch crash {
      case .kill: files = files.afterKill(seed: seed)
      case .powerLoss: files = files.afterPowerLoss(seed: seed)
      }
      try reopen()
      let promised = crash == .kill && !isRepeating ? acknowledged.count : durable
      let found = try bodies()
      let removed = found.first.flatMap { first in acknowledged.firstIndex { $0.body == first } } ?? promised
      let limit = files.now - FaultTests.keptSeconds
      try #require(
        acknowledged[..<removed].allSatisfy { $0.time < limit },
        "records are gone that are to be kept\n\(story)")
      let kept = acknowledged[removed...]
      try #require(
        found.count >= promised - removed,
        "of \(promised) promised records, \(removed) removed, \(found.count) are left\n\(story)")
      let isSame = zip(found, kept.prefix(max(0, promised - removed))).allSatisfy { $0 == $1.body }
      try #require(isSame, "other records are left\n\(story)")
      let times = kept.map(\.time) + repeatElement(files.now, count: max(0, found.count - kept.count))
      acknowledged = zip(found, times).map { Acknowledged(body: $0, time: $1) }
      durable = found.count
    }

    private mutating func reopen() throws {
      do throws(JournalOpenFailure) {
        let recovered = try RecoveredJournal(recovering: files)
        let files = files
        let tail = try JournalOpenFailure.wrapping { () throws(FileFault) in try CheckpointTail(in: files) }
        if let problem = recovered.contradiction(of: tail) { throw JournalOpenFailure.broken(problem) }
        let segments = try JournalOpenFailure.wrapping { () throws(FileFault) in
          try SegmentWriter(recovered, in: files, segmentSize: 2000)
        }
        writer = segments
        journal = JournalWriter(
          desk: JournalDesk(), segments: segments,
          retention: Retention(files: files, keptNanoseconds: FaultTests.keptSeconds * 1_000_000_000),
          checkpoints: CheckpointWriter(tail, of: identity, key: nil, in: files), checkpointPeriod: 1,
          clock: FileClock(files: files), isSynchronous: isSynchronous)
      } catch {
        Issue.record("the journal does not open: \(error.message)\n\(story)")
        throw error
      }
      let verification = try JournalVerification(of: files)
      try #require(verification.problem == nil, "\(verification.problem?.message ?? "")\n\(story)")
    }

    /// Of the records that requests made.
    private func bodies() throws -> [Body] {
      var bodies: [Body] = []
      try JournalReader(files).forEachLine { line in
        let body = line.withUnsafeBytes { Array(UnsafeRawBufferPointer(rebasing: $0[bodyStart(of: $0)...])) }
        if body.starts(with: #""record":"i"#.utf8) { bodies.append(Body(bytes: body)) }
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
        else {
          return line.count
        }
        start += base.distance(to: comma) + 1
      }
      return start
    }

    var story: String { log.suffix(200).joined(separator: "\n") }
  }

  @Test(arguments: 0..<1600)
  func synchronousJournalKeepsWhatItAcknowledged(seed: UInt64) throws {
    var run = try Run(seed: seed, isSynchronous: true, crashes: [.kill, .powerLoss])
    for _ in 0..<50 { try run.step() }
    try run.crash()
  }

  @Test(arguments: 0..<800)
  func intervalJournalKeepsWhatItWroteOverAKill(seed: UInt64) throws {
    var run = try Run(seed: 10_000 + seed, isSynchronous: false, crashes: [.kill])
    for _ in 0..<50 { try run.step() }
    try run.crash()
  }

  @Test(arguments: 0..<800)
  func intervalJournalKeepsWhatItSynchronizedOverAPowerLoss(seed: UInt64) throws {
    var run = try Run(seed: 20_000 + seed, isSynchronous: false, crashes: [.powerLoss])
    for _ in 0..<50 { try run.step() }
    try run.crash()
  }
}
