package import Primitives
internal import Synchronization

/// The state of one rate limit, used from several loops. The limit comes with each question; when it is another one than
/// before, as after a reload, the state is worked out anew under it.
package final class LimiterCell: Sendable {
  private struct State: BitwiseCopyable {
    /// GCRA's theoretical arrival time; `nil` while there is none.
    var stored: MonotonicInstant?
    /// Under which it was stored.
    var limit: GCRA?

    mutating func take(_ new: GCRA, now: MonotonicInstant) {
      guard limit != new else { return }
      if let limit { stored = new.rescale(stored, from: limit, now: now) }
      limit = new
    }
  }

  private let state = Mutex(State())

  package init() {}

  /// Decides on one request and counts it when it is allowed.
  package func decide(_ limit: GCRA, now: MonotonicInstant, queueFor: Int64 = 0) -> LimitDecision {
    state.withLock {
      $0.take(limit, now: now)
      return limit.decide(&$0.stored, now: now, queueFor: queueFor)
    }
  }

  /// Another limit is in force from now on.
  package func change(to limit: GCRA, now: MonotonicInstant) { state.withLock { $0.take(limit, now: now) } }

  /// Past it the cell is as good as a new one.
  var idleFrom: MonotonicInstant { state.withLock { $0.stored } ?? MonotonicInstant(nanoseconds: .min) }
}
