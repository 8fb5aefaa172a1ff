import Glibc
import Primitives

/// The machine's clocks.
struct MachineClock: TimeSource {
  func monotonic() -> MonotonicInstant { MonotonicInstant(nanoseconds: Self.read(CLOCK_MONOTONIC)) }
  func wallClock() -> WallClockTime { WallClockTime(nanoseconds: Self.read(CLOCK_REALTIME)) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
