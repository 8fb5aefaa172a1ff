internal import AuditStore
internal import AuditTrail
internal import ChimeIdentity
internal import HTTPWire
internal import PolicyEngine
internal import Primitives
internal import RateLimiting
internal import StrictJSON
internal import Transport

/// The end of every request: the outcome record, the counters, the access line, the answer.
extension Worker {
  func conclude(_ call: Call, with answer: UpstreamAnswer) -> Reply {
    finish(call, answer)
    let outcome = Self.outcome(of: answer.status, call)
    var result = AuditedResult(outcome, status: answer.status, durationNanoseconds: elapsed(call))
    if call.repeatOf == nil {
      result.upstreamStatus = answer.status
      result.upstreamRequestId = answer.requestId
      result.attempts = call.attempts
    }
    if call.operation == .createAppInstanceUser, Self.isSuccess(answer.status) {
      result.appInstanceUserArn = Self.createdArn(answer.body)
    }
    result.errorType = answer.errorType
    if outcome == .unknown {
      result.reason = "an attempt before the one that was answered may have been carried out"
    }
    record(result, of: call, .allowed)

    var lines = loop.takeBuffer()
    appendCommonFields(call, to: &lines)
    lines.append(answer.fieldLines)
    return Reply(status: answer.status, fieldLines: lines, body: answer.body)
  }

  func conclude(_ call: Call, refusing refusal: Refusal) -> Reply {
    finish(call, nil)
    let answer = refusal.answer
    let outcome: AuditOutcome = answer.decision == .allowed ? .unknown : .notForwarded
    var result = AuditedResult(outcome, status: answer.status, durationNanoseconds: elapsed(call))
    result.errorType = Text(answer.type)
    result.reason = refusal.auditedReason
    if call.attempts > 0 { result.attempts = call.attempts }
    if let own = refusal.gatewayViolation {
      call.gatewayViolation = own
      count(violations: [own], of: call.tenant ?? "")
    }
    record(result, of: call, answer.decision)
    return reply(to: call, answer, refusal)
  }

  private func reply(to call: Call, _ answer: RefusalAnswer, _ refusal: Refusal) -> Reply {
    var lines = loop.takeBuffer()
    appendCommonFields(call, to: &lines)
    lines.append("x-amzn-RequestId: ")
    lines.append(call.id)
    lines.append("\r\n")
    lines.append(field: "x-amzn-ErrorType", Array(answer.type.utf8))
    lines.append(field: "Content-Type", literal: "application/json")
    if let seconds = answer.retryAfterSeconds { lines.append(field: "Retry-After", decimal: seconds) }
    if case .throttled(let throttling) = refusal { lines.append(throttling.fieldLines) }
    var body: [UInt8] = []
    ErrorBody.write(code: answer.code, message: answer.message, into: &body)
    return Reply(status: answer.status, fieldLines: lines, body: body, closes: answer.closes)
  }

  private func appendCommonFields(_ call: Call, to lines: inout ByteBuffer) {
    lines.append("x-gatehouse-request-id: ")
    lines.append(call.id)
    lines.append("\r\n")
    guard let judged = call.judged else { return }
    if !judged.decision.warnings.isEmpty {
      lines.append(
        field: "x-gatehouse-warnings", Self.list(judged.decision.warnings.map(\.rule)))
    }
    if judged.facts.changeCount > 0, judged.decision.isAllowed {
      lines.append(field: "x-gatehouse-changes", Self.list(judged.facts.changes.map(\.field)))
    }
  }

  /// Each once, in order, with anything that a field value may not hold percent-encoded (tag keys are free text).
  private static func list(_ names: [String]) -> [UInt8] {
    var out: [UInt8] = []
    var seen: Set<String> = []
    for name in names where seen.insert(name).inserted {
      if !out.isEmpty { out.append(", ") }
      for byte in name.utf8 {
        if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: ","), byte != UInt8(ascii: "%") {
          out.append(byte)
        } else {
          PercentCoding.encode(CollectionOfOne(byte), into: &out)
        }
      }
    }
    return out
  }

  /// Lets go of what the call held while it was under way.
  private func finish(_ call: Call, _ answer: UpstreamAnswer?) {
    call.place = nil
    if let key = call.replayKey {
      shared.repeats.finish(key, call.id, answer, now: loop.clock.monotonic())
    }
  }

  private func elapsed(_ call: Call) -> Int64 {
    loop.clock.monotonic().nanoseconds(since: call.receivedAt)
  }

  /// Journal, metrics and access log, all under the request's id.
  private func record(_ result: AuditedResult, of call: Call, _ decision: AuditDecision) {
    if let intent = call.intent {
      records.conclude { record in
        record.begin(outcome: call.id, of: intent, at: loop.clock.wallClock())
        if decision != .allowed { record.decision(decision) }
        result.append(to: &record)
        record.end()
      }
    } else if let late = call.lateIntent {
      let (id, time, entry, sensitivity) = (
        call.id, loop.clock.wallClock(), call.audited(decision), shared.sensitivity
      )
      records.conclude(late) { intent in
        intent.map {
          result.outcomeRecord(
            of: id, intent: $0, at: time, decision: decision == .allowed ? nil : decision)
        } ?? entry.outcomeRecord(result, under: sensitivity)
      }
    } else {
      let audited = call.audited(decision)
      records.conclude { record in
        record.begin(outcome: audited.id, at: audited.time)
        audited.append(to: &record)
        result.append(to: &record)
        record.end()
      }
    }
    metrics.count(
      RequestLabels(
        tenant: call.tenant.map(shared.tenantNumbers.number(of:)) ?? TenantNumbers.unknown,
        operation: call.operation, decision: decision, status: result.status ?? 0),
      duration: result.durationNanoseconds, upstream: call.attempts > 0 ? call.upstreamNanoseconds : nil)
    accessLog.append(call, decision, result)
  }

  /// What the answer says of the request, with the attempts before it.
  private static func outcome(of status: Int, _ call: Call) -> AuditOutcome {
    // A repeat was answered with what upstream had said to another request.
    guard call.repeatOf == nil else { return .notForwarded }
    let isRead = call.operation?.isRead ?? true
    return switch ForwardingEffect(answered: status, after: call.traces, isRead: isRead) {
    case .succeeded: call.operation == .createAppInstanceUser ? .created : .succeeded
    case .rejected: .rejected
    case .failed: .failed
    case .unknown: .unknown
    case .notForwarded: .notForwarded
    }
  }

  private static func isSuccess(_ status: Int) -> Bool { (200..<300).contains(status) }

  private static func createdArn(_ body: [UInt8]) -> Text? {
    guard let document = try? JSONDocument(parsing: body),
      let node = document.member("AppInstanceUserArn", of: document.root)
    else { return nil }
    return document.text(node)
  }
}
