internal import Primitives

/// The end of serving: what under way is gets its time, and no more.
///
///     serving ── begin ──► draining ── check: no connections, or time over ──► over
struct DrainMachine: Sendable {
  private enum State: Sendable {
    case serving
    case draining(until: MonotonicInstant)
    /// The loops were told to stop.
    case over(until: MonotonicInstant)
  }

  enum Step: Sendable, Hashable {
    /// End idle connections, wait so long (nanoseconds), and check again.
    case interruptIdle(thenWait: Int64)
    /// Stop the loops; so many connections had not ended in time.
    case stop(abandoned: Int)
  }

  private var state = State.serving

  /// Connections become idle when their answer is written; they are looked at this often.
  private static let checkEvery: Int64 = 20_000_000
  /// A disk that answers takes a few milliseconds to close a journal.
  private static let leastForJournal: Int64 = 1_000_000_000

  /// A signal asks for it. `false`: it was asked for before.
  /// - Parameter timeout: nanoseconds until whatever is under way is given up.
  mutating func begin(now: MonotonicInstant, timeout: Int64) -> Bool {
    guard case .serving = state else { return false }
    state = .draining(until: now.advanced(byNanoseconds: timeout))
    return true
  }

  /// To be called until it says to stop.
  mutating func check(openConnections: Int, now: MonotonicInstant) -> Step {
    guard case .draining(let end) = state else { return .stop(abandoned: 0) }
    if openConnections > 0, now < end {
      return .interruptIdle(thenWait: min(Self.checkEvery, end.nanoseconds(since: now)))
    }
    state = .over(until: end)
    return .stop(abandoned: openConnections)
  }

  /// When draining is over; `nil` before it has begun.
  var end: MonotonicInstant? {
    switch state {
    case .serving: nil
    case .draining(let end), .over(let end): end
    }
  }

  /// Until when the last spans may be sent: half of what is left, the rest is the journal's.
  func endForSpans(now: MonotonicInstant) -> MonotonicInstant {
    now.advanced(byNanoseconds: max(0, end.map { $0.nanoseconds(since: now) / 2 } ?? 0))
  }

  /// Nanoseconds that closing the journal may take, at least enough for a disk that answers; `nil`: any time.
  func timeForJournal(now: MonotonicInstant) -> Int64? {
    end.map { max($0.nanoseconds(since: now), Self.leastForJournal) }
  }
}
