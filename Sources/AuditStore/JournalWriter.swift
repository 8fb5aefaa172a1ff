internal import AuditTrail
internal import Primitives
internal import Synchronization

/// What requests and the writer share.
final class JournalDesk: Sendable {
  typealias Waiter = UnsafeContinuation<Result<Int, JournalFailure>, Never>

  let queue = Mutex(CommitQueue<Waiter>())
  let bell = Bell()
  /// Rung when the writer has ended.
  let hasEnded = Bell()
  let statistics = Mutex(JournalStatistics())
  let isRotationDue = Atomic(false)
  /// The last record that retention may remove: where there is a copy, the last that the copy has.
  let removable = Atomic(Int.max)

  func add(outcome record: [UInt8], isFromWriter: Bool = false) {
    switch queue.withLock({ $0.add(outcome: record, isFromWriter: isFromWriter) }) {
    case .queued: break
    case .queuedForSignal: bell.ring()
    case .refused, .stalled: statistics.withLock { $0.lostOutcomes += 1 }
    }
  }
}

/// What the journal's thread does: one batch after another.
final class JournalWriter {
  private let desk: JournalDesk
  let segments: SegmentWriter
  private let retention: Retention
  private var checkpoints: CheckpointWriter
  private let checkpointPeriod: Int64
  private var nextCheckpoint: MonotonicInstant
  private let clock: any TimeSource
  private let isSynchronous: Bool
  private var batch: [CommitQueue<JournalDesk.Waiter>.Entry] = []
  private var batchesSinceMark = 0
  /// The segment for which old ones were looked through.
  private var retainedSegment: SegmentName?
  private var nextRetention: MonotonicInstant?
  /// What an `expired` record on disk names and is not yet removed.
  private var announced: ExpiredSegments?
  /// Since when something is written that may not be on disk.
  private var unsynchronizedSince: MonotonicInstant?

  /// With `interval` durability, how often the disk is asked.
  private static let synchronizationInterval: Int64 = 100_000_000
  /// How often the mark is renewed under load that leaves no rest: a few times a second.
  private static let batchesPerMark = 256

  init(
    desk: JournalDesk, segments: SegmentWriter, retention: Retention, checkpoints: CheckpointWriter,
    checkpointPeriod: Int64, clock: any TimeSource, isSynchronous: Bool
  ) {
    self.checkpoints = checkpoints
    self.checkpointPeriod = checkpointPeriod
    nextCheckpoint = clock.monotonic()
    self.desk = desk
    self.segments = segments
    self.retention = retention
    self.clock = clock
    self.isSynchronous = isSynchronous
  }

  /// Returns when the queue is closed and everything in it is written.
  func run() {
    var hasRested = false
    removeExpired()
    writeCheckpoint()
    while true {
      let step = desk.queue.withLock { queue in
        let step = queue.nextStep(hasRested: hasRested)
        if step == .write { queue.takeBatch(into: &batch) }
        return step
      }
      hasRested = false
      switch step {
      case .write: commit()
      case .rest(let nanoseconds): hasRested = rest(nanoseconds)
      case .sleep:
        // Whatever is left to synchronise now would wait as long as the sleep.
        synchronizeWritten()
        // Readers that take only what is on disk would wait as long, too.
        segments.updateMark()
        _ = desk.bell.wait(nanoseconds: min(retention.period ?? .max, checkpointPeriod))
      case .stop:
        finish()
        return desk.hasEnded.ring()
      }
      if let since = unsynchronizedSince,
        clock.monotonic() >= since.advanced(byNanoseconds: Self.synchronizationInterval)
      {
        synchronizeWritten()
      }
      if clock.monotonic() >= nextCheckpoint { writeCheckpoint() }
      if let nextRetention, clock.monotonic() >= nextRetention { removeExpired() }
    }
  }

  /// - Returns: whether nobody rang.
  private func rest(_ nanoseconds: Int64) -> Bool {
    rotateIfDue()
    segments.updateMark()
    batchesSinceMark = 0
    return !desk.bell.wait(nanoseconds: nanoseconds)
  }

  private func commit() {
    rotateIfDue()
    do throws(FileFault) {
      try write()
      deliver()
    } catch {
      fail(with: error)
    }
    batchesSinceMark += 1
    if batchesSinceMark >= Self.batchesPerMark {
      segments.updateMark()
      batchesSinceMark = 0
    }
    if segments.currentSegment != retainedSegment { removeExpired() }
  }

  private func write() throws(FileFault) { try write(batch.lazy.map(\.body), durably: isSynchronous) }

  /// Writes records, or none of them.
  /// - Parameter durably: whether they are on disk when it returns.
  func write(_ bodies: some Sequence<[UInt8]>, durably: Bool) throws(FileFault) {
    try segments.append(bodies)
    guard durably else {
      if unsynchronizedSince == nil { unsynchronizedSince = clock.monotonic() }
      return
    }
    do throws(FileFault) {
      try synchronize()
      unsynchronizedSince = nil
    } catch {
      // With `interval` what was written before was acknowledged; it stays in memory and is written again.
      if isSynchronous { segments.forgetUnsynchronized() } else { unsynchronizedSince = clock.monotonic() }
      throw error
    }
  }

  private func synchronize() throws(FileFault) {
    let start = clock.monotonic()
    try segments.synchronize()
    let duration = clock.monotonic().nanoseconds(since: start)
    desk.statistics.withLock { $0.synchronizations.record(nanoseconds: duration) }
  }

