internal import Primitives
internal import Synchronization
internal import Transport

/// Whether upstream can be reached, for all workers: what operators are told once when it changes, and `/readyz` until then.
final class UpstreamHealth: Sendable {
  /// Times are nanoseconds.
  enum Event: Sendable {
    /// No connection comes about.
    case unreachable(reason: String)
    case reachable(after: Int64)
    /// Upstream is left alone for a while, again and again until it answers.
    case circuitOpened(reason: String)
    case circuitClosed(after: Int64)
    /// It takes neither key nor signature of the gateway, or of the role of `tenant`.
    case refusesUs(tenant: Text?, type: String)
    case takesUs(tenant: Text?, after: Int64)
  }

  private struct State {
    /// By tenant, for those that have a role; `nil`: the gateway's own.
    var refusals: [Text?: (since: MonotonicInstant, type: String)] = [:]
    var unreachable: (since: MonotonicInstant, reason: String)?
    var circuitOpen: (since: MonotonicInstant, reason: String)?
    /// How the last failed exchange failed.
    var lastFailure = "upstream answers that it cannot serve"
  }

  private let state = Mutex(State())
  /// Read with each answer, so that nothing else need be while all is well.
  private let isTroubled = Atomic(false)
  private let report: @Sendable (Event) -> Void

  /// - Parameter report: called from any worker's loop; it must not wait.
  init(report: @escaping @Sendable (Event) -> Void) { self.report = report }

  /// Upstream answered, whatever it said.
  func answered(now: MonotonicInstant) {
    guard hasTrouble else { return }
    let since = state.withLock { state in
      defer {
        state.unreachable = nil
        noteTrouble(state)
      }
      return state.unreachable?.since
    }
    if let since { report(.reachable(after: now.nanoseconds(since: since))) }
  }

  /// It answered with this status, which says that it cannot serve.
  func answeredWithFault(_ status: Int, now: MonotonicInstant) {
    answered(now: now)
    state.withLock { $0.lastFailure = "upstream answered \(status)" }
  }

  func failed(_ failure: ExchangeFailure, now: MonotonicInstant) {
    let reason = failure.reason
    let hasBegun = state.withLock { state in
      state.lastFailure = reason
      guard failure.isBeforeConnection else { return false }
      let hasBegun = state.unreachable == nil
      state.unreachable = (state.unreachable?.since ?? now, reason)
      noteTrouble(state)
      return hasBegun
    }
    if hasBegun { report(.unreachable(reason: reason)) }
  }

  /// Whether there is anything that an answer could end.
  var hasTrouble: Bool { isTroubled.load(ordering: .relaxed) }

  /// It took the request for one of somebody whom it knows.
  func took(tenant: Text?, now: MonotonicInstant) {
    let refusal = state.withLock { state in
      defer { noteTrouble(state) }
      return state.refusals.removeValue(forKey: tenant)
    }
    if let refusal { report(.takesUs(tenant: tenant, after: now.nanoseconds(since: refusal.since))) }
  }

  func refused(tenant: Text?, type: String, now: MonotonicInstant) {
    let hasBegun = state.withLock { state in
      let known = state.refusals[tenant]
      state.refusals[tenant] = (known?.since ?? now, type)
      noteTrouble(state)
      return known == nil
    }
    if hasBegun { report(.refusesUs(tenant: tenant, type: type)) }
  }

  func circuitOpened(now: MonotonicInstant) {
    let reason = state.withLock { state in
      state.circuitOpen = (now, state.lastFailure)
      return state.lastFailure
    }
    report(.circuitOpened(reason: reason))
  }

  func circuitClosed(now: MonotonicInstant) {
    let since = state.withLock { state in
      defer { state.circuitOpen = nil }
      return state.circuitOpen?.since
    }
    if let since { report(.circuitClosed(after: now.nanoseconds(since: since))) }
  }

  /// What `/readyz` says: nothing of it keeps the gateway from being ready, as another one would fare no better.
  var detail: String {
    state.withLock { state in
      var parts: [String] = []
      if let unreachable = state.unreachable { parts.append("unreachable: \(unreachable.reason)") }
      if let open = state.circuitOpen { parts.append("circuit open: \(open.reason)") }
      if let refusal = state.refusals[nil] {
        parts.append("refuses the gateway's credentials: \(refusal.type)")
      }
      return parts.isEmpty ? "no problem known" : parts.joined(separator: "; ")
    }
  }

  private func noteTrouble(_ state: State) {
    isTroubled.store(state.unreachable != nil || !state.refusals.isEmpty, ordering: .relaxed)
  }
}

extension ExchangeFailure {
  /// Whether there was no connection to send anything on.
  fileprivate var isBeforeConnection: Bool {
    switch self {
    case .notSent, .timedOut(sent: false): true
    case .lost, .unreadable, .timedOut(sent: true): false
    }
  }

  fileprivate var reason: String {
    switch self {
    case .notSent(let error): "\(error)"
    case .lost(let error): "the connection was lost before an answer came: \(error)"
    case .unreadable(let violation): "the answer cannot be read: \(violation)"
    case .timedOut(sent: false): "there was no connection in time"
    case .timedOut(sent: true): "no answer came in time"
    }
  }
}
