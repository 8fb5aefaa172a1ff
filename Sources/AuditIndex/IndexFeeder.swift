internal import AuditStore
internal import GRDB
internal import Synchronization
internal import Threads

/// Keeps the index of a journal that is being written up to date, beside everything that is more urgent.
package final class IndexFeeder: Sendable {
  package enum Event: Sendable, Hashable {
    /// The first time that the index holds everything that was in the journal at the start. `unknown`: how many
    /// requests of before were forwarded, as far as the journal tells, and have no known answer.
    case caughtUp(unknown: Int)
    /// The index could not be written; it is tried again. Told once until it can be again.
    case failed(String)
    /// It can be written again.
    case recovered
  }

  private let directory: String
  private let startSequence: Int
  private let lastSequence: @Sendable () -> Int
  private let report: @Sendable (Event) -> Void
  private let wake = ThreadEvent()
  private let isStopping = Atomic(false)

  private let periodAfterFailure: Int64

  private static let period: Int64 = 1_000_000_000
  /// Between two transactions, so that whoever waits for the file gets it, and the disk is the journal's for most of
  /// the time.
  private static let rest: Int64 = 5_000_000
  /// Fewer new records than this are left for later: a query reads them where they are.
  private static let fewRecords = 4096

  /// - Parameters:
  ///   - startSequence: the last record that was in the journal when this process began.
  ///   - lastSequence: the last record that stays, whatever happens; what comes after it is not indexed yet.
  ///   - periodAfterFailure: nanoseconds after which a failure is tried again.
  ///   - report: called on the feeder's thread.
  package init(
    directory: String, startSequence: Int, lastSequence: @escaping @Sendable () -> Int,
    periodAfterFailure: Int64 = 10_000_000_000, report: @escaping @Sendable (Event) -> Void
  ) {
    self.directory = directory
    self.startSequence = startSequence
    self.lastSequence = lastSequence
    self.periodAfterFailure = periodAfterFailure
    self.report = report
  }

  /// Feeds until `stop`.
  package func run() {
    var index: JournalIndex?
    var hasCaughtUp = false
    var isFailing = false
    while !isStopping.load(ordering: .relaxed) {
      do {
        let current = try index ?? JournalIndex(directory: directory)
        index = current
        try feed(current, &hasCaughtUp)
        if isFailing { report(.recovered) }
        isFailing = false
      } catch {
        index = nil
        if !isFailing { report(.failed(Self.message(error))) }
        isFailing = true
      }
      _ = wake.wait(nanoseconds: isFailing ? periodAfterFailure : Self.period)
    }
  }

  /// Ends `run` after the transaction that is under way. For any thread; does not wait.
  package func stop() {
    isStopping.store(true, ordering: .relaxed)
    wake.signal()
  }

  private func feed(_ index: JournalIndex, _ hasCaughtUp: inout Bool) throws {
    let last = lastSequence()
    guard !hasCaughtUp || last >= index.lastSequence + Self.fewRecords else { return }
    try index.update(upTo: last) {
      _ = wake.wait(nanoseconds: Self.rest)
      return !isStopping.load(ordering: .relaxed)
    }
    guard !hasCaughtUp, index.lastSequence >= startSequence else { return }
    hasCaughtUp = true
    report(.caughtUp(unknown: try index.unknownCount(upTo: startSequence)))
  }

  private static func message(_ error: any Error) -> String {
    switch error {
    case IndexFailure.unwritable(let reason): reason
    case let error as DatabaseError: error.message ?? "SQLite: \(error.resultCode)"
    case let fault as FileFault: "\(fault)"
    default: "\(error)"
    }
  }
}
