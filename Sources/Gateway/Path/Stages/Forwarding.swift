internal import Synchronization
internal import ChimeIdentity
internal import PolicyEngine
internal import Configuration
internal import HTTPWire
internal import Primitives
internal import RateLimiting
internal import SigV4
internal import Transport

extension Worker {
  /// Signs the recorded request with the gateway's credentials, sends it, and repeats it where that is safe.
  func forward(_ recorded: consuming Recorded) async throws(Refusal) -> UpstreamAnswer {
    let call = recorded.call
    let upstream = call.snapshot.configuration.upstream
    guard let signer = call.snapshot.usableSigner(at: loop.clock.wallClock()) else { throw .noCredentials }
    shared.retryBudget.withLock { $0.deposit() }
    let deadline = call.receivedAt.advanced(byNanoseconds: upstream.requestTimeout.nanoseconds)
    var machine = ForwardingMachine(
      .init(
        attempts: upstream.retry.attempts, deadline: deadline,
        isRepeatable: recorded.target.operation.isRead || recorded.judged.facts.hasClientRequestToken))
    defer { call.note(machine) }
    var last: Result<UpstreamAnswer, ExchangeFailure>?
    var action = machine.begin(now: loop.clock.monotonic())
    while true {
      switch action {
      case .send:
        let end = await exchange(outbound(recorded, signer: signer), call, deadline: deadline)
        last = end
        action = machine.ended(
          end.attemptEnd, now: loop.clock.monotonic(), entropy: entropy,
          withdraw: { shared.retryBudget.withLock { $0.withdraw() } })
      case .wait(let nanoseconds, let reason):
        metrics.update { $0.retries[reason.label, default: 0] += 1 }
        await loop.sleep(nanoseconds: nanoseconds)
        action = machine.waited(now: loop.clock.monotonic())
      case .takeTurn:
        action = await takeTurnAnew(recorded, &machine)
      case .answer:
        guard case .success(let answer) = last else { throw .upstreamLost }
        return answer
      case .refuse(let failure):
        throw Refusal(failure, last)
      }
    }
  }

  /// Limits that only warn do not keep a retry back, either.
  private func takeTurnAnew(
    _ recorded: borrowing Recorded, _ machine: inout ForwardingMachine
  ) async -> ForwardingMachine.Action {
    let snapshot = recorded.call.snapshot
    switch await takeTurn(recorded.tenant, snapshot) {
    case .taken:
      let action = machine.turnTaken(now: loop.clock.monotonic())
      if action != .send { shared.limits.giveBack(recorded.tenant.meter) }
      return action
    case .budgetRefused where snapshot.configuration.rateLimit.mode == .warn:
      return machine.turnTaken(now: loop.clock.monotonic())
    case .budgetRefused, .breakerRefused:
      return machine.turnRefused()
    }
  }

  /// One exchange, watched by the circuit breaker.
  private func exchange(
    _ bytes: borrowing ByteBuffer, _ call: Call, deadline: MonotonicInstant
  ) async -> Result<UpstreamAnswer, ExchangeFailure> {
    let started = loop.clock.monotonic()
    defer { call.upstreamNanoseconds += loop.clock.monotonic().nanoseconds(since: started) }
    do throws(ExchangeFailure) {
      let answer = UpstreamAnswer(try await pool.exchange(bytes, deadline: deadline.nanoseconds))
      recordHealth(isGood: answer.status < 500)
      if answer.status == 429 { shared.limits.upstreamThrottled(now: loop.clock.monotonic()) }
      return .success(answer)
    } catch {
      recordHealth(isGood: false)
      return .failure(error)
    }
  }

  private func recordHealth(isGood: Bool) {
    let now = loop.clock.monotonic()
    shared.breaker.withLock { isGood ? $0.succeeded() : $0.failed(now: now) }
  }

  /// The whole request as it goes on the wire, signed now.
  private func outbound(_ recorded: borrowing Recorded, signer: Signer) -> ByteBuffer {
    let call = recorded.call
    let head = call.head
    let contentType = Self.contentType(of: recorded)
    var out = loop.takeBuffer()
    RequestWriter.appendLine(
      method: head[head.method], path: recorded.target.upstreamPath.span,
      query: recorded.target.upstreamQuery.span, into: &out)
    out.append(field: "Host", upstreamHost)
    Self.appendPassed(head, to: &out)
    if let contentType { out.append(field: "Content-Type", contentType.span) }
    let (path, query) = (recorded.target.upstreamPath, recorded.target.upstreamQuery)
    signer.sign(
      OutboundRequest(
        method: head[head.method], path: path.span, canonicalQuery: query.span,
        contentType: contentType?.span,
        payloadHash: recorded.payloadHash),
      at: loop.clock.wallClock(), workspace: &signing, into: &out)
    if !recorded.body.isEmpty || !recorded.target.operation.isRead {
      out.append(field: "Content-Length", decimal: recorded.body.count)
    }
    out.append("\r\n")
    out.append(recorded.body)
    return out
  }

  private static let json = ContentType.json[...]

  /// The caller's, unless a body that was evaluated as JSON in UTF-8 could be read as something else by it.
  private static func contentType(of recorded: borrowing Recorded) -> ArraySlice<UInt8>? {
    let head = recorded.call.head
    guard let given = head.first(.contentType).map({ head.bytes[$0] }) else { return nil }
    return recorded.body.isEmpty || ContentType.isJSON(given) ? given : json
  }

  /// The caller's fields that upstream may see, but for Content-Type; all others stay here, whatever they are.
  private static func appendPassed(_ head: RequestHead, to out: inout ByteBuffer) {
    for field in head.fields {
      switch field.known {
      case .userAgent, .accept, .amzSdkPrefix, .amzTraceId, .traceparent, .tracestate:
        out.append(field, of: head)
      default: break
      }
    }
  }
}

extension Call {
  fileprivate func note(_ machine: ForwardingMachine) {
    attempts = machine.attempts
    traces = machine.traces
  }
}

extension Result<UpstreamAnswer, ExchangeFailure> {
  fileprivate var attemptEnd: ForwardingMachine.AttemptEnd {
    switch self {
    case .success(let answer): .answered(status: answer.status)
    case .failure(.notSent): .notSent
    case .failure(.lost): .lost
    case .failure(.unreadable): .unreadable
    case .failure(.timedOut(let sent)): .timedOut(sent: sent)
    }
  }
}

extension Refusal {
  fileprivate init(
    _ failure: ForwardingMachine.Failure, _ last: Result<UpstreamAnswer, ExchangeFailure>?
  ) {
    switch failure {
    case .unreachable: self = .upstreamUnreachable
    case .lost: self = .upstreamLost
    case .unreadable:
      if case .failure(.unreadable(let violation)) = last {
        self = .upstreamUnreadable(violation)
      } else {
        self = .upstreamLost
      }
    case .tooSlow(let sent): self = .upstreamTooSlow(sent: sent)
    }
  }
}

extension RetryReason {
  /// As metrics name it.
  fileprivate var label: StaticText {
    switch self {
    case .throttled: "throttled"
    case .serverError: "server_error"
    case .connect: "connect"
    case .lostAnswer: "lost_answer"
    }
  }
}
