internal import Primitives

/// What retention takes for the time: the clock's, as long as the journal's own times allow it.
///
/// A clock that is wrong for one start would make retention remove everything. So it is followed only as far as a gateway
/// can plausibly have been stopped since the journal's last record, and then as time passes by the clock that nobody
/// sets. What came of a longer pause is removed later: segments are kept too long, never too short. The next start goes
/// by the records that were written since.
struct RetentionClock {
  private static let second: Int64 = 1_000_000_000
  private static let hour = 3600 * second
  private static let week = 7 * 24 * hour

  /// The latest time that is believed, when it began.
  private let latest: WallClockTime
  private let begun: MonotonicInstant
  private var isTold = false

  /// - Parameters:
  ///   - lastTime: of the journal's last record; `nil` when it has none: then there is nothing to remove either.
  ///   - keptNanoseconds: how long segments are kept.
  init(lastTime: WallClockTime?, keptNanoseconds: Int64?, now: MonotonicInstant, wallClock: WallClockTime) {
    latest = (lastTime ?? wallClock).advanced(byNanoseconds: Self.step(keptNanoseconds ?? 0))
    begun = now
  }

  /// How long a gateway may have been stopped: a week, less where segments are not kept for long.
  private static func step(_ kept: Int64) -> Int64 { max(hour, min(week, kept / 4)) }

  /// - Returns: with it, the first time, by how many seconds the clock is ahead of it.
  mutating func time(
    _ wallClock: WallClockTime, at now: MonotonicInstant
  ) -> (WallClockTime, toldAhead: Int64?) {
    let most = latest.advanced(byNanoseconds: now.nanoseconds(since: begun))
    guard wallClock > most else { return (wallClock, nil) }
    defer { isTold = true }
    return (most, isTold ? nil : wallClock.nanoseconds(since: most) / Self.second)
  }
}
