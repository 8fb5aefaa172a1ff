internal import Primitives

/// What is stored of one rate limit. The limit comes with each question; when it is another one than before, as after a
/// reload, the state is worked out anew under it.
struct BucketState: BitwiseCopyable, Sendable {
  /// GCRA's theoretical arrival time; `nil` while there is none.
  var stored: MonotonicInstant?
  /// Under which it was stored.
  private var limit: GCRA?

  mutating func take(_ new: GCRA, now: MonotonicInstant) {
    guard limit != new else { return }
    if let limit { stored = new.rescale(stored, from: limit, now: now) }
    limit = new
  }

  /// Decides on one request and counts it when it is allowed.
  mutating func decide(_ limit: GCRA, now: MonotonicInstant, queueFor: Int64 = 0) -> LimitDecision {
    take(limit, now: now)
    return limit.decide(&stored, now: now, queueFor: queueFor)
  }

  /// What it would say of one request, which is not counted.
  mutating func look(_ limit: GCRA, now: MonotonicInstant) -> LimitDecision {
    take(limit, now: now)
    return limit.look(stored, now: now)
  }

  /// Past it the state is as good as a new one.
  var idleFrom: MonotonicInstant { stored ?? MonotonicInstant(nanoseconds: .min) }
}
