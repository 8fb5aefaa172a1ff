internal import Primitives

/// What the loops hand to the journal's writer, and what the writer does next: the group commit, without the thread.
///
/// Intents are waited for, so the writer takes them as soon as they are there; whatever gathers while it waits for the
/// disk makes the next batch. Each loop hands over the records of a whole turn: a batch costs the disk the same however
/// much is in it. Outcomes are not waited for: they ride along with the next intents, or go when the writer has rested
/// once without any. A writer that rests wakes by itself, so an outcome costs no signal.
struct CommitQueue<Waiter: Sendable>: Sendable {
  typealias Bundle = RecordBundle<Waiter>

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

  /// What became of a bundle that was added.
  struct Admission {
    /// The queue has the bundle now. If not, it is the caller's to use again, as nothing was left of it or all was copied.
    var isTaken = false
    /// The writer waits and must be signalled.
    var mustSignal = false
    /// Those whose intents were not taken, because the queue is closed or `isStalled`.
    var refused: [Waiter] = []
    /// The writer waits for a disk that does not answer (`watch`).
    var isStalled = false
    /// Outcomes that were not taken, because the queue is closed or holds as many as it may, and how long those of
    /// forwarded requests were.
    var lostOutcomes = 0
    var lostBytes = 0
  }

  private enum Writer {
    /// It asks for its next step before it waits. Next: any.
    case working
    /// It waits for a signal or the end of a short time. Next: working.
    case resting
    /// It waits for a signal only. Next: working.
    case asleep
  }

  private var pending = BundleList<Waiter>()
  /// Outcomes that could not be written, in small bundles.
  private var backlog = BundleList<Waiter>()
  private var writer = Writer.working
  private var restsWithoutWork = 0
  private var isFailing = false
  /// Whether the last batch had many intents.
  private var isUnderLoad = false
  private var isClosed = false

  /// The batch that is being written.
  private var inFlight: [Bundle] = []
  /// Grows whenever the writer gets something done.
  private var progress = 0
  /// The progress that was last seen, and since when it is the same.
  private var watched: (progress: Int, since: MonotonicInstant)?
  /// The writer has got nothing done for longer than requests wait.
  private(set) var isStalled = false

  /// How long an outcome waits for intents to ride along with.
  static var linger: Int64 { 5_000_000 }
  /// The same while many requests are under way: intents come soon, and nobody looks for one record.
  private static var lingerUnderLoad: Int64 { 20_000_000 }
  /// From how many intents in a batch on that is so.
  private static var manyIntents: Int { 8 }
  /// How long after a failure the writer tries again by itself. Every intent makes it try at once.
  static var retryAfter: Int64 { 100_000_000 }
  /// After this many rests without work (200 ms) the writer sleeps.
  private static var restsBeforeSleep: Int { 40 }
  /// How many records one batch may hold: about a megabyte.
  private static var largestBatch: Int { 1024 }
  /// How many records of the backlog are tried while nothing can be written: each try costs the hashing of all.
  private static var backlogPerTry: Int { 16 }
  /// What outcomes of forwarded requests may take in memory while nothing can be written. How many there are of others,
  /// the ledger sees to.
  private static var mostOutcomeBytes: Int { 16 << 20 }
  /// How large a bundle may grow by outcomes that come without intents.
  private static var largestJoined: Int { 256 << 10 }

  init() {}

  var count: Int { backlog.count + pending.count }
  var outcomes: Int { count - pending.intents }
  private var outcomeBytes: Int { backlog.outcomeBytes + pending.outcomeBytes }

