internal import Primitives

/// Additive increase, multiplicative decrease of a rate, as a factor of the configured one.
struct RateAdaptation: Sendable {
  private(set) var factor = 1.0
  private var lastDecrease: MonotonicInstant?
  private var lastStep: MonotonicInstant

  private static let step: Int64 = 1_000_000_000
  private static let decrease = 0.5
  private static let increase = 0.1
  private static let least = 0.05

  init(now: MonotonicInstant) { lastStep = now }

  /// Throttles of one second are answers to one excess; only the first lowers the rate.
  mutating func throttled(now: MonotonicInstant) {
    lastStep = now
    if let last = lastDecrease, now.nanoseconds(since: last) < Self.step { return }
    lastDecrease = now
    factor = max(Self.least, factor * Self.decrease)
  }

  /// Takes the steps up that are due since the last throttle or step.
  mutating func advance(now: MonotonicInstant) {
    let steps = now.nanoseconds(since: lastStep) / Self.step
    guard steps > 0 else { return }
    lastStep = lastStep.advanced(byNanoseconds: steps * Self.step)
    factor = min(1, factor + Self.increase * Double(steps))
  }
}
