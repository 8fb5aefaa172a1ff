internal import Primitives
internal import Synchronization

/// Who waits for an intent. It is resumed with a number, not with a `Result`, which would be copied at some cost.
typealias IntentWaiter = UnsafeContinuation<IntentAnswer, Never>

/// What became of an intent.
struct IntentAnswer: Sendable {
  /// The number it has in the journal.
  let sequence: Int
  /// Why it is not in the journal; `nil` when it is.
  let failure: Failure?

  /// A reference, as it is hardly ever there.
  final class Failure: Sendable {
    let failure: JournalFailure
    init(_ failure: JournalFailure) { self.failure = failure }
  }

  /// Not known yet.
  static let open = IntentAnswer(sequence: 0, failure: nil)

  init(sequence: Int, failure: Failure? = nil) {
    self.sequence = sequence
    self.failure = failure
  }

  static func failed(_ failure: JournalFailure) -> IntentAnswer {
    IntentAnswer(sequence: 0, failure: Failure(failure))
  }

  func get() throws(JournalFailure) -> Int {
    if let failure { throw failure.failure }
    return sequence
  }
}

/// Where the writer puts bundles of one loop when it is done with them, until the loop has told those who wait; and where
/// empty ones wait for their next use.
package final class RecordAnswers: Sendable {
  private struct State {
    var answered: [RecordBundle<IntentWaiter>] = []
    var empty: [RecordBundle<IntentWaiter>] = []
  }

  private let state = Mutex(State())
  private let wake: @Sendable (RecordAnswers) -> Void

  /// A loop has few bundles under way: one that it fills, and those that gathered while the disk was busy.
  private static let mostEmpty = 8
  /// What a large turn made is not kept.
  private static let largestEmpty = 512 * 1024

  init(wake: @escaping @Sendable (RecordAnswers) -> Void) { self.wake = wake }

  /// Resumes those whose intents are answered. Cheapest on the thread that runs them.
  package func deliver() {
    let bundles = state.withLock { state in
      let answered = state.answered
      state.answered = []
      return answered
    }
    guard !bundles.isEmpty else { return }
    for bundle in bundles {
      bundle.tellWaiters()
      bundle.removeAll()
    }
    state.withLock { state in
      for bundle in bundles
      where state.empty.count < Self.mostEmpty && bundle.bytes.room <= Self.largestEmpty {
        state.empty.append(bundle)
      }
    }
  }

  func add(_ bundle: RecordBundle<IntentWaiter>) {
    let isFirst = state.withLock { state in
      state.answered.append(bundle)
      return state.answered.count == 1
    }
    if isFirst { wake(self) }
  }

  /// Nobody fills bundles any more.
  func dropEmpty() { state.withLock { $0.empty = [] } }

  func emptyBundle() -> RecordBundle<IntentWaiter> {
    state.withLock { $0.empty.popLast() } ?? RecordBundle(home: self)
  }
}

extension RecordBundle where Waiter == IntentWaiter {
  func tellWaiters() {
    forEachWaiter { waiter, place in
      waiter.resume(
        returning: answer.failure == nil ? IntentAnswer(sequence: answer.sequence + place) : answer)
    }
  }
}
