internal import AuditTrail
internal import Primitives
internal import Synchronization
internal import Threads

/// What the journal's thread does: one batch after another.
final class JournalWriter {
  let shared: JournalShared
  let segments: SegmentWriter
  private let retention: Retention
  private var checkpoints: CheckpointWriter
  private let checkpointPeriod: Int64
  private var nextCheckpoint: MonotonicInstant
  let clock: any TimeSource
  private let isSynchronous: Bool
  private var batch: [JournalShared.Bundle] = []
  /// Whether the wait that the last step asked for is a short one, and whether such a wait has just ended by itself.
  private var isResting = false
  private var hasRested = false
  /// When the mark is renewed under load that leaves no rest.
  private var nextMark: MonotonicInstant
  /// The segment for which old ones were looked through.
  private var retainedSegment: SegmentName?
  private var nextRetention: MonotonicInstant?
  /// What an `expired` record on disk names and is not yet removed.
  private var announced: ExpiredSegments?
  /// Since when something is written that may not be on disk.
  private var unsynchronizedSince: MonotonicInstant?
  /// When the disk and the files' places are looked at.
  var nextLook: MonotonicInstant
  var space: SpaceWatch
  private var retentionClock: RetentionClock

  /// With `interval` durability, how often the disk is asked.
  private static let synchronizationInterval: Int64 = 100_000_000
  /// How often the mark is renewed under load that leaves no rest. Whoever reads behind the writer sees records that late.
  private static let markInterval: Int64 = 100_000_000
  static let lookInterval: Int64 = 1_000_000_000
  /// How often a failing disk is asked for what is left when the journal is closed.
  private static let triesAtEnd = 3

  /// - Parameter lastTime: of the last record; `nil` when there is none.
  init(
    shared: JournalShared, segments: SegmentWriter, retention: Retention, checkpoints: CheckpointWriter,
    checkpointPeriod: Int64, clock: any TimeSource, isSynchronous: Bool,
    lastTime: WallClockTime? = nil
  ) {
    self.checkpoints = checkpoints
    self.checkpointPeriod = checkpointPeriod
    nextCheckpoint = clock.monotonic()
    nextMark = nextCheckpoint
    nextLook = nextCheckpoint
    space = SpaceWatch(minimum: shared.minimumFreeSpace.load(ordering: .relaxed))
    retentionClock = RetentionClock(
      lastTime: lastTime, keptNanoseconds: retention.keptNanoseconds, now: nextCheckpoint,
      wallClock: clock.wallClock())
    self.shared = shared
    self.segments = segments
    self.retention = retention
    self.clock = clock
    self.isSynchronous = isSynchronous
  }

  /// Returns when the queue is closed and everything in it is written.
  func run() {
    begin()
    while let pause = step() {
      if pause > 0 { waited(isSignalled: shared.work.wait(nanoseconds: pause)) }
    }
    shared.hasEnded.signal()
  }

  /// What is to be done before the first step.
  func begin() {
    segments.whenPutBack = { [shared] segment in
      shared.tell(
        .putBack("\(segment.file) was not in its place and was written anew from the open file"))
    }
    look()
    removeExpired()
    writeCheckpoint()
  }

  /// Does what is next. A simulation takes these steps itself, on the thread of everything else.
  /// - Returns: how long to wait for `JournalShared.work` before `waited` is called, nanoseconds; 0: not at all, the next
  ///   step is due; `nil`: there is none.
  func step() -> Int64? {
    let step = shared.queue.withLock { queue in
      let step = queue.nextStep(hasRested: hasRested)
      if step == .write { queue.takeBatch(into: &batch) }
      return step
    }
    isResting = false
    switch step {
    case .write:
      commit()
      hasRested = false
      doWhatIsDue(clock.monotonic())
      return 0
    case .rest(let nanoseconds):
      prepareRest(isIdle: hasRested)
      isResting = true
      return nanoseconds
    case .sleep:
      // Whatever is left to synchronise now would wait as long as the sleep.
      synchronizeWritten()
      // Readers that take only what is on disk would wait as long, too.
      segments.updateMark()
      return min(retention.period ?? .max, checkpointPeriod, Self.lookInterval)
    case .stop:
      if tellSuppressed(isLast: true) { return 0 }
      finish()
      return nil
    }
  }

  /// The wait is over that a step asked for.
  func waited(isSignalled: Bool) {
    if !isResting { rotateIfDue() }
    hasRested = isResting && !isSignalled
    doWhatIsDue(clock.monotonic())
  }

  private func doWhatIsDue(_ now: MonotonicInstant) {
    if let since = unsynchronizedSince,
      now >= since.advanced(byNanoseconds: Self.synchronizationInterval)
    {
      synchronizeWritten()
    }
    if now >= nextMark {
      segments.updateMark()
      nextMark = now.advanced(byNanoseconds: Self.markInterval)
    }
    if now >= nextLook { look() }
    if now >= nextCheckpoint { writeCheckpoint() }
    if let nextRetention, now >= nextRetention { removeExpired() }
  }

  /// - Parameter isIdle: whether nothing came during the rest before.
  private func prepareRest(isIdle: Bool) {
    rotateIfDue()
    // Under load there is a short rest after nearly every batch; a mark each would double the writes.
    if isIdle { segments.updateMark() }
  }

  private func commit() {
    rotateIfDue()
    do throws(FileFault) {
      try write()
      deliver()
    } catch {
      fail(with: error)
    }
    if segments.currentSegment != retainedSegment { removeExpired() }
  }

