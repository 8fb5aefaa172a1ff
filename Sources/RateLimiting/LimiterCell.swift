package import Primitives
internal import Synchronization

/// The state of one rate limit, used from several loops without a lock. What the limit is comes with each question, so
/// that a reload's numbers hold at once.
package final class LimiterCell: Sendable {
  /// GCRA's theoretical arrival time in nanoseconds; the lowest number while there is none.
  private let stored = Atomic<Int64>(.min)

  package init() {}

  /// Decides on one request and counts it when it is allowed.
  package func decide(_ limit: GCRA, now: MonotonicInstant) -> LimitDecision {
    var found = stored.load(ordering: .relaxed)
    while true {
      var next = found == .min ? nil : MonotonicInstant(nanoseconds: found)
      let decision = limit.decide(&next, now: now)
      guard decision.isAllowed, let next else { return decision }
      let (isExchanged, current) = stored.weakCompareExchange(
        expected: found, desired: next.nanoseconds, ordering: .relaxed)
      if isExchanged { return decision }
      found = current
    }
  }

  /// Past it the cell is as good as a new one.
  var idleFrom: MonotonicInstant { MonotonicInstant(nanoseconds: stored.load(ordering: .relaxed)) }
}
