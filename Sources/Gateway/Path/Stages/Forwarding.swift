internal import ChimeIdentity
internal import Configuration
internal import CredentialSupply
internal import HTTPWire
internal import PolicyEngine
internal import Primitives
internal import RateLimiting
internal import SigV4
internal import Synchronization
internal import Transport

extension Worker {
  /// Signs the recorded request with the gateway's credentials, sends it, and repeats it where that is safe.
  func forward(_ recorded: consuming Recorded) async throws(Refusal) -> UpstreamAnswer {
    let call = recorded.permitted.verified.call
    let snapshot = call.snapshot
    let tenant = recorded.permitted.verified.tenant
    let region = recorded.permitted.verified.region
    guard var signer = signer(for: tenant, in: region, snapshot) else {
      throw tenant.session == nil ? .noCredentials : .noSession
    }
    shared.with(region: region) { $0.retryBudget.withLock { $0.deposit() } }
    let deadline = call.receivedAt.advanced(byNanoseconds: snapshot.requestTimeoutNanoseconds)
    var machine = ForwardingMachine(
      .init(
        attempts: snapshot.attempts, deadline: deadline,
        isRepeatable: recorded.permitted.isRepeatable))
    defer {
      call.trail.attempts = machine.attempts
      call.trail.traces = machine.traces
    }
    var last: Result<UpstreamAnswer, ExchangeFailure>?
    var action = machine.begin(now: loop.turnBegan)
    let refusal: Refusal
    attempts: while true {
      switch action {
      case .send:
        let result = await exchange(recorded, signer, in: region, deadline: deadline)
        if machine.hasRefreshed { noteFresh(result.attemptEnd, recorded) }
        action = machine.ended(
          result.attemptEnd, now: loop.turnBegan, entropy: entropy,
          withdraw: { shared.with(region: region) { $0.retryBudget.withLock { $0.withdraw() } } })
        last = consume result
      case .wait(let nanoseconds, let reason):
        metrics.update { $0.retries[reason.label, default: 0] += 1 }
        await loop.sleep(nanoseconds: nanoseconds)
        action = machine.waited(now: loop.turnBegan)
      case .refreshCredentials:
        let hasOthers = await refreshSigner(of: tenant, replacing: signer, call)
        if hasOthers, let fresh = self.signer(for: tenant, in: region, snapshot) {
          signer = fresh
          action = machine.refreshed(now: loop.turnBegan)
        } else {
          action = machine.notRefreshed()
        }
      case .takeTurn:
        action = await takeTurnAnew(recorded, in: region, &machine)
      case .answer:
        guard case .success(let answer) = last else {
          refusal = .upstreamLost
          break attempts
        }
        if let fault = answer.ownFault {
          note(fault, of: region, for: tenant)
          refusal = .upstreamRefusesUs(fault, answer)
          break attempts
        }
        // What says that it cannot serve has not looked at the signature.
        if answer.status < 429, shared.with(region: region, { $0.health.hasTrouble }) {
          noteTaken(by: region, from: tenant)
        }
        loop.giveBack(recorded.permitted.written)
        return answer
      case .refuse(let failure):
        refusal = Refusal(failure, last)
        break attempts
      }
    }
    loop.giveBack(recorded.permitted.written)
    throw refusal
  }

  @inline(never)
  private func noteTaken(by region: Int, from tenant: ServedTenant) {
    shared.regions[region: region].health.took(tenant: tenant.roleName, now: loop.turnBegan)
  }

  /// A role that may not do something is one that upstream knows.
  private func note(_ fault: OwnFault, of region: Int, for tenant: ServedTenant) {
    switch fault.kind {
    case .denied: noteTaken(by: region, from: tenant)
    case .expired, .refused:
      shared.regions[region: region].health.refused(
        tenant: tenant.roleName, type: fault.type, now: loop.turnBegan)
    }
  }

  /// Sources are not asked again and again for what upstream refuses each time.
  private func noteFresh(_ end: ForwardingMachine.AttemptEnd, _ recorded: borrowing Recorded) {
    let (call, tenant) = (recorded.permitted.verified.call, recorded.permitted.verified.tenant)
    shared.supply.noteFresh(
      tenant.session ?? call.snapshot.identity, refused: end == .credentialsExpired)
  }

  /// Limits that only warn do not keep a retry back, either.
  private func takeTurnAnew(
    _ recorded: borrowing Recorded, in region: Int, _ machine: inout ForwardingMachine
  ) async -> ForwardingMachine.Action {
    let (call, tenant) = (recorded.permitted.verified.call, recorded.permitted.verified.tenant)
    call.trail.store?.turn = .here
    switch await takeTurn(tenant, in: region, call) {
    case .taken:
      let action = machine.turnTaken(now: loop.turnBegan)
      if action != .send { giveBackTurn(of: tenant, in: region, call) }
      return action
    case .budgetRefused where call.snapshot.configuration.rateLimit.mode == .warn:
      return machine.turnTaken(now: loop.turnBegan)
    case .budgetRefused, .storeRefused, .breakerRefused:
      return machine.turnRefused()
    }
  }

