package import AuditTrail
package import Primitives
package import OpenSSLCrypto
internal import Synchronization
internal import Threads

/// The audit journal of one gateway: takes records from any thread and hands them to one writer thread.
package final class Journal: Sendable {
  package struct Settings: Sendable {
    package enum Durability: Sendable {
      /// An intent is on disk before its request goes on.
      case sync
      /// An intent is with the operating system before its request goes on; the disk is asked every 100 ms.
      case interval
    }

    package var directory: String
    package var durability = Durability.sync
    /// Whether a request whose intent cannot be written goes on all the same.
    package var continuesOnFailure = false
    /// Bytes after which a new segment begins.
    package var segmentSize = 128 << 20
    /// How long segments are kept; `nil`: for ever.
    package var retainNanoseconds: Int64?
    /// Whether records are copied elsewhere: then retention leaves alone what `noteCopied` has not named.
    package var isCopied = false
    /// How often a checkpoint is written while records come.
    package var checkpointNanoseconds: Int64 = 60_000_000_000
    /// With this, checkpoints are signed.
    package var signingKey: Ed25519PrivateKey?
    /// What records of refused requests may add.
    package var refusals = RefusalBudget.standard
    /// Bytes that must be free for other records than those of served requests.
    package var minimumFreeSpace = 0
    /// Told what an operator must know, from any thread; must not wait.
    package var report: @Sendable (JournalEvent) -> Void = { _ in }

    package init(directory: String) { self.directory = directory }
  }

  /// Proof that a request's intent is where the settings want it, so that the request may be forwarded.
  package struct Intent: ~Copyable, Sendable {
    /// The intent's number, for the outcome; `nil` when it could not be written and the settings let the request go on:
    /// then the outcome must tell the whole.
    package let sequence: Int?
    /// When there is no number because the disk did not answer: what the outcome must be handed over with.
    package let late: LateIntent?

    fileprivate init(sequence: Int?, late: LateIntent? = nil) {
      self.sequence = sequence
      self.late = late
    }

    /// Of a journal that keeps nothing.
    static var discarded: Intent { Intent(sequence: 0) }
  }

  /// What was found and mended when the journal was opened, for the log.
  package let notices: [String]
  package let identity: JournalIdentity
  private let continuesOnFailure: Bool
  /// `false`: a journal for measurements, which keeps nothing.
  let isKept: Bool
  let shared: JournalShared
  private let running: Mutex<Running?>

  /// What ends when the journal is closed.
  private struct Running: ~Copyable, Sendable {
    let thread: PosixThread
    let lock: JournalLock
  }

  /// Opens the journal in a directory, which is made when there is none, and starts its writer.
  /// - Parameter clock: for the lock's date, the age of segments and the duration of synchronisations.
  package static func open(_ settings: Settings, clock: any TimeSource) throws(JournalOpenFailure) -> Journal
  {
    let files = try JournalOpenFailure.wrapping { () throws(FileFault) in
      try PosixFileSystem(settings.directory, creating: true)
    }
    return try Journal(settings, clock: clock, files: files)
  }

  init(_ settings: Settings, clock: any TimeSource, files: any JournalFileSystem) throws(JournalOpenFailure) {
    let lock = try JournalLock(in: files, now: clock.wallClock())
    let shared = JournalShared(settings, clock: clock)
    if settings.isCopied { shared.removable.store(0, ordering: .relaxed) }
    let thread: PosixThread
    do throws(JournalOpenFailure) {
      let (writer, identity, notices) = try Self.recover(settings, shared: shared, clock: clock, files: files)
      self.identity = identity
      self.notices = notices
      thread = try Self.start(writer)
    } catch {
      lock.release()
      throw error
    }
    self.shared = shared
    isKept = true
    continuesOnFailure = settings.continuesOnFailure
    running = Mutex(Running(thread: thread, lock: lock))
  }

  /// Opens a journal whose writer has no thread: whoever opened it takes its steps, and releases the lock in the end. For
  /// simulations, where nothing happens by itself.
  static func openWithoutThread(
    _ settings: Settings, clock: any TimeSource, files: any JournalFileSystem
  ) throws(JournalOpenFailure) -> (Journal, JournalWriter) {
    let shared = JournalShared(settings, clock: clock)
    let (writer, identity, notices) = try recover(settings, shared: shared, clock: clock, files: files)
    let journal = Journal(
      identity, notices: notices, shared: shared, continuesOnFailure: settings.continuesOnFailure)
    return (journal, writer)
  }

  private init(
    _ identity: JournalIdentity, notices: [String], shared: JournalShared, continuesOnFailure: Bool
  ) {
    self.identity = identity
    self.notices = notices
    self.shared = shared
    self.continuesOnFailure = continuesOnFailure
    isKept = true
    running = Mutex(nil)
  }

  /// A journal that has no file and forgets every record before it is made, so that a benchmark can tell what
  /// journalling costs. `gatehouse` never asks for it, and no configuration names it.
  package static func discarding(entropy: some Entropy) -> Journal {
    Journal(discardingAs: JournalIdentity(random: entropy))
  }

  private init(discardingAs identity: JournalIdentity) {
    self.identity = identity
    notices = []
    isKept = false
    continuesOnFailure = false
    shared = JournalShared(clock: NoTime())
    running = Mutex(nil)
  }

  /// Writes one record, from any thread. Loops write theirs with a `RecordCollector`.
  /// - Returns: its sequence number, when the record is where the durability wants it.
  package func append(_ record: [UInt8]) async throws(JournalFailure) -> Int {
    try await answer(to: record).get()
  }

  /// The next checkpoint is signed with it.
  package func sign(with key: Ed25519PrivateKey?) { shared.signingKey.withLock { $0 = key } }

  /// Puts other bounds of what is written in force: `refusals` at once, `minimumFreeSpace` when the disk is looked at next.
  package func bound(as settings: Settings) {
    shared.refusals.withLock { $0.limits = settings.refusals }
    shared.minimumFreeSpace.store(settings.minimumFreeSpace, ordering: .relaxed)
  }

  func answer(to record: [UInt8]) async -> IntentAnswer {
    await withUnsafeContinuation { (waiter: IntentWaiter) in
      let bundle = JournalShared.Bundle()
      bundle.append(intent: record.span, waiter)
      _ = shared.handOver(bundle)
    }
  }

  /// What an answer means for the request.
  func intent(_ answer: IntentAnswer) throws(JournalFailure) -> Intent {
    guard let failure = answer.failure?.failure else { return Intent(sequence: answer.sequence) }
    guard continuesOnFailure else { throw failure }
    guard case .stalled(let late) = failure else { return Intent(sequence: nil) }
    return Intent(sequence: nil, late: late)
  }

  /// Hands over the outcome of a request that did not wait for its intent any longer.
  package func conclude(_ late: LateIntent, _ outcome: @escaping LateIntent.Outcome) {
    if let record = late.conclude(outcome) { shared.add(outcome: record) }
  }

  /// To be called every now and then: when the writer has got nothing done for as long as a request waits, those who
  /// wait for an intent get `JournalFailure.stalled`, and so does whoever comes until the disk answers.
  /// - Parameters:
  ///   - now: of one clock, from call to call.
  ///   - timeout: nanoseconds.
  package func watch(now: MonotonicInstant, timeout: Int64) {
    guard let waiting = shared.queue.withLock({ $0.watch(now: now, timeout: timeout) }) else { return }
    shared.statistics.withLock { $0.failures += 1 }
    shared.tell(.stalled(nil))
    for (waiter, late) in waiting { waiter.resume(returning: .failed(.stalled(late))) }
  }

  /// The next record begins a new segment.
  package func rotate() {
    shared.isRotationDue.store(true, ordering: .relaxed)
    shared.work.signal()
  }

  /// The copy has all records up to the one with the number `sequence`: retention may remove them.
  package func noteCopied(upTo sequence: Int) { shared.removable.store(sequence, ordering: .relaxed) }

  /// Returns when everything is written and on disk, and the lock is released. What comes later is refused.
  /// - Parameter timeout: nanoseconds to wait for a disk that does not answer; `nil`: as long as it takes.
  /// - Returns: whether the journal is closed. If not, the writer and the lock are left to the end of the process.
  @discardableResult
  package func close(timeout: Int64? = nil) -> Bool {
    guard let ended = running.withLock({ $0.take() }) else { return true }
    shared.queue.withLock { $0.close() }
    shared.work.signal()
    guard shared.hasEnded.wait(nanoseconds: timeout) else {
      ended.thread.abandon()
      return false
    }
    ended.thread.join()
    ended.lock.release()
    return true
  }

  package var statistics: JournalStatistics {
    var statistics = shared.statistics.withLock { $0 }
    let (queued, outcomes, isStalled) = shared.queue.withLock { ($0.count, $0.outcomes, $0.isStalled) }
    statistics.queued = queued
    if isStalled { statistics.failure = .stalled(nil) }
    (statistics.untoldOutcomes, statistics.suppressed) = shared.refusals.withLock {
      ($0.untoldOutcomes, $0.suppressed)
    }
    statistics.delayedOutcomes = statistics.failure == nil ? 0 : outcomes
    return statistics
  }

  /// Finds the journal's end, mends what a crash left, and makes the writer that goes on from there.
  /// - Returns: it, the journal's name, and what was found and mended.
  static func recover(
    _ settings: Settings, shared: JournalShared, clock: any TimeSource, files: any JournalFileSystem
  ) throws(JournalOpenFailure) -> sending (JournalWriter, JournalIdentity, [String]) {
    let recovered = try RecoveredJournal(recovering: files)
    let tail = try JournalOpenFailure.wrapping { () throws(FileFault) in try CheckpointTail(in: files) }
    if let problem = recovered.contradiction(of: tail) { throw JournalOpenFailure.broken(problem) }
    let (identity, oddities) = try JournalIdentity.claim(in: files, named: tail.checkpoint?.journal)
    let segments = try JournalOpenFailure.wrapping { () throws(FileFault) in
      try SegmentWriter(
        recovered, in: files, segmentSize: settings.segmentSize,
        beginning: recovered.dropped?.record(at: clock.wallClock()))
    }
    let (last, base) = (segments.head.sequence, segments.base.sequence)
    shared.statistics.withLock { statistics in
      statistics.lastSequence = last
      statistics.baseSequence = base
      statistics.lastCheckpoint = tail.checkpoint?.time
    }
    shared.signingKey.withLock { $0 = settings.signingKey }
    let writer = JournalWriter(
      shared: shared, segments: segments,
      retention: Retention(files: files, keptNanoseconds: settings.retainNanoseconds),
      checkpoints: CheckpointWriter(tail, of: identity, in: files),
      checkpointPeriod: settings.checkpointNanoseconds, clock: clock,
      isSynchronous: settings.durability == .sync,
      lastTime: recovered.lastTime)
    return (writer, identity, recovered.notices + tail.notices + oddities)
  }

  private static func start(_ writer: sending JournalWriter) throws(JournalOpenFailure) -> PosixThread {
    do throws(ThreadFault) {
      return try PosixThread { writer.run() }
    } catch {
      throw .noThread(code: error.code)
    }
  }
}

/// For a journal that keeps nothing.
private struct NoTime: TimeSource {
  func monotonic() -> MonotonicInstant { MonotonicInstant(nanoseconds: 0) }
  func wallClock() -> WallClockTime { WallClockTime(nanoseconds: 0) }
}
