package import Primitives

/// One request on its way upstream, over all its attempts: what is to be done next. It does nothing itself and asks
/// nobody; whoever sends tells it what happened and does what it says.
///
///     begin ──► sending ── ended ──► over
///                 ▲  └──── ended ──► waiting ── waited ──► turn ── turnRefused ──► over
///                 └───────────────────── turnTaken ─────────┘
///
/// Once, credentials that upstream takes for expired are asked for anew between an attempt and the turn for another, which
/// counts neither as one of the attempts nor against the retry budget: `ended ──► refreshing ── refreshed ──► turn`.
///
/// Another attempt is made only where it is safe: when nothing was sent, or for requests that upstream recognises as the
/// same (those with a ClientRequestToken) or that change nothing. It takes its turn anew, so that retries neither exceed
/// the account's quota nor reach an upstream that is left alone.
package struct ForwardingMachine: Sendable {
  /// What is known of the request before it is sent.
  package struct Rules: Sendable {
    /// The most attempts, the first one included.
    package let attempts: Int
    /// When the whole exchange must be over.
    package let deadline: MonotonicInstant
    /// Whether a request that may have arrived may be sent again.
    package let isRepeatable: Bool
    package let backoff: Backoff

    package init(attempts: Int, deadline: MonotonicInstant, isRepeatable: Bool, backoff: Backoff = Backoff())
    {
      self.attempts = attempts
      self.deadline = deadline
      self.isRepeatable = isRepeatable
      self.backoff = backoff
    }
  }

  /// How an attempt ended.
  package enum AttemptEnd: Sendable, Hashable {
    case answered(status: Int)
    /// Upstream answered that the credentials have expired: it did nothing.
    case credentialsExpired
    /// No byte of the request left.
    case notSent
    /// It was sent, and the connection ended without an answer.
    case lost
    /// An answer came that cannot be read, or not wholly.
    case unreadable
    case timedOut(sent: Bool)
  }

  package enum Action: Sendable, Hashable {
    /// Send the request, then call `ended`.
    case send
    /// A retry, paid for: wait, then call `waited`.
    case wait(nanoseconds: Int64, RetryReason)
    /// Have other credentials, then call `refreshed` or `notRefreshed`.
    case refreshCredentials
    /// Ask the upstream budget and the circuit breaker anew, then call `turnTaken` or `turnRefused`.
    case takeTurn
    /// It is over: give upstream's last answer.
    case answer
    /// It is over without an answer to give.
    case refuse(Failure)
  }

  /// Why there is no answer. What says that something was sent may mean an attempt before the last.
  package enum Failure: Sendable, Hashable {
    /// Nothing was sent in any attempt.
    case unreachable
    case lost
    case unreadable
    case tooSlow(sent: Bool)
  }

  private enum State: Sendable {
    case ready, sending, waiting, refreshing, turn, over
  }

  private var state = State.ready
  private let rules: Rules
  /// Attempts begun.
  package private(set) var attempts = 0
  /// Whether credentials were asked for anew.
  package private(set) var hasRefreshed = false
  /// How the last attempt ended.
  private var last: AttemptEnd?
  /// Upstream may have received the request in some attempt: no later failure can say that nothing was sent.
  package private(set) var mayHaveArrived = false
  /// What attempts before the one that is answered may have left behind.
  package private(set) var traces = AttemptTraces.none

  package init(_ rules: Rules) { self.rules = rules }

  /// The first attempt, whose turn is taken already.
  package mutating func begin(now: MonotonicInstant) -> Action {
    precondition(isIn(.ready), "a request is begun once")
    return send(now: now)
  }

  /// An attempt is over.
  /// - Parameters:
  ///   - entropy: for the wait before the next one.
  ///   - withdraw: pays for a retry from the retry budget; asked only when nothing else stands against one.
  package mutating func ended(
    _ end: AttemptEnd, now: MonotonicInstant, entropy: some Entropy, withdraw: () -> Bool
  ) -> Action {
    precondition(isIn(.sending), "an attempt ends once")
    last = end
    let reason = end.retryReason
    if end.wasSent, !end.isAnswer { note(.lost) }
    if end == .credentialsExpired, !hasRefreshed {
      hasRefreshed = true
      state = .refreshing
      return .refreshCredentials
    }
    let counted = attempts - (hasRefreshed ? 1 : 0)
    guard let reason, rules.isRepeatable || !end.wasSent, counted < rules.attempts else { return finish() }
    let pause = rules.backoff.delay(retry: counted - 1, entropy: entropy)
    guard now.advanced(byNanoseconds: pause) < rules.deadline, withdraw() else { return finish() }
    if case .answered(let status) = end { note(status >= 500 ? .failed : .none) }
    state = .waiting
    return .wait(nanoseconds: pause, reason)
  }

  /// The wait is over.
  package mutating func waited(now: MonotonicInstant) -> Action {
    precondition(isIn(.waiting), "waiting ends once")
    guard now < rules.deadline else { return finishLate() }
    state = .turn
    return .takeTurn
  }

  /// There are other credentials.
  package mutating func refreshed(now: MonotonicInstant) -> Action {
    precondition(isIn(.refreshing), "credentials are refreshed once")
    guard now < rules.deadline else { return finishLate() }
    state = .turn
    return .takeTurn
  }

  /// There are none.
  package mutating func notRefreshed() -> Action {
    precondition(isIn(.refreshing), "credentials are refreshed once")
    return finish()
  }

  /// Budget and breaker allow another attempt. Whatever comes back but `send` means that the turn is not used.
  package mutating func turnTaken(now: MonotonicInstant) -> Action {
    precondition(isIn(.turn), "a turn is taken once")
    return send(now: now)
  }

  /// One of them does not allow it: what there is has to do.
  package mutating func turnRefused() -> Action {
    precondition(isIn(.turn), "a turn is refused once")
    return finish()
  }

  private func isIn(_ expected: State) -> Bool { state == expected }

  private mutating func send(now: MonotonicInstant) -> Action {
    guard now < rules.deadline else { return finishLate() }
    state = .sending
    attempts += 1
    return .send
  }

  private mutating func note(_ trace: AttemptTraces) {
    mayHaveArrived = true
    traces = max(traces, trace)
  }

  /// With how the last attempt ended.
  private mutating func finish() -> Action {
    state = .over
    switch last {
    case .answered, .credentialsExpired: return .answer
    case .notSent, nil: return .refuse(mayHaveArrived ? .lost : .unreachable)
    case .lost: return .refuse(.lost)
    case .unreadable: return .refuse(.unreadable)
    case .timedOut(let sent): return .refuse(.tooSlow(sent: sent || mayHaveArrived))
    }
  }

  /// With upstream's last answer, if the last attempt had one.
  private mutating func finishLate() -> Action {
    state = .over
    if let last, last.isAnswer { return .answer }
    return .refuse(.tooSlow(sent: mayHaveArrived))
  }
}

extension ForwardingMachine.AttemptEnd {
  /// Why another attempt may go better; `nil` when none would.
  fileprivate var retryReason: RetryReason? {
    switch self {
    case .answered(429): .throttled
    case .answered(500), .answered(502), .answered(503), .answered(504): .serverError
    case .answered, .credentialsExpired, .unreadable, .timedOut: nil
    case .notSent: .connect
    case .lost: .lostAnswer
    }
  }

  fileprivate var wasSent: Bool {
    switch self {
    case .notSent, .timedOut(sent: false): false
    case .answered, .credentialsExpired, .lost, .unreadable, .timedOut(sent: true): true
    }
  }

  fileprivate var isAnswer: Bool {
    switch self {
    case .answered, .credentialsExpired: true
    case .notSent, .lost, .unreadable, .timedOut: false
    }
  }
}

/// Why an attempt is repeated.
package enum RetryReason: Sendable, Hashable, CaseIterable {
  /// Upstream answered 429.
  case throttled
  /// Upstream answered 500, 502, 503 or 504.
  case serverError
  /// No connection could be made.
  case connect
  /// The connection ended before an answer.
  case lostAnswer
}
