import Primitives

/// The time of a simulation and its agenda: it stands still until the next entry is taken, whoever reads it meanwhile.
///
/// `@unchecked Sendable`: everything of a simulation is on one thread.
final class SimulatedTime: TimeSource, @unchecked Sendable {
  private struct Entry {
    let due: Int64
    let number: Int
    let action: () -> Void
  }

  /// Monotonic, nanoseconds.
  private(set) var now: Int64 = 1_000_000_000_000
  /// What the wall clock shows beyond that; it is set now and then.
  private var wallOffset: Int64 = 1_795_000_000_000_000_000
  private var agenda: [Entry] = []
  private var numbers = 0

  func monotonic() -> MonotonicInstant { MonotonicInstant(nanoseconds: now) }
  func wallClock() -> WallClockTime { WallClockTime(nanoseconds: now + wallOffset) }

  /// Sets the wall clock forward or back.
  func setWallClock(by nanoseconds: Int64) { wallOffset += nanoseconds }

  func after(_ nanoseconds: Int64, _ action: @escaping () -> Void) {
    numbers += 1
    agenda.append(Entry(due: now + max(0, nanoseconds), number: numbers, action: action))
  }

  /// When the next entry is due; `nil`: there is none.
  var next: Int64? { agenda.map(\.due).min() }

  /// Goes on to the next entry and does what it says.
  func advance() {
    guard
      let index = agenda.indices.min(by: {
        (agenda[$0].due, agenda[$0].number) < (agenda[$1].due, agenda[$1].number)
      })
    else { return }
    let entry = agenda.remove(at: index)
    now = max(now, entry.due)
    entry.action()
  }
}

extension Int64 {
  static func milliseconds(_ range: ClosedRange<Int64>, _ entropy: inout some RandomNumberGenerator) -> Int64
  {
    Int64.random(in: range, using: &entropy) * 1_000_000
  }
}
