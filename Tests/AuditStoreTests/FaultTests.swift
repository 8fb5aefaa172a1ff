import AuditTrail
import Testing

@testable import AuditStore

/// Runs the segment writer over random schedules of batches, faults and crashes, and compares what is left with what
/// was promised.
@Suite struct FaultTests {
  enum Crash { case kill, powerLoss }

  /// One journal over many crashes.
  private struct Run {
    var files: ScriptedFileSystem
    var entropy: SeededEntropy
    let isSynchronous: Bool
    let crashes: [Crash]
    var writer: SegmentWriter?
    /// The bodies of records that were acknowledged, in order.
    var acknowledged: [[UInt8]] = []
    /// How many of them must survive a power loss.
    var durable = 0
    var nextNumber = 0
    var log: [String] = []

    init(seed: UInt64, isSynchronous: Bool, crashes: [Crash]) throws {
      files = ScriptedFileSystem(seed: seed)
      entropy = SeededEntropy(seed: seed &* 31)
      self.isSynchronous = isSynchronous
      self.crashes = crashes
      try reopen()
    }

    mutating func step() throws {
      switch Int.random(in: 0..<100, using: &entropy) {
      case 0..<70: writeBatch()
      case 70..<76: finishSegment()
      case 76..<84: writer?.updateMark()
      case 84..<92: files.fail(entropy.happens(50) ? 0 : Int.random(in: 1...60, using: &entropy))
      case 92..<96: if !isSynchronous { synchronize() }
      default: try crash()
      }
    }

    private mutating func writeBatch() {
      let bodies = (0..<Int.random(in: 1...5, using: &entropy)).map { _ in
        nextNumber += 1
        return record("intent", "\(nextNumber)", padding: Int.random(in: 0...700, using: &entropy))
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
        acknowledged += bodies
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
      try #require(
        found.count >= promised, "of \(promised) promised records \(found.count) are left\n\(story)")
      #expect(
        Array(found[..<promised]) == Array(acknowledged[..<promised]), "other records are left\n\(story)")
      acknowledged = found
      durable = found.count
    }

    private mutating func reopen() throws {
      do throws(JournalOpenFailure) {
        let recovered = try RecoveredJournal(recovering: files)
        let files = files
        writer = try JournalOpenFailure.wrapping { () throws(FileFault) in
          try SegmentWriter(recovered, in: files, segmentSize: 4000)
        }
      } catch {
        Issue.record("the journal does not open: \(error.message)\n\(story)")
        throw error
      }
      let verification = try JournalVerification(of: files)
      try #require(verification.problem == nil, "\(verification.problem?.message ?? "")\n\(story)")
    }

    private func bodies() throws -> [[UInt8]] {
      var bodies: [[UInt8]] = []
      try JournalReader(files).forEachLine { line in
        bodies.append(Array(line.split(separator: UInt8(ascii: ","), maxSplits: 3)[3]))
        return true
      }
      return bodies
    }

    var story: String { log.suffix(200).joined(separator: "\n") }
  }

  @Test(arguments: 0..<300)
  func synchronousJournalKeepsWhatItAcknowledged(seed: UInt64) throws {
    var run = try Run(seed: seed, isSynchronous: true, crashes: [.kill, .powerLoss])
    for _ in 0..<60 { try run.step() }
    try run.crash()
  }

  @Test(arguments: 0..<150)
  func intervalJournalKeepsWhatItWroteOverAKill(seed: UInt64) throws {
    var run = try Run(seed: 10_000 + seed, isSynchronous: false, crashes: [.kill])
    for _ in 0..<60 { try run.step() }
    try run.crash()
  }

  @Test(arguments: 0..<150)
  func intervalJournalKeepsWhatItSynchronizedOverAPowerLoss(seed: UInt64) throws {
    var run = try Run(seed: 20_000 + seed, isSynchronous: false, crashes: [.powerLoss])
    for _ in 0..<60 { try run.step() }
    try run.crash()
  }
}
