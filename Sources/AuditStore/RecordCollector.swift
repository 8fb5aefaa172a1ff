package import AuditTrail
package import Primitives
internal import Synchronization

/// Gathers the records of one loop's turn and hands them to the journal's writer together: one lock and at most one
/// signal a turn, however many requests the turn served.
///
///     let records = RecordCollector(for: journal, under: sensitivity) { _ in loop.wake() }
///     loop.onTurnEnd { records.handOver() }
///     loop.onWake { records.deliver() }
///     …
///     let intent = try await records.intend { record in
///       record.begin(intent: id, at: time)
///       record.tenant(tenant)
///       …
///       record.end()
///     }
///
/// It belongs to the loop's thread. The journal has the records in the order in which they were given.
package final class RecordCollector {
  private let journal: Journal
  private let answers: RecordAnswers
  private var record: RecordWriter
  private var bundle: RecordBundle<IntentWaiter>

  /// More than this does not wait for the end of the turn.
  private static let mostBytes = 256 * 1024

  /// - Parameters:
  ///   - sensitivity: what records show of the values that the service model marks sensitive.
  ///   - wake: makes the loop call `deliver`; called from the writer's thread, at most once before each `deliver`.
  package init(
    for journal: Journal, under sensitivity: Sensitivity,
    wake: @escaping @Sendable (RecordAnswers) -> Void
  ) {
    self.journal = journal
    answers = RecordAnswers(wake: wake)
    record = RecordWriter(under: sensitivity)
    bundle = answers.emptyBundle()
  }

  /// They know each other.
  deinit { answers.dropEmpty() }

  /// Writes a request's intent.
  /// - Parameter write: writes one record, from `begin` to `end`.
  /// - Returns: when the record is where the durability wants it. Not before `handOver` was called.
  package func intend(
    _ write: (inout RecordWriter) -> Void
  ) async throws(JournalFailure) -> Journal.Intent {
    guard journal.isKept else { return .discarded }
    append(write)
    let answer = await withUnsafeContinuation { (waiter: IntentWaiter) in
      bundle.note(intentEndingAt: record.bytes.count, waiter)
      handOverIfLarge()
    }
    return try journal.intent(answer)
  }

  /// Takes the outcome of a request that was forwarded and does not wait: it is written with the next intents, or a few milliseconds after it was handed
  /// over. While the journal cannot be written it is kept and tried again.
  /// - Parameter write: writes one record, from `begin` to `end`.
  package func conclude(_ write: (inout RecordWriter) -> Void) {
    guard journal.isKept else { return }
    append(write)
    bundle.note(outcomeEndingAt: record.bytes.count)
    handOverIfLarge()
  }

  /// Takes the outcome of a request that was not forwarded, if it gets a record; if not, it is counted.
  /// - Parameters:
  ///   - now: when it came.
  ///   - time: the same.
  ///   - write: as above.
  package func conclude(
    _ request: UnforwardedRequest, now: MonotonicInstant, at time: WallClockTime,
    _ write: (inout RecordWriter) -> Void
  ) {
    guard journal.isKept else { return }
    let start = record.bytes.count
    append(write)
    let bytes = record.bytes.count - start
    let isAdmitted = journal.shared.refusals.withLock {
      $0.admit(request, bytes: bytes, now: now, time: time)
    }
    guard isAdmitted else { return record.truncate(to: start) }
    bundle.note(outcomeEndingAt: record.bytes.count, isForwarded: false)
    handOverIfLarge()
  }

  /// The outcome of a request whose proof of intent names a `LateIntent`.
  package func conclude(_ late: LateIntent, _ outcome: @escaping LateIntent.Outcome) {
    journal.conclude(late, outcome)
  }

  /// What records show of sensitive values from now on.
  package func write(under sensitivity: Sensitivity) {
    handOver()
    record = RecordWriter(under: sensitivity)
  }

  /// To be called at the end of every turn of the loop.
  package func handOver() {
    guard !bundle.isEmpty else { return }
    record.exchangeBytes(with: &bundle.bytes)
    if journal.shared.handOver(bundle) { bundle = answers.emptyBundle() } else { bundle.removeAll() }
  }

  /// Resumes those whose intents are answered; to be called on the loop when it was woken.
  package func deliver() { answers.deliver() }

  /// Each place in which a record is written has its own copy, so that what writes it is called directly.
  @inline(__always)
  private func append(_ write: (inout RecordWriter) -> Void) {
    let start = record.bytes.count
    write(&record)
    if record.isTooLong(from: start) { record.rewrite(from: start, write) }
  }

  private func handOverIfLarge() {
    if record.bytes.count > Self.mostBytes { handOver() }
  }
}
