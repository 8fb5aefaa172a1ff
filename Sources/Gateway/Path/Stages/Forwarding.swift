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
    let deadline = call.receivedAt.advanced(byNanoseconds: upstream.requestTimeout.nanoseconds)
    let isRepeatable = recorded.target.operation.isRead || recorded.request.clientRequestToken != nil
    shared.retryBudget.withLock { $0.deposit() }
    // Once upstream may have received the request, no later failure can say that nothing was sent.
    var mayHaveArrived = false
    while true {
      guard loop.clock.monotonic() < deadline else { throw .upstreamTooSlow(sent: mayHaveArrived) }
      call.attempts += 1
      let bytes = outbound(recorded, signer: signer)
      let failure: AttemptFailure
      do throws(ExchangeFailure) {
        let answer = try await exchange(bytes, call, deadline: deadline)
        guard isRepeatable, let reason = AttemptFailure(status: answer.status) else { return answer }
        guard await mayRetry(call, upstream.retry, reason, deadline: deadline) else { return answer }
        mayHaveArrived = true
        call.noteEarlierAttempt(status: answer.status)
        continue
      } catch {
        failure = AttemptFailure(error)
        if failure.wasSent {
          mayHaveArrived = true
          call.noteEarlierAttempt(status: nil)
        }
      }
      let isSafe = !failure.wasSent || isRepeatable
      guard isSafe, failure.isTransient, await mayRetry(call, upstream.retry, failure, deadline: deadline)
      else {
        throw mayHaveArrived ? failure.refusal.afterSending : failure.refusal
      }
    }
  }

  /// One exchange, watched by the circuit breaker.
  private func exchange(
    _ bytes: [UInt8], _ call: Call, deadline: MonotonicInstant
  ) async throws(ExchangeFailure) -> UpstreamAnswer {
    let started = loop.clock.monotonic()
    defer { call.upstreamNanoseconds += loop.clock.monotonic().nanoseconds(since: started) }
    do throws(ExchangeFailure) {
      let answer = UpstreamAnswer(try await pool.exchange(bytes, deadline: deadline.nanoseconds))
      recordHealth(isGood: answer.status < 500)
      if answer.status == 429 { shared.limits.upstreamThrottled(now: loop.clock.monotonic()) }
      return answer
    } catch {
      recordHealth(isGood: false)
      throw error
    }
  }

  private func recordHealth(isGood: Bool) {
    let now = loop.clock.monotonic()
    shared.breaker.withLock { isGood ? $0.succeeded() : $0.failed(now: now) }
  }

  /// Whether another attempt is allowed; if so, the wait before it is over when this returns.
  private func mayRetry(
    _ call: Call, _ retry: GatewayConfiguration.Retry, _ reason: AttemptFailure, deadline: MonotonicInstant
  ) async -> Bool {
    guard call.attempts < retry.attempts else { return false }
    let pause = Self.backoff.delay(retry: call.attempts - 1, entropy: entropy)
    let now = loop.clock.monotonic()
    guard now.advanced(byNanoseconds: pause) < deadline, shared.retryBudget.withLock({ $0.withdraw() }) else {
      return false
    }
    metrics.update { $0.retries[reason.label, default: 0] += 1 }
    await loop.sleep(nanoseconds: pause)
    return true
  }

  private static let backoff = Backoff()

  /// The whole request as it goes on the wire, signed now.
  private func outbound(_ recorded: borrowing Recorded, signer: Signer) -> [UInt8] {
    let call = recorded.call
    let head = call.head
    let contentType = Self.contentType(of: recorded)
    var out: [UInt8] = []
    out.reserveCapacity(1024 + recorded.body.count)
    let method = head.bytes[head.method]
    RequestWriter.appendLine(
      method: method, path: recorded.target.upstreamPath, query: recorded.target.upstreamQuery, into: &out)
    out.append(field: "Host", upstreamHost)
    Self.appendPassed(head, to: &out)
    if let contentType { out.append(field: "Content-Type", contentType) }
    let (path, query) = (recorded.target.upstreamPath, recorded.target.upstreamQuery)
    var signed = ByteBuffer(capacity: 1024)
    signer.sign(
      OutboundRequest(
        method: method.span, path: path.span, canonicalQuery: query.span, contentType: contentType?.span,
        payloadHash: recorded.payloadHash),
      at: loop.clock.wallClock(), workspace: &signing, into: &signed)
    out.append(contentsOf: signed.array)
    if !recorded.body.isEmpty || !recorded.target.operation.isRead {
      out.append(field: "Content-Length", decimal: recorded.body.count)
    }
    out.append("\r\n")
    out.append(contentsOf: recorded.body)
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
  private static func appendPassed(_ head: RequestHead, to out: inout [UInt8]) {
    for field in head.fields {
      switch field.known {
      case .userAgent, .accept, .amzSdkPrefix, .amzTraceId, .traceparent, .tracestate:
        out.append(fieldNamed: head.bytes[field.name], head.bytes[field.value])
      default: break
      }
    }
  }
}

/// Why one attempt did not give the final answer.
struct AttemptFailure {
  let label: StaticText
  /// Upstream may have received the request.
  let wasSent: Bool
  /// Another attempt may go better.
  let isTransient: Bool
  let refusal: Refusal

  /// A status that says "try again": 429, 500, 502, 503, 504.
  init?(status: Int) {
    switch status {
    case 429: label = "throttled"
    case 500, 502, 503, 504: label = "server_error"
    default: return nil
    }
    wasSent = true
    isTransient = true
    refusal = .upstreamLost
  }

  init(_ failure: ExchangeFailure) {
    switch failure {
    case .notSent:
      (label, wasSent, isTransient, refusal) = ("connect", false, true, .upstreamUnreachable)
    case .lost:
      (label, wasSent, isTransient, refusal) = ("lost_answer", true, true, .upstreamLost)
    case .unreadable(let violation):
      (label, wasSent, isTransient, refusal) = ("unreadable", true, false, .upstreamUnreadable(violation))
    case .timedOut(let sent):
      (label, wasSent, isTransient, refusal) = ("timeout", sent, false, .upstreamTooSlow(sent: sent))
    }
  }
}

extension Refusal {
  /// What a failure means when an earlier attempt may have reached upstream: nobody can say that nothing was sent.
  fileprivate var afterSending: Refusal {
    switch self {
    case .upstreamUnreachable: .upstreamLost
    case .upstreamTooSlow: .upstreamTooSlow(sent: true)
    default: self
    }
  }
}
