package import Primitives

/// The generic cell rate algorithm: a rate with a burst, from one stored time per key.
///
/// The stored time is the theoretical arrival time: when the next request would be due if all so far
/// had come at the rate. A key whose time is past has its whole burst again and need not be stored.
package struct GCRA: BitwiseCopyable, Sendable, Hashable {
  /// Nanoseconds that one request takes up.
  package let interval: Int64
  /// Requests that may come at once.
  package let burst: Int
  /// How far the stored time may be ahead of now: the burst's worth of intervals.
  private let tolerance: Int64

  /// A century: rates below one request in it are taken as one in it, so that sums cannot overflow.
  private static let longest: Double = 3.15e18

  /// `requestsPerSecond` above 0, `burst` from 1 to a thousand million (what is outside is taken as the
  /// nearest of them).
  package init(requestsPerSecond: Double, burst: Int) {
    let burst = min(max(1, burst), 1_000_000_000)
    let longest = Self.longest / Double(burst)
    let exact = requestsPerSecond > 0 ? 1e9 / requestsPerSecond : longest
    interval = Int64(min(max(exact, 1), longest).rounded())
    self.burst = burst
    tolerance = interval * Int64(burst)
  }

  /// Decides on one request and, when it is allowed, moves `stored` on.
  package func decide(_ stored: inout MonotonicInstant?, now: MonotonicInstant) -> LimitDecision {
    let ahead = max(0, stored?.nanoseconds(since: now) ?? 0)
    let next = ahead + interval
    guard next <= tolerance else {
      return LimitDecision(
        isAllowed: false, retryAfter: next - tolerance, remaining: 0, reset: ahead, policy: self)
    }
    stored = now.advanced(byNanoseconds: next)
    return LimitDecision(
      isAllowed: true, retryAfter: 0, remaining: Int((tolerance - next) / interval), reset: next,
      policy: self)
  }
}

/// What a limit says of one request.
package struct LimitDecision: BitwiseCopyable, Sendable, Hashable {
  package let isAllowed: Bool
  /// Nanoseconds until a request would be allowed; 0 when this one is.
  package let retryAfter: Int64
  /// Requests that would be allowed at once after this one.
  package let remaining: Int
  /// Nanoseconds until the whole burst is there again.
  package let reset: Int64
  package let policy: GCRA
}
