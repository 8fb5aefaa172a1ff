internal import Primitives
internal import Synchronization

/// Whether the store counts, for all workers: what operators are told once when it changes, and `/readyz` until then.
package final class StoreHealth: Sendable {
  /// Times are nanoseconds.
  package enum Event: Sendable, Hashable {
    case down(reason: String)
    case up(after: Int64)
    /// It answers, but cannot count for some.
    case faulty(reason: String)
    case sound(after: Int64)
  }

  private struct State {
    /// The workers that have a connection, once they have all tried.
    var connected: Set<Int> = []
    var down: (since: MonotonicInstant, reason: String)?
    var faulty: (since: MonotonicInstant, last: MonotonicInstant, reason: String)?
    var gateways = 1
  }

  private let state = Mutex(State())
  private let workers: Int
  private let report: @Sendable (Event) -> Void

  /// Faults are over when none came for so long; nanoseconds.
  private static let faultsLast: Int64 = 10_000_000_000

  /// - Parameters:
  ///   - workers: how many there are, each with a connection of its own.
  ///   - report: called from any worker's loop; it must not wait.
  package init(workers: Int, report: @escaping @Sendable (Event) -> Void) {
    self.workers = workers
    self.report = report
  }

  /// Whether all workers have a connection that works.
  package var isUp: Bool { state.withLock { $0.down == nil && $0.connected.count == workers } }

  /// What is wrong; `nil`: nothing.
  package var problem: String? { state.withLock { $0.down?.reason ?? $0.faulty?.reason } }

  /// How many gateways were seen last, this one included.
  package var gateways: Int { state.withLock { $0.gateways } }

  func saw(gateways: Int) { state.withLock { $0.gateways = max(1, gateways) } }

  func connected(_ worker: Int, now: MonotonicInstant) {
    let since = state.withLock { state -> MonotonicInstant? in
      state.connected.insert(worker)
      guard state.connected.count == workers else { return nil }
      defer { state.down = nil }
      return state.down?.since
    }
    if let since { report(.up(after: now.nanoseconds(since: since))) }
  }

  func failed(_ worker: Int, _ failure: StoreFailure, now: MonotonicInstant) {
    let reason = "\(failure)"
    let isNew = state.withLock { state in
      state.connected.remove(worker)
      defer { state.down = (state.down?.since ?? now, reason) }
      return state.down == nil
    }
    if isNew { report(.down(reason: reason)) }
  }

  /// One request could not be counted.
  func faulted(_ reason: String, now: MonotonicInstant) {
    let isNew = state.withLock { state in
      defer { state.faulty = (state.faulty?.since ?? now, now, reason) }
      return state.faulty == nil
    }
    if isNew { report(.faulty(reason: reason)) }
  }

  /// Called now and then.
  func check(now: MonotonicInstant) {
    let ended = state.withLock { state -> Int64? in
      guard let faulty = state.faulty, now.nanoseconds(since: faulty.last) > Self.faultsLast else {
        return nil
      }
      state.faulty = nil
      return faulty.last.nanoseconds(since: faulty.since)
    }
    if let ended { report(.sound(after: ended)) }
  }
}