  /// One exchange, watched by the region's circuit breaker.
  private func exchange(
    _ recorded: borrowing Recorded, _ signer: Signer, in region: Int, deadline: MonotonicInstant
  ) async -> Result<UpstreamAnswer, ExchangeFailure> {
    let call = recorded.permitted.verified.call
    let bytes = outbound(recorded.permitted, signer)
    let started = loop.clock.monotonic()
    let result: Result<UpstreamAnswer, ExchangeFailure>
    do throws(ExchangeFailure) {
      let message =
        try await region == 0
        ? upstream.exchange(bytes, deadline: deadline.nanoseconds)
        : upstreams[region: region].exchange(bytes, deadline: deadline.nanoseconds)
      result = .success(UpstreamAnswer(message, to: call.id))
    } catch {
      result = .failure(error)
    }
    loop.giveBack(bytes)
    let now = loop.clock.monotonic()
    call.trail.upstreamNanoseconds += now.nanoseconds(since: started)
    switch result {
    case .success(let answer):
      metrics.count(response: answer.status)
      noteHealth(of: region, answered: answer.status, now: now)
      if answer.status == 429, let store { tellThrottled(in: region, call, store) }
    case .failure(let failure): noteHealth(of: region, failed: now) { $0.failed(failure, now: now) }
    }
    return result
  }

  @inline(never)
  private func noteHealth(of region: Int, answered status: Int, now: MonotonicInstant) {
    guard status < 500 else {
      return noteHealth(of: region, failed: now) { $0.answeredWithFault(status, now: now) }
    }
    shared.with(region: region) { region in
      region.health.answered(now: now)
      if region.breaker.withLock({ $0.succeeded() }) { region.health.circuitClosed(now: now) }
      if status == 429 { region.throttled(now: now) }
    }
  }

  private func noteHealth(of region: Int, failed now: MonotonicInstant, _ tell: (UpstreamHealth) -> Void) {
    shared.with(region: region) { region in
      tell(region.health)
      if region.breaker.withLock({ $0.failed(now: now) }) { region.health.circuitOpened(now: now) }
    }
  }

  /// The whole request as it goes on the wire, signed now.
  private func outbound(_ permitted: borrowing Permitted, _ signer: Signer) -> ByteBuffer {
    let call = permitted.verified.call
    let (path, query) = (
      permitted.verified.identified.target.upstreamPath, permitted.verified.identified.target.upstreamQuery
    )
    let (hash, isRead) = (permitted.payloadHash, permitted.verified.identified.target.operation.isRead)
    let time = loop.turnBeganAt
    var out = loop.takeBuffer()
    permitted.withBody { body in
      let head = call.head
      // The caller's, unless a body that was evaluated as JSON in UTF-8 could be read as something else by it.
      let json = ContentType.json
      var contentType: Span<UInt8>?
      if let given = head.first(.contentType) {
        contentType = body.isEmpty || ContentType.isJSON(head[given]) ? head[given] : json.span
      }
      RequestWriter.appendLine(method: head[head.method], path: path.span, query: query.span, into: &out)
      out.append(field: "Host", signer.host)
      Self.appendPassed(head, under: call.trail.trace, to: &out)
      if let contentType { out.append(field: "Content-Type", contentType) }
      signer.sign(
        OutboundRequest(
          method: head[head.method], path: path.span, canonicalQuery: query.span, contentType: contentType,
          payloadHash: hash), at: time, workspace: &signing, into: &out)
      if !body.isEmpty || !isRead { out.append(field: "Content-Length", decimal: body.count) }
      out.append("\r\n")
      out.append(body)
    }
    return out
  }

  /// The caller's fields that upstream may see, but for Content-Type; all others stay here, whatever they are.
  ///
  /// - Parameter trace: whose span is upstream's parent then, in place of the caller's.
  private static func appendPassed(
    _ head: RequestHead, under trace: RequestTrace?, to out: inout ByteBuffer
  ) {
    let fields = head.fields
    for index in fields.indices {
      switch fields[index].known {
      case .traceparent where trace != nil: break
      case .userAgent, .accept, .amzSdkPrefix, .amzTraceId, .traceparent, .tracestate:
        out.append(fields[index], of: head)
      default: break
      }
    }
    if let trace { out.append(field: "traceparent", Array(trace.traceparent.utf8)) }
  }
}

extension Permitted {
  /// Whether upstream makes no second effect of it when it comes twice.
  fileprivate var isRepeatable: Bool {
    verified.identified.target.operation.isRead || judged.withFacts { $0.hasClientRequestToken }
  }
}

extension Result<UpstreamAnswer, ExchangeFailure> {
  fileprivate var attemptEnd: ForwardingMachine.AttemptEnd {
    switch self {
    case .success(let answer):
      answer.ownFault?.kind == .expired ? .credentialsExpired : .answered(status: answer.status)
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

extension ServedTenant {
  /// Whose credentials sign: its id, if it has a role.
  fileprivate var roleName: Text? { session == nil ? nil : configured.id }
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
