internal import AuditTrail
internal import OpenSSLCrypto
internal import Primitives
internal import Synchronization
internal import Threads

/// What requests and the journal's writer share.
final class JournalShared: Sendable {
  typealias Bundle = RecordBundle<IntentWaiter>

  let queue = Mutex(CommitQueue<IntentWaiter>())
  let refusals: Mutex<RefusalLedger>
  /// Ends the writer's rest or sleep.
  let work = ThreadEvent()
  /// Signalled when the writer has ended.
  let hasEnded = ThreadEvent()
  let statistics = Mutex(JournalStatistics())
  let isRotationDue = Atomic(false)
  /// The last record that retention may remove: where there is a copy, the last that the copy has.
  let removable = Atomic(Int.max)
  /// Bytes that must be free for other records than those of served requests.
  let minimumFreeSpace: Atomic<Int>
  /// What checkpoints are signed with; `nil`: they are not.
  let signingKey = Mutex<Ed25519PrivateKey?>(nil)
  let clock: any TimeSource
  private let report: @Sendable (JournalEvent) -> Void
  /// Whether it was told that nothing can be written.
  private let isFailureTold = Atomic(false)

  init(
    refusals: RefusalBudget = .standard, minimumFreeSpace: Int = 0, clock: any TimeSource,
    report: @escaping @Sendable (JournalEvent) -> Void = { _ in }
  ) {
    self.refusals = Mutex(RefusalLedger(refusals))
    self.minimumFreeSpace = Atomic(minimumFreeSpace)
    self.clock = clock
    self.report = report
  }

  convenience init(_ settings: Journal.Settings, clock: any TimeSource) {
    self.init(
      refusals: settings.refusals, minimumFreeSpace: settings.minimumFreeSpace, clock: clock,
      report: settings.report)
  }

  func tell(_ event: JournalEvent) { report(event) }

  /// Once when it begins.
  func tell(_ failure: JournalFailure) {
    if !isFailureTold.exchange(true, ordering: .relaxed) { report(.failing(failure)) }
  }

  /// Once when it ends.
  func tellSuccess() {
    guard isFailureTold.load(ordering: .relaxed) else { return }
    isFailureTold.store(false, ordering: .relaxed)
    report(.writtenAgain)
  }

  /// Hands a bundle to the writer. Those who wait for an intent that is not taken are told.
  /// - Parameter isFromWriter: the writer adds it itself, and so will see it though the queue is closed.
  /// - Returns: whether the bundle is no longer the caller's.
  func handOver(_ bundle: Bundle, isFromWriter: Bool = false) -> Bool {
    let result = queue.withLock { $0.add(bundle, isFromWriter: isFromWriter) }
    if result.mustSignal { work.signal() }
    if result.lostOutcomes > 0 { lose(result.lostOutcomes, bytes: result.lostBytes) }
    if !result.refused.isEmpty {
      let answer = IntentAnswer.failed(result.isStalled ? .stalled(nil) : .closed)
      for waiter in result.refused { waiter.resume(returning: answer) }
    }
    return result.isTaken
  }

  private func lose(_ outcomes: Int, bytes: Int) {
    statistics.withLock { $0.lostOutcomes += outcomes }
    let (now, time) = (clock.monotonic(), clock.wallClock())
    refusals.withLock { $0.lose(outcomes: outcomes, bytes: bytes, now: now, time: time) }
  }

  /// Hands over one outcome, from any thread.
  ///
  /// Inlined into the writer, it makes the optimiser of Swift 6.3.1 stop ("leaked owned value").
  @inline(never)
  func add(outcome record: [UInt8], isFromWriter: Bool = false) {
    let bundle = Bundle()
    bundle.append(outcome: record.span)
    _ = handOver(bundle, isFromWriter: isFromWriter)
  }
}
