package import Primitives

/// A clock that stands still.
package struct StoppedClock: TimeSource {
  private let time: WallClockTime

  package init(at time: WallClockTime = WallClockTime(nanoseconds: 0)) { self.time = time }

  package func monotonic() -> MonotonicInstant { MonotonicInstant(nanoseconds: 0) }
  package func wallClock() -> WallClockTime { time }
}
