package import Primitives

/// Keeps requests from an upstream that is failing.
///
///     closed ── enough failures in a row ──► open ── time is up ──► half open
///        ▲                                     ▲                        │
///        └────────── the probe succeeds        └── the probe fails ─────┤
///        └───────────────────────────────────────────────────────────────
package struct CircuitBreaker: Sendable {
  private enum State: Sendable {
    /// Requests pass; so many have failed since the last success.
    case closed(failures: Int)
    /// Requests are refused until then; the next one after it is a probe.
    case open(until: MonotonicInstant)
    /// One request is out to see. If nothing is heard of it until then, another may go.
    case halfOpen(until: MonotonicInstant)
  }

  package enum Admission: Sendable, Hashable {
    case allowed
    /// Nanoseconds until a request will be let through to see.
    case refused(retryAfter: Int64)
  }

  private var state = State.closed(failures: 0)
  private let consecutiveFailures: Int
  /// Nanoseconds.
  private let openFor: Int64

  package init(consecutiveFailures: Int, openForNanoseconds: Int64) {
    self.consecutiveFailures = max(1, consecutiveFailures)
    openFor = openForNanoseconds
  }

  package var isOpen: Bool {
    if case .closed = state { false } else { true }
  }

  package mutating func admit(now: MonotonicInstant) -> Admission {
    switch state {
    case .closed:
      return .allowed
    case .open(let end), .halfOpen(let end):
      guard now >= end else { return .refused(retryAfter: end.nanoseconds(since: now)) }
      state = .halfOpen(until: now.advanced(byNanoseconds: openFor))
      return .allowed
    }
  }

  /// Upstream answered, whatever it said. An answer to a request from before the circuit opened counts,
  /// too: upstream is there.
  /// - Returns: whether that closed the circuit.
  @discardableResult
  package mutating func succeeded() -> Bool {
    let wasOpen = isOpen
    state = .closed(failures: 0)
    return wasOpen
  }

  /// Upstream could not be reached, did not answer, or answered that it cannot serve.
  /// - Returns: whether that opened the circuit. A probe that fails leaves it open.
  @discardableResult
  package mutating func failed(now: MonotonicInstant) -> Bool {
    let wasOpen = isOpen
    switch state {
    case .closed(let failures) where failures + 1 < consecutiveFailures:
      state = .closed(failures: failures + 1)
    case .closed, .halfOpen:
      state = .open(until: now.advanced(byNanoseconds: openFor))
    case .open:
      // A request from before the circuit opened; that it failed is no news.
      break
    }
    return isOpen && !wasOpen
  }
}
