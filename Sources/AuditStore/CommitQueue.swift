internal import Primitives

/// What the requests hand to the journal's writer, and what the writer does next: the group commit, without the thread.
///
/// Intents are waited for, so the writer takes them as soon as they are announced; whatever gathers while it waits for
/// the disk makes the next batch. Who has more of them to come announces them together: a batch costs the disk the same
/// however much is in it. Outcomes are not waited for: they ride along with the next intents, or go when the writer has
/// rested once without any. A writer that rests wakes by itself, so an outcome costs no signal.
struct CommitQueue<Waiter> {
  struct Entry {
    let body: [UInt8]
    /// Who waits for an intent; `nil`: an outcome.
    let waiter: Waiter?
  }

  /// What the writer is about to do.
  enum Step: Equatable {
    /// Write what `takeBatch` gives.
    case write
    /// Wait for a signal, but not longer than this.
    case rest(nanoseconds: Int64)
    /// Wait for a signal.
    case sleep
    /// Everything is written and nothing more will come.
    case stop
  }

  enum Admission: Equatable {
    /// The writer will see it by itself.
    case queued
    /// The writer waits and must be signalled.
    case queuedForSignal
    /// The queue is closed, or holds as many outcomes as it may.
    case refused
    /// The writer waits for a disk that does not answer (`watch`).
    case stalled
  }

  private enum Writer {
    /// It asks for its next step before it waits. Next: any.
    case working
    /// It waits for a signal or the end of a short time. Next: working.
    case resting
    /// It waits for a signal only. Next: working.
    case asleep
  }

  /// In the order of arrival.
  private var pending: [Entry] = []
  private var intents = 0
  /// Whether the writer is to take the intents without resting first.
  private var isAnnounced = false
  /// Outcomes that could not be written, in the order of arrival.
  private var backlog: [Entry] = []
  private var outcomeBytes = 0
  private var writer = Writer.working
  private var restsWithoutWork = 0
  private var isFailing = false
  private var isClosed = false

  /// The batch that is being written.
  private var inFlight: [Entry] = []
  /// In place of those who waited for the intents of `inFlight`, once they were told not to; `nil` before.
  private var late: [LateIntent]?
  /// Grows whenever the writer gets something done.
  private var progress = 0
  /// The progress that was last seen, and since when it is the same.
  private var watched: (progress: Int, since: MonotonicInstant)?
  /// The writer has got nothing done for longer than requests wait.
  private(set) var isStalled = false

  /// How long an outcome waits for intents to ride along with.
  static var linger: Int64 { 5_000_000 }
  /// How long after a failure the writer tries again by itself. Every intent makes it try at once.
  static var retryAfter: Int64 { 100_000_000 }
  /// After this many rests without work (200 ms) the writer sleeps.
  private static var restsBeforeSleep: Int { 40 }
  /// What one batch may hold: about a megabyte.
  private static var largestBatch: Int { 1024 }
  /// How much of the backlog is tried while nothing can be written: each try costs the hashing of all.
  private static var backlogPerTry: Int { 16 }
  /// What outcomes may take in memory while nothing can be written.
  private static var mostOutcomeBytes: Int { 16 << 20 }

  init() {}

  var count: Int { backlog.count + pending.count }
  var outcomes: Int { count - intents }

  /// - Parameter isAnnounced: `false`: whoever adds it calls `announce` in a moment.
  mutating func add(intent body: [UInt8], _ waiter: Waiter, isAnnounced: Bool = true) -> Admission {
    guard !isClosed else { return .refused }
    guard !isStalled else { return .stalled }
    pending.append(Entry(body: body, waiter: waiter))
    intents += 1
    guard isAnnounced else { return signalledIfAsleep() }
    self.isAnnounced = true
    return signalled(unless: .working)
  }

  /// The writer is to take what there is.
  /// - Returns: whether it must be signalled.
  mutating func announce() -> Bool {
    guard intents > 0 else { return false }
    isAnnounced = true
    return signalled(unless: .working) == .queuedForSignal
  }

  /// - Parameter isFromWriter: the writer adds it itself, and so will see it though the queue is closed.
  mutating func add(outcome body: [UInt8], isFromWriter: Bool = false) -> Admission {
    guard !isClosed || isFromWriter, outcomeBytes + body.count <= Self.mostOutcomeBytes else {
      return .refused
    }
    pending.append(Entry(body: body, waiter: nil))
    outcomeBytes += body.count
    return signalledIfAsleep()
  }

  /// Nothing more is taken in; what there is will still be written. The writer must be signalled.
  mutating func close() { isClosed = true }

