internal import Glibc
package import Primitives

/// The machine's clocks.
package struct SystemClock: TimeSource {
  package init() {}

  package func monotonic() -> MonotonicInstant {
    MonotonicInstant(nanoseconds: Self.read(CLOCK_MONOTONIC))
  }

  package func wallClock() -> WallClockTime {
    WallClockTime(nanoseconds: Self.read(CLOCK_REALTIME))
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// Random bits for request ids, tokens and jitter: the standard library's generator, which takes them from the kernel.
package struct SystemEntropy: Entropy {
  package init() {}
  package func next() -> UInt64 { UInt64.random(in: .min ... .max) }
}