  /// - Parameter isFromWriter: the writer adds it itself, and so will see it though the queue is closed.
  mutating func add(_ bundle: Bundle, isFromWriter: Bool = false) -> Admission {
    var admission = Admission()
    guard !isClosed || isFromWriter else {
      admission.lostOutcomes = bundle.outcomes
      admission.refused = bundle.removeIntents()
      return admission
    }
    if isStalled, bundle.intents > 0 {
      admission.isStalled = true
      admission.refused = bundle.removeIntents()
    }
    let left = Self.mostOutcomeBytes - outcomeBytes
    if bundle.outcomeBytes > left {
      admission.lostBytes = bundle.outcomeBytes
      admission.lostOutcomes = bundle.dropOutcomes(beyondBytes: left)
      admission.lostBytes -= bundle.outcomeBytes
    }
    guard !bundle.isEmpty else { return admission }
    let wakes = bundle.intents > 0 ? writer != .working : writer == .asleep
    if !pending.join(outcomes: bundle, most: Self.largestJoined) {
      pending.append(bundle)
      admission.isTaken = true
    }
    if wakes {
      writer = .working
      admission.mustSignal = true
    }
    return admission
  }

  /// Nothing more is taken in; what there is will still be written. The writer must be signalled.
  mutating func close() { isClosed = true }

  /// - Parameter hasRested: whether the writer comes from a rest that nobody ended.
  mutating func nextStep(hasRested: Bool) -> Step {
    writer = .working
    noteProgress()
    let isBacklogDue = !backlog.isEmpty && (!isFailing || hasRested || isClosed)
    let mustWrite =
      pending.intents > 0 || isBacklogDue || (!pending.isEmpty && (hasRested || isClosed))
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
    return .rest(nanoseconds: isUnderLoad && !pending.isEmpty ? Self.lingerUnderLoad : Self.linger)
  }

  /// Moves the next batch into `batch`, which is empty.
  mutating func takeBatch(into batch: inout [Bundle]) {
    if !backlog.isEmpty {
      backlog.move(most: isFailing && !isClosed ? Self.backlogPerTry : Self.largestBatch, to: &batch)
    }
    if !pending.isEmpty { pending.move(most: Self.largestBatch, to: &batch) }
    inFlight = batch
    isUnderLoad = batch.reduce(0) { $0 + $1.intents } >= Self.manyIntents
  }

  /// The batch was written, or could not be; to be called before `succeeded` and `failed`. From here on nobody else
  /// tells those who wait for its intents; some may have been told (`RecordBundle.late`).
  mutating func endBatch() {
    noteProgress()
    inFlight = []
  }

  mutating func succeeded() { isFailing = false }

  /// The batch could not be written. Its outcomes are copied for another try; once the queue is closed they are given up,
  /// because there would be no end.
  /// - Returns: how many outcomes were given up.
  mutating func failed(_ batch: [Bundle]) -> Int {
    isFailing = true
    guard !isClosed else { return batch.reduce(0) { $0 + $1.outcomes } }
    // Behind the others: what was not tried yet comes first.
    for bundle in batch { backlog.copyOutcomes(of: bundle, most: Self.backlogPerTry) }
    for bundle in pending.bundles { backlog.copyOutcomes(of: bundle, most: Self.backlogPerTry) }
    pending.removeOutcomes()
    return 0
  }

  /// Looks whether the writer gets on, and gives up on the disk when it does not: whatever the writer hangs in, the next
  /// requests would only wait as well. Until it gets on, no intent is taken in.
  /// - Parameters:
  ///   - now: of one clock, from call to call.
  ///   - timeout: nanoseconds.
  /// - Returns: those who must be told that their intent is not written; with a `LateIntent` where it may still be. `nil`
  ///   when there is nothing new.
  mutating func watch(now: MonotonicInstant, timeout: Int64) -> [(waiter: Waiter, late: LateIntent?)]? {
    guard writer == .working, let watched, watched.progress == progress else {
      watched = (progress, now)
      return nil
    }
    guard !isStalled, now >= watched.since.advanced(byNanoseconds: timeout) else { return nil }
    isStalled = true
    let late = inFlight.flatMap { $0.abandonIntents() }
    return late + pending.removeIntents().map { ($0, nil) }
  }

  private mutating func noteProgress() {
    progress &+= 1
    isStalled = false
  }
}