  private func deliver() {
    let last = segments.head.sequence
    let count = batch.count
    let late = desk.queue.withLock { queue in
      queue.succeeded()
      return queue.endBatch()
    }
    desk.statistics.withLock { statistics in
      statistics.records += count
      statistics.lastSequence = last
      statistics.failure = nil
    }
    if let late {
      let intents = batch.indices.filter { batch[$0].waiter != nil }
      for (late, index) in zip(late, intents) { settle(late, last - count + 1 + index) }
    } else {
      for (index, entry) in batch.enumerated() {
        entry.waiter?.resume(returning: .success(last - count + 1 + index))
      }
    }
    batch.removeAll(keepingCapacity: true)
  }

  private func settle(_ late: LateIntent, _ sequence: Int?) {
    if let outcome = late.settle(sequence) { desk.add(outcome: outcome, isFromWriter: true) }
  }

  private func fail(with fault: FileFault) {
    let failed = batch
    batch.removeAll(keepingCapacity: true)
    let (late, lost) = desk.queue.withLock { queue in (queue.endBatch(), queue.failed(failed)) }
    note(fault, lostOutcomes: lost)
    if let late {
      for late in late { settle(late, nil) }
    } else {
      for entry in failed { entry.waiter?.resume(returning: .failure(.file(fault))) }
    }
  }

  private func note(_ fault: FileFault, lostOutcomes: Int) {
    desk.statistics.withLock { statistics in
      statistics.failures += 1
      statistics.lostOutcomes += lostOutcomes
      statistics.failure = .file(fault)
    }
  }

  /// Asks the disk for what was written without waiting for it (`interval`).
  func synchronizeWritten() {
    guard unsynchronizedSince != nil else { return }
    do throws(FileFault) {
      try synchronize()
      unsynchronizedSince = nil
    } catch {
      // It stays in memory and is written again with the next batch.
      unsynchronizedSince = clock.monotonic()
      note(error, lostOutcomes: 0)
    }
  }

  private func rotateIfDue() {
    guard desk.isRotationDue.load(ordering: .relaxed) else { return }
    desk.isRotationDue.store(false, ordering: .relaxed)
    do throws(FileFault) {
      try segments.finishSegment()
      writeCheckpoint()
    } catch {
      note(error, lostOutcomes: 0)
    }
  }

  /// Says how far the journal reaches, if that has changed. When it fails, the next time is the next chance: a
  /// checkpoint holds up no request.
  func writeCheckpoint() {
    nextCheckpoint = clock.monotonic().advanced(byNanoseconds: checkpointPeriod)
    // Nobody waits for either; when one fails, the next checkpoint is the next chance.
    do throws(FileFault) {
      try writeCheckpoint(base: segments.base) { $0.segments.count }
      try checkpoints.trim(below: segments.base)
    } catch {}
  }

  /// - Parameters:
  ///   - base: the record before the first that is kept.
  ///   - kept: how many segments are kept.
  private func writeCheckpoint(base: ChainHead, kept: (JournalListing) -> Int) throws(FileFault) {
    do throws(FileFault) {
      try segments.synchronize()
      let count = kept(try JournalListing(segments.files))
      _ = try checkpoints.write(segments.head, base: base, segments: count, now: clock.wallClock())
    } catch {
      desk.statistics.withLock { statistics in
        statistics.checkpointFailures += 1
        statistics.checkpointFailure = error
      }
      throw error
    }
    let last = checkpoints.last?.time
    desk.statistics.withLock { statistics in
      statistics.lastCheckpoint = last
      statistics.checkpointFailure = nil
    }
  }

  /// Once a segment, when the journal was just opened, and every now and then.
  private func removeExpired() {
    guard let period = retention.period else { return }
    // Nobody waits for it; when it fails, the next look is the next chance.
    try? removeExpired(now: clock.wallClock())
    retainedSegment = segments.currentSegment
    nextRetention = clock.monotonic().advanced(byNanoseconds: period)
  }

  /// First the record is on disk, then a checkpoint names the new base, then the base moves, then the segments go:
  /// whatever a crash leaves of that can be explained. What is below the base counts as gone, whether it is removed yet
  /// or not. The checkpoint is what nobody without the key can write: a record of a removal anybody can chain.
  func removeExpired(now: WallClockTime) throws(FileFault) {
    try segments.synchronize()
    if let current = segments.currentSegment, try retention.wantsEnd(of: current, now: now) {
      try segments.finishSegment()
    }
    let listing = try JournalListing(segments.files)
    try retention.remove(listing.leftovers)
    if announced == nil, let expired = try nextExpired(in: listing, now: now) {
      try write(CollectionOfOne(expired.record(at: now)), durably: true)
      announced = expired
      let last = segments.head.sequence
      desk.statistics.withLock { statistics in
        statistics.records += 1
        statistics.lastSequence = last
      }
    }
    guard let expired = announced else { return }
    try writeCheckpoint(base: expired.last) { $0.segments.count - expired.segments.count }
    try segments.moveBase(to: expired.last)
    desk.statistics.withLock { $0.baseSequence = expired.last.sequence }
    announced = nil
    try retention.remove(expired.segments)
  }

  private func nextExpired(
    in listing: JournalListing, now: WallClockTime
  ) throws(FileFault) -> ExpiredSegments? {
    let removable = desk.removable.load(ordering: .relaxed)
    let (expired, overdue) = try retention.expired(
      in: listing, isEnded: segments.currentSegment == nil, head: segments.head, removable: removable,
      now: now)
    desk.statistics.withLock { $0.overdueSegments = overdue }
    return expired
  }

  func finish() {
    writeCheckpoint()
    do throws(FileFault) {
      try segments.close()
    } catch {
      note(error, lostOutcomes: 0)
    }
  }
}