  /// - Parameter hasRested: whether the writer comes from a rest that nobody ended.
  mutating func nextStep(hasRested: Bool) -> Step {
    writer = .working
    noteProgress()
    let isBacklogDue = !backlog.isEmpty && (!isFailing || hasRested || isClosed)
    let mustWrite =
      (intents > 0 && isAnnounced) || isBacklogDue || (!pending.isEmpty && (hasRested || isClosed))
    if mustWrite {
      restsWithoutWork = 0
      return .write
    }
    if isClosed { return .stop }
    if isFailing {
      writer = .resting
      return .rest(nanoseconds: Self.retryAfter)
    }
    if pending.isEmpty {
      restsWithoutWork += 1
      if restsWithoutWork > Self.restsBeforeSleep {
        writer = .asleep
        return .sleep
      }
    }
    writer = .resting
    return .rest(nanoseconds: Self.linger)
  }

  /// Moves the next batch into `batch`, which is empty.
  mutating func takeBatch(into batch: inout [Entry]) {
    moveBatch(into: &batch)
    inFlight = batch
  }

  private mutating func moveBatch(into batch: inout [Entry]) {
    if backlog.isEmpty, pending.count <= Self.largestBatch {
      swap(&batch, &pending)
      intents = 0
      isAnnounced = false
      outcomeBytes = 0
      return
    }
    let tries = min(backlog.count, isFailing && !isClosed ? Self.backlogPerTry : Self.largestBatch)
    batch.append(contentsOf: backlog.prefix(tries))
    backlog.removeFirst(tries)
    let fresh = min(pending.count, Self.largestBatch)
    batch.append(contentsOf: pending.prefix(fresh))
    pending.removeFirst(fresh)
    for entry in batch {
      if entry.waiter == nil { outcomeBytes -= entry.body.count } else { intents -= 1 }
    }
  }

  /// The batch was written, or could not be; to be called before `succeeded` and `failed`.
  /// - Returns: in the order of its intents, in whose place their requests' outcomes wait; `nil` when those who handed
  ///   the intents over still wait themselves.
  mutating func endBatch() -> [LateIntent]? {
    noteProgress()
    inFlight = []
    defer { late = nil }
    return late
  }

  mutating func succeeded() { isFailing = false }

  /// The batch could not be written. Its outcomes are kept for another try; once the queue is closed they are given up,
  /// because there would be no end.
  /// - Returns: how many outcomes were given up.
  mutating func failed(_ batch: [Entry]) -> Int {
    isFailing = true
    let outcomes = batch.filter { $0.waiter == nil }
    guard !isClosed else { return outcomes.count }
    // Behind the others: what was not tried yet comes first.
    backlog.append(contentsOf: outcomes)
    backlog.append(contentsOf: pending.lazy.filter { $0.waiter == nil })
    pending.removeAll { $0.waiter == nil }
    outcomeBytes += outcomes.reduce(0) { $0 + $1.body.count }
    return 0
  }

  /// Looks whether the writer gets on, and gives up on the disk when it does not: whatever the writer hangs in, the next
  /// requests would only wait as well. Until it gets on, no intent is taken in.
  /// - Parameters:
  ///   - now: of one clock, from call to call.
  ///   - patience: nanoseconds.
  /// - Returns: those who must be told that their intent is not written; with a `LateIntent` where it may still be. `nil`
  ///   when there is nothing new.
  mutating func watch(now: MonotonicInstant, patience: Int64) -> [(waiter: Waiter, late: LateIntent?)]? {
    guard writer == .working, let watched, watched.progress == progress else {
      watched = (progress, now)
      return nil
    }
    guard !isStalled, now >= watched.since.advanced(byNanoseconds: patience) else { return nil }
    isStalled = true
    let waiters = inFlight.compactMap(\.waiter)
    let late = waiters.map { _ in LateIntent() }
    self.late = late
    let unwritten = pending.compactMap(\.waiter)
    pending.removeAll { $0.waiter != nil }
    intents = 0
    isAnnounced = false
    return zip(waiters, late).map { ($0, $1) } + unwritten.map { ($0, nil) }
  }

  private mutating func noteProgress() {
    progress &+= 1
    isStalled = false
  }

  /// A writer that rests wakes by itself.
  private mutating func signalledIfAsleep() -> Admission {
    writer == .asleep ? signalled(unless: .working) : .queued
  }

  private mutating func signalled(unless state: Writer) -> Admission {
    guard writer != state else { return .queued }
    writer = .working
    return .queuedForSignal
  }
}

extension CommitQueue: Sendable where Waiter: Sendable {}
extension CommitQueue.Entry: Sendable where Waiter: Sendable {}
