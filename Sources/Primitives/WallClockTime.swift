/// A point in civil time: nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
package struct WallClockTime: BitwiseCopyable, Hashable, Sendable, Comparable {
  package let nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  package init(seconds: Int64) { nanoseconds = seconds &* 1_000_000_000 }

  package var seconds: Int64 {
    // Floor, so that times before 1970 still fall into the right day.
    let quotient = nanoseconds / 1_000_000_000
    return nanoseconds % 1_000_000_000 < 0 ? quotient - 1 : quotient
  }

  package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
  package func advanced(byNanoseconds delta: Int64) -> Self { .init(nanoseconds: nanoseconds &+ delta) }
  /// The nanoseconds from `earlier` to this time.
  package func nanoseconds(since earlier: Self) -> Int64 { nanoseconds &- earlier.nanoseconds }
}

/// A point on a clock that never goes back: nanoseconds since an arbitrary start.
package struct MonotonicInstant: BitwiseCopyable, Hashable, Sendable, Comparable {
  package let nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
  package func advanced(byNanoseconds delta: Int64) -> Self { .init(nanoseconds: nanoseconds &+ delta) }
  /// The nanoseconds from `earlier` to this instant.
  package func nanoseconds(since earlier: Self) -> Int64 { nanoseconds &- earlier.nanoseconds }
}

/// Where the time comes from. The executable chooses the real one; tests advance theirs by hand.
package protocol TimeSource: Sendable {
  func monotonic() -> MonotonicInstant
  func wallClock() -> WallClockTime
}

/// Where unpredictable bits come from. Tests use a seeded one.
package protocol Entropy: Sendable {
  func next() -> UInt64
}
