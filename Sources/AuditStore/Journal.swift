package import AuditTrail
package import Primitives
package import OpenSSLCrypto
internal import Synchronization

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
    /// How often a checkpoint is written while records come.
    package var checkpointNanoseconds: Int64 = 60_000_000_000
    /// With this, checkpoints are signed.
    package var signingKey: Ed25519PrivateKey?

    package init(directory: String) { self.directory = directory }
  }

  /// Proof that a request's intent is where the settings want it, so that the request may be forwarded.
  package struct Intent: ~Copyable, Sendable {
    /// The intent's number, for the outcome; `nil` when it could not be written and the settings let the request go on:
    /// then the outcome must tell the whole.
    package let sequence: Int?

    fileprivate init(sequence: Int?) { self.sequence = sequence }
  }

  /// What was found and mended when the journal was opened, for the log.
  package let notices: [String]
  package let identity: JournalIdentity
  private let continuesOnFailure: Bool
  /// `false`: a journal for measurements, which keeps nothing.
  private let isKept: Bool
  private let desk: JournalDesk
  private let running: Mutex<Running?>

  /// What ends when the journal is closed.
  private struct Running: ~Copyable, Sendable {
    let thread: WriterThread
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
    let desk = JournalDesk()
    let thread: WriterThread
    do throws(JournalOpenFailure) {
      let (writer, identity, notices) = try Self.recover(settings, desk: desk, clock: clock, files: files)
      self.identity = identity
      self.notices = notices
      thread = try Self.start(writer)
    } catch {
      lock.release()
      throw error
    }
    self.desk = desk
    isKept = true
    continuesOnFailure = settings.continuesOnFailure
    running = Mutex(Running(thread: thread, lock: lock))
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
    desk = JournalDesk()
    running = Mutex(nil)
  }

  /// Writes a request's intent.
  /// - Parameters:
  ///   - record: what `AuditedRequest.intentRecord` gives.
  ///   - isAnnounced: `false`: the caller calls `announce` as soon as no other intent is about to follow.
  /// - Returns: when the record is where the durability wants it.
  package func intend(
    _ record: @autoclosure () -> [UInt8], isAnnounced: Bool = true
  ) async throws(JournalFailure) -> Intent {
    guard isKept else { return Intent(sequence: 0) }
    let record = record()
    do throws(JournalFailure) {
      return Intent(sequence: try await append(record, isAnnounced: isAnnounced))
    } catch {
      guard continuesOnFailure else { throw error }
      return Intent(sequence: nil)
    }
  }

  /// Writes a record.
  /// - Returns: its sequence number, when the record is where the durability wants it.
  package func append(_ record: [UInt8], isAnnounced: Bool = true) async throws(JournalFailure) -> Int {
    let written = await withUnsafeContinuation { (waiter: JournalDesk.Waiter) in
      switch desk.queue.withLock({ $0.add(intent: record, waiter, isAnnounced: isAnnounced) }) {
      case .queued: break
      case .queuedForSignal: desk.bell.ring()
      case .refused: waiter.resume(returning: .failure(.closed))
      }
    }
    return try written.get()
  }

  /// The intents that were handed over without it are to be written now. Without this call that takes 5 ms longer.
  package func announce() {
    if desk.queue.withLock({ $0.announce() }) { desk.bell.ring() }
  }

  /// Hands over an outcome and does not wait: it is written with the next intents, or a few milliseconds later. While
  /// the journal cannot be written it is kept and tried again.
  /// - Parameter record: what an `outcomeRecord` gives.
  package func conclude(_ record: @autoclosure () -> [UInt8]) {
    guard isKept else { return }
    let record = record()
    switch desk.queue.withLock({ $0.add(outcome: record) }) {
    case .queued: break
    case .queuedForSignal: desk.bell.ring()
    case .refused: desk.statistics.withLock { $0.lostOutcomes += 1 }
    }
  }

  /// The next record begins a new segment.
  package func rotate() {
    desk.isRotationDue.store(true, ordering: .relaxed)
    desk.bell.ring()
  }

  /// Returns when everything is written and on disk, and the lock is released. What comes later is refused.
  package func close() {
    guard let ended = running.withLock({ $0.take() }) else { return }
    desk.queue.withLock { $0.close() }
    desk.bell.ring()
    ended.thread.join()
    ended.lock.release()
  }

  package var statistics: JournalStatistics {
    var statistics = desk.statistics.withLock { $0 }
    let (queued, outcomes) = desk.queue.withLock { ($0.count, $0.outcomes) }
    statistics.queued = queued
    statistics.delayedOutcomes = statistics.failure == nil ? 0 : outcomes
    return statistics
  }

  /// Finds the journal's end, mends what a crash left, and makes the writer that goes on from there.
  /// - Returns: it, the journal's name, and what was found and mended.
  static func recover(
    _ settings: Settings, desk: JournalDesk, clock: any TimeSource, files: any JournalFileSystem
  ) throws(JournalOpenFailure) -> sending (JournalWriter, JournalIdentity, [String]) {
    let recovered = try RecoveredJournal(recovering: files)
    let tail = try JournalOpenFailure.wrapping { () throws(FileFault) in try CheckpointTail(in: files) }
    if let problem = recovered.contradiction(of: tail) { throw JournalOpenFailure.broken(problem) }
    let (identity, oddities) = try JournalIdentity.claim(in: files, named: tail.checkpoint?.journal)
    let segments = try JournalOpenFailure.wrapping { () throws(FileFault) in
      try SegmentWriter(recovered, in: files, segmentSize: settings.segmentSize)
    }
    let last = segments.head.sequence
    desk.statistics.withLock { statistics in
      statistics.lastSequence = last
      statistics.lastCheckpoint = tail.checkpoint?.time
    }
    let writer = JournalWriter(
      desk: desk, segments: segments,
      retention: Retention(files: files, keptNanoseconds: settings.retainNanoseconds),
      checkpoints: CheckpointWriter(tail, of: identity, key: settings.signingKey, in: files),
      checkpointPeriod: settings.checkpointNanoseconds, clock: clock,
      isSynchronous: settings.durability == .sync)
    return (writer, identity, recovered.notices + tail.notices + oddities)
  }

  private static func start(_ writer: sending JournalWriter) throws(JournalOpenFailure) -> WriterThread {
    do throws(ThreadFault) {
      return try WriterThread { writer.run() }
    } catch {
      throw .noThread(code: error.code)
    }
  }
}
