package import Primitives

/// When one identity's credentials are asked for. It asks nobody and looks at no clock; whoever drives it tells it the
/// time and what came of an attempt, and does what it says.
///
///     asking ── succeeded ──► holding ── the margin has come, or `demand` ──► asking
///       ▲  └──── failed ────► pausing ── the pause is over ───────────────────┘
///
/// One attempt is made at a time. Credentials that are still valid stay in force while others are asked for, and while
/// that fails. What ends is told apart by the wall clock, pauses by the clock that nobody sets.
package struct RefreshMachine: Sendable {
  /// What to do next.
  package enum Action: Sendable, Hashable {
    /// Ask the source, then call `succeeded` or `failed`.
    case attempt
    /// Ask again in so many nanoseconds.
    case wait(nanoseconds: Int64)
    /// Nothing until somebody demands something.
    case rest
  }

  /// What operators are told once.
  package enum Notice: Sendable, Hashable {
    case failing
    case recovered
  }

  /// What becomes of a demand.
  package enum Demand: Sendable, Hashable {
    /// An attempt begins with it; `next` says so, too.
    case begins
    /// It shares the one that is under way.
    case joins
    /// The last attempt was too short ago.
    case tooSoon
  }

  private enum State: Sendable, Hashable {
    /// Nothing is under way.
    case holding
    case asking
    /// The last attempt failed; the next one may begin then.
    case pausing(until: MonotonicInstant)
  }

  /// The SDKs take credentials for stale when this much is left of them; nanoseconds.
  private static let margin: Int64 = 900_000_000_000
  /// So that clocks that are set and machines that slept are noticed.
  private static let longestWait: Int64 = 60_000_000_000
  /// How often it is looked whether credentials that nobody uses are used again.
  private static let idleWait: Int64 = 10_000_000_000
  private static let firstPause: Int64 = 1_000_000_000
  private static let longestPause: Int64 = 10_000_000_000

  private var state = State.holding
  private var isHeld = false
  private var isDemanded: Bool
  /// When what is held has to be asked for anew; `nil`: it does not end.
  private var refreshAt: WallClockTime?
  private var end: WallClockTime?
  private var failures = 0
  /// Fresh credentials that upstream refused as well, in a row, and until when no more are asked for because of that.
  private var refusals = 0
  private var demandsFrom: MonotonicInstant?

  /// - Parameter isLazy: whether nothing is asked for until somebody demands it.
  package init(isLazy: Bool = false) { isDemanded = !isLazy }

  package var isAsking: Bool { state == .asking }
  package var isFailing: Bool { failures > 0 }

  /// - Parameter isWanted: whether somebody has used what is held since it came.
  package mutating func next(
    now: MonotonicInstant, wall: WallClockTime, isWanted: Bool = true
  ) -> Action {
    switch state {
    case .asking: return .rest
    case .pausing(let until):
      let pause = until.nanoseconds(since: now)
      if pause > 0 { return .wait(nanoseconds: pause) }
      guard isWanted || isDemanded else {
        state = .holding
        return next(now: now, wall: wall, isWanted: isWanted)
      }
    case .holding:
      guard !isDemanded else { break }
      guard isHeld, let refreshAt, let end else { return .rest }
      let left = refreshAt.nanoseconds(since: wall)
      if left > 0 { return .wait(nanoseconds: min(left, Self.longestWait)) }
      if !isWanted {
        // Whoever uses it next asks for it anew.
        guard wall < end else {
          isHeld = false
          return .rest
        }
        return .wait(nanoseconds: min(end.nanoseconds(since: wall), Self.idleWait))
      }
    }
    isDemanded = false
    state = .asking
    return .attempt
  }

  /// Somebody needs others than are held: there are none, or upstream took them for expired.
  package mutating func demand(now: MonotonicInstant, isRefused: Bool = false) -> Demand {
    switch state {
    case .asking: return .joins
    case .pausing(let until):
      guard until <= now else { return .tooSoon }
    case .holding:
      if isRefused, let demandsFrom, now < demandsFrom { return .tooSoon }
    }
    isDemanded = true
    return .begins
  }

  /// What upstream said to credentials that were asked for because it had refused those before.
  package mutating func noteFresh(
    refused: Bool, now: MonotonicInstant, entropy: some Entropy
  ) {
    guard refused else {
      (refusals, demandsFrom) = (0, nil)
      return
    }
    demandsFrom = now.advanced(byNanoseconds: Self.pause(after: refusals, entropy))
    refusals += 1
  }

  /// - Parameter end: when they end; `nil`: they do not.
  package mutating func succeeded(
    end: WallClockTime?, wall: WallClockTime, entropy: some Entropy
  ) -> Notice? {
    defer { failures = 0 }
    state = .holding
    (isHeld, isDemanded) = (true, false)
    self.end = end
    refreshAt = end.map { Self.refreshTime(end: $0, wall: wall, entropy) }
    return failures > 0 ? .recovered : nil
  }

  package mutating func failed(now: MonotonicInstant, entropy: some Entropy) -> Notice? {
    defer { failures += 1 }
    isDemanded = false
    state = .pausing(until: now.advanced(byNanoseconds: Self.pause(after: failures, entropy)))
    return failures == 0 ? .failing : nil
  }

  /// Before the margin, by up to a tenth of it: gateways that began together do not all ask at once.
  private static func refreshTime(
    end: WallClockTime, wall: WallClockTime, _ entropy: some Entropy
  ) -> WallClockTime {
    let lifetime = max(0, end.nanoseconds(since: wall))
    let margin = min(Self.margin, lifetime / 4)
    let early = Int64(entropy.next().multipliedFullWidth(by: UInt64(margin / 10) + 1).high)
    // A source that gives what ends in a moment is not asked without a pause.
    return max(
      end.advanced(byNanoseconds: -margin - early), wall.advanced(byNanoseconds: min(firstPause, lifetime)))
  }

  /// Doubles with each failure, and is between half of that and all of it.
  private static func pause(after failures: Int, _ entropy: some Entropy) -> Int64 {
    let bound = min(longestPause, firstPause << Int64(min(failures, 10)))
    return bound / 2 + Int64(entropy.next().multipliedFullWidth(by: UInt64(bound / 2) + 1).high)
  }
}