  private func write() throws(FileFault) {
    try write(durably: isSynchronous) { [batch] lines, head in
      for bundle in batch { bundle.forEach { record, _ in lines.append(record, after: &head) } }
    }
  }

  /// Writes the records that `body` appends, or none of them.
  /// - Parameter durably: whether they are on disk when it returns.
  func write(
    durably: Bool, _ body: (inout ChainedLines, inout ChainHead) -> Void
  ) throws(FileFault) {
    try segments.append(checksPlace: !durably, body)
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
    shared.statistics.withLock { $0.synchronizations.record(nanoseconds: duration) }
  }

  private func deliver() {
    let last = segments.head.sequence
    let count = batch.reduce(0) { $0 + $1.count }
    shared.queue.withLock { queue in
      queue.endBatch()
      queue.succeeded()
    }
    shared.statistics.withLock { statistics in
      statistics.records += count
      statistics.lastSequence = last
      statistics.failure = nil
    }
    shared.tellSuccess()
    settleUnforwarded(batch)
    var first = last - count + 1
    for bundle in batch {
      let next = first + bundle.count
      giveBack(bundle, IntentAnswer(sequence: first))
      first = next
    }
    batch.removeAll(keepingCapacity: true)
  }

  /// The bundle's records are written, or will not be.
  private func giveBack(_ bundle: JournalShared.Bundle, _ answer: IntentAnswer) {
    bundle.forEachLate { late, place in
      let sequence = answer.failure == nil ? answer.sequence + place : nil
      if let outcome = late.settle(sequence) { shared.add(outcome: outcome, isFromWriter: true) }
    }
    bundle.answer = answer
    if let home = bundle.home { home.add(bundle) } else { bundle.tellWaiters() }
  }

  private func fail(with fault: FileFault) {
    let lost = shared.queue.withLock { queue in
      queue.endBatch()
      return queue.failed(batch)
    }
    note(fault, lostOutcomes: lost)
    let answer = IntentAnswer.failed(.file(fault))
    for bundle in batch { giveBack(bundle, answer) }
    batch.removeAll(keepingCapacity: true)
  }

  func note(_ fault: FileFault, lostOutcomes: Int) {
    shared.statistics.withLock { statistics in
      statistics.failures += 1
      statistics.lostOutcomes += lostOutcomes
      statistics.failure = .file(fault)
    }
    shared.tell(.file(fault))
  }

  /// The ledger lets others in for them.
  private func settleUnforwarded(_ batch: [JournalShared.Bundle]) {
    let bytes = batch.reduce(0) { $0 + $1.unforwardedBytes }
    if bytes > 0 { shared.refusals.withLock { $0.settle(bytes: bytes) } }
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
    guard shared.isRotationDue.load(ordering: .relaxed) else { return }
    shared.isRotationDue.store(false, ordering: .relaxed)
    do throws(FileFault) {
      try puttingBack { () throws(FileFault) in
        try segments.settle()
        try segments.finishSegment()
      }
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
      _ = try checkpoints.write(
        segments.head, base: base, segments: count, key: shared.signingKey.withLock { $0 },
        now: clock.wallClock())
    } catch {
      shared.statistics.withLock { statistics in
        statistics.checkpointFailures += 1
        statistics.checkpointFailure = error
      }
      throw error
    }
    let last = checkpoints.last?.time
    shared.statistics.withLock { statistics in
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
    if let current = segments.currentSegment, try retention.wantsEnd(of: current, now: believed(now)) {
      try segments.finishSegment()
    }
    let listing = try JournalListing(segments.files)
    segments.noteRemoved(bytes: try retention.remove(listing.leftovers))
    if announced == nil, let expired = try nextExpired(in: listing, now: now) {
      try write(durably: true) { $0.append(expired.record(at: believed(now)), after: &$1) }
      announced = expired
      let last = segments.head.sequence
      shared.statistics.withLock { statistics in
        statistics.records += 1
        statistics.lastSequence = last
      }
    }
    guard let expired = announced else { return }
    try writeCheckpoint(base: expired.last) { $0.segments.count - expired.segments.count }
    try segments.moveBase(to: expired.last)
    shared.statistics.withLock { $0.baseSequence = expired.last.sequence }
    announced = nil
    segments.noteRemoved(bytes: try retention.remove(expired.segments))
    shared.tell(.expired(expired))
  }

  private func nextExpired(
    in listing: JournalListing, now: WallClockTime
  ) throws(FileFault) -> ExpiredSegments? {
    let removable = shared.removable.load(ordering: .relaxed)
    let (expired, overdue) = try retention.expired(
      in: listing, isEnded: segments.currentSegment == nil, head: segments.head, removable: removable,
      now: believed(now))
    shared.statistics.withLock { $0.overdueSegments = overdue }
    return expired
  }

  /// What retention takes for the time.
  private func believed(_ now: WallClockTime) -> WallClockTime {
    let (time, ahead) = retentionClock.time(now, at: clock.monotonic())
    if let ahead { shared.tell(.clockNotFollowed(secondsAhead: ahead)) }
    return time
  }

  func finish() {
    // The next start would find that it is gone.
    try? puttingBack { () throws(FileFault) in try segments.settle() }
    writeCheckpoint()
    // With `interval` these were acknowledged, and nobody is left to write them later.
    for _ in 0..<Self.triesAtEnd where segments.isUnsynchronized { try? segments.synchronize() }
    do throws(FileFault) {
      try segments.close()
    } catch {
      note(error, lostOutcomes: segments.unsynchronizedCount)
    }
  }
}
