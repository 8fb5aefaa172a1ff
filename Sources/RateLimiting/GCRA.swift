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

  /// What one of several places that count for themselves has of it; a burst is one at least.
  package func part(of parts: Int) -> GCRA {
    guard parts > 1 else { return self }
    return GCRA(requestsPerSecond: 1e9 / Double(interval) / Double(parts), burst: burst / parts)
  }

  /// Decides on one request and, when it is allowed, moves `stored` on.
  ///
  /// - Parameter queueFor: nanoseconds that it may wait for its turn, which is then its own: those that come behind it
  ///   wait for later ones.
  package func decide(
    _ stored: inout MonotonicInstant?, now: MonotonicInstant, queueFor: Int64 = 0
  ) -> LimitDecision {
    let ahead = max(0, stored?.nanoseconds(since: now) ?? 0)
    let next = ahead + interval
    let wait = max(0, next - tolerance)
    let isAllowed = wait <= queueFor
    if isAllowed { stored = now.advanced(byNanoseconds: next) }
    return LimitDecision(isAllowed: isAllowed, wait: wait, ahead: isAllowed ? next : ahead, policy: self)
  }

  /// What it would say of one request, which is not counted.
  package func look(_ stored: MonotonicInstant?, now: MonotonicInstant) -> LimitDecision {
    let ahead = max(0, stored?.nanoseconds(since: now) ?? 0)
    let wait = max(0, ahead + interval - tolerance)
    return LimitDecision(isAllowed: wait == 0, wait: wait, ahead: ahead, policy: self)
  }

  /// Requests that would be allowed at once while the stored time is so far ahead.
  fileprivate func left(ahead: Int64) -> Int64 { max(0, tolerance - ahead) / interval }

  /// Nanoseconds until there is one more than those.
  fileprivate func more(ahead: Int64) -> Int64 { ahead + (left(ahead: ahead) + 1) * interval - tolerance }

  /// The stored time that says under this limit what `stored` says under an earlier one: the same part of the burst is
  /// used, and as many requests wait.
  func rescale(_ stored: MonotonicInstant?, from earlier: GCRA, now: MonotonicInstant) -> MonotonicInstant? {
    guard let ahead = stored?.nanoseconds(since: now), ahead > 0 else { return nil }
    let used = Double(min(ahead, earlier.tolerance)) / Double(earlier.tolerance) * Double(tolerance)
    let waiting = Double(max(0, ahead - earlier.tolerance)) / Double(earlier.interval) * Double(interval)
    return now.advanced(byNanoseconds: Int64(min(used + waiting, Self.longest).rounded(.up)))
  }
}

/// What a limit says of one request.
package struct LimitDecision: BitwiseCopyable, Sendable, Hashable {
  package let isAllowed: Bool
  /// Nanoseconds until its turn, if it is allowed, and otherwise until a request would be.
  package let wait: Int64
  /// Requests that would be allowed at once after this one.
  package let remaining: Int
  /// Nanoseconds in which no more than those would be.
  package let reset: Int64
  package let policy: GCRA
}

extension LimitDecision {
  /// - Parameter ahead: nanoseconds that the stored time is ahead of now, with this request if it is allowed.
  package init(isAllowed: Bool, wait: Int64, ahead: Int64, policy: GCRA) {
    self.init(
      isAllowed: isAllowed, wait: wait, remaining: isAllowed ? Int(policy.left(ahead: ahead)) : 0,
      reset: isAllowed ? policy.more(ahead: ahead) : wait, policy: policy)
  }
}
