package import Primitives
internal import Synchronization

/// The state of one rate limit, used from several loops.
package final class LimiterCell: Sendable {
  private let state = Mutex(BucketState())

  package init() {}

  /// Decides on one request and counts it when it is allowed.
  package func decide(_ limit: GCRA, now: MonotonicInstant, queueFor: Int64 = 0) -> LimitDecision {
    state.withLock { $0.decide(limit, now: now, queueFor: queueFor) }
  }

  /// What it would say of one request, which is not counted.
  package func look(_ limit: GCRA, now: MonotonicInstant) -> LimitDecision {
    state.withLock { $0.look(limit, now: now) }
  }

  /// Takes over what another place that counts by `limit` has: its time is so many nanoseconds ahead.
  package func mirror(_ limit: GCRA, ahead: Int64, now: MonotonicInstant) {
    state.withLock {
      $0.take(limit, now: now)
      $0.stored = ahead > 0 ? now.advanced(byNanoseconds: ahead) : nil
    }
  }

  /// Another limit is in force from now on.
  package func change(to limit: GCRA, now: MonotonicInstant) { state.withLock { $0.take(limit, now: now) } }

  /// Past it the cell is as good as a new one.
  var idleFrom: MonotonicInstant { state.withLock { $0.idleFrom } }
}
