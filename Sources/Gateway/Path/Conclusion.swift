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
    let isRepeat = call.trail.repeatOf != nil
    var ending = Ending(
      decision: .allowed, outcome: Self.outcome(of: answer.status, call), status: answer.status,
      durationNanoseconds: elapsed(call))
    ending.answer = answer
    ending.isRepeat = isRepeat
    ending.attempts = isRepeat ? nil : call.trail.attempts
    if call.trail.operation == .createAppInstanceUser, Self.isSuccess(answer.status) {
      ending.userArn = answer.createdUserArn
    }
    if ending.outcome == .unknown {
      ending.reason = "an attempt before the one that was answered may have been carried out"
    }
    record(ending, of: call)

    var lines = loop.takeBuffer()
    appendCommonFields(call, to: &lines)
    answer.appendFieldLines(to: &lines)
    giveBack(call)
    return Reply(
      status: answer.status, fieldLines: lines, bytes: answer.message.head.bytes, body: answer.message.body)
  }

  func conclude(_ call: Call, refusing refusal: Refusal) -> Reply {
    finish(call, nil)
    let answer = refusal.answer
    let withheld = refusal.withheldAnswer
    var ending = Ending(
      decision: answer.decision,
      outcome: withheld.map { Self.outcome(of: $0.status, call) }
        ?? (answer.decision == .allowed ? .unknown : .notForwarded),
      status: answer.status, durationNanoseconds: elapsed(call))
    ending.errorType = Text(answer.type)
    ending.answer = withheld
    ending.reason = refusal.auditedReason
    ending.attempts = call.trail.attempts > 0 ? call.trail.attempts : nil
    if let own = refusal.gatewayViolation {
      call.trail.gatewayViolation = own
      count(violations: [own], of: call.trail.tenant)
    }
    if answer.decision == .unauthenticated, let reason = refusal.authenticationFault {
      metrics.update { $0.unauthenticated[reason, default: 0] += 1 }
    }
    record(ending, of: call)
    let reply = reply(to: call, answer, refusal)
    giveBack(call)
    return reply
  }

  private func reply(to call: Call, _ answer: RefusalAnswer, _ refusal: Refusal) -> Reply {
    var lines = loop.takeBuffer()
    appendCommonFields(call, to: &lines)
    lines.append("x-amzn-RequestId: ")
    lines.append(call.id)
    lines.append("\r\n")
    lines.append(field: "x-amzn-ErrorType", Array(answer.type.utf8))
    // Of a type that the model does not have, Go v1 takes the message from here alone.
    if answer.code == nil { lines.append(field: "x-amzn-ErrorMessage", Array(answer.message.utf8)) }
    lines.append(field: "Content-Type", literal: "application/json")
    if let seconds = answer.retryAfterSeconds {
      lines.append(field: "Retry-After", decimal: seconds)
      lines.append(field: "x-amz-retry-after", decimal: 1000 * seconds)
    }
    if case .throttled(let throttling) = refusal { lines.append(throttling.fieldLines) }
    var body: [UInt8] = []
    ErrorBody.write(code: answer.code, message: answer.message, into: &body)
    return Reply(status: answer.status, fieldLines: lines, body: body, closes: answer.closes)
  }

  private func appendCommonFields(_ call: Call, to lines: inout ByteBuffer) {
    lines.append("x-gatehouse-request-id: ")
    lines.append(call.id)
    lines.append("\r\n")
    let judged = call.trail.judged
    if judged?.hasWarnings == true || !call.trail.exceeded.isEmpty {
      lines.append("x-gatehouse-warnings: ")
      lines.append(list: ((judged?.decision.warnings ?? []) + call.limitWarnings).map(\.rule))
    }
    if let judged, judged.hasWarnings {
      let exceptions = judged.decision.exceptions
      if !exceptions.isEmpty {
        lines.append("x-gatehouse-exceptions: ")
        lines.append(list: exceptions.map(\.string))
      }
    }
    guard let judged, judged.isAllowed else { return }
    judged.withFacts { $0.appendChangedFields(to: &lines) }
  }

  /// Lets go of what the call held while it was under way.
  private func finish(_ call: Call, _ answer: UpstreamAnswer?) {
    call.trail.permit = nil
    if let store { endStore(of: call, store) }
    if let key = call.trail.replayKey {
      var scratch = loop.takeBuffer()
      shared.repeats.finish(key, answer, now: loop.turnBegan, scratch: &scratch)
      loop.giveBack(scratch)
    }
  }

  private func elapsed(_ call: Call) -> Int64 {
    loop.clock.monotonic().nanoseconds(since: call.receivedAt)
  }

  /// Journal, metrics and access log, all under the request's id.
  private func record(_ ending: borrowing Ending, of call: Call) {
    journal(ending, of: call)
    let isForwarded = call.trail.attempts > 0
    let labels = RequestLabels(
      tenant: call.trail.tenant?.meter.number ?? 0, operation: call.trail.operation,
      decision: ending.decision, status: ending.status, isCreation: ending.outcome == .created)
    let upstream = isForwarded ? call.trail.upstreamNanoseconds : nil
    metrics.count(labels, duration: ending.durationNanoseconds, upstream: upstream)
    if isForwarded {
      call.trail.judged?.withFacts { metrics.count(changesOf: $0, under: call.snapshot) }
    }
    accessLog.append(call, ending)
    guard let tracer, let trace = call.trail.trace else { return }
    tracer.end(trace, call, ending)
    metrics.note(
      trace, labels, duration: ending.durationNanoseconds, upstream: upstream,
      at: call.time.advanced(byNanoseconds: ending.durationNanoseconds))
  }

  private func journal(_ ending: borrowing Ending, of call: Call) {
    if let intent = call.trail.intent {
      let end = loop.wallClock(at: call.receivedAt.advanced(byNanoseconds: ending.durationNanoseconds))
      records.conclude { call.appendOutcome(of: intent, ending, at: end, to: &$0) }
    } else if let late = call.trail.lateIntent {
      concludeLate(late, ending, of: call)
    } else if call.trail.attempts > 0 {
      // Forwarded without an intent, as `audit.onFailure` wants it.
      records.conclude { call.appendOutcome(ending, to: &$0) }
    } else {
      let isStranger = call.trail.tenant == nil
      records.conclude(
        UnforwardedRequest(
          ending.decision, from: call.source.network, isBudgeted: isStranger || ending.decision == .throttled),
        now: call.receivedAt, at: call.time
      ) { call.appendOutcome(ending, to: &$0) }
    }
  }

  /// Whether the intent came to the disk is not known yet: the outcome is written when it is, by whoever finds out.
  private func concludeLate(_ late: LateIntent, _ ending: borrowing Ending, of call: Call) {
    var record = RecordWriter(under: call.snapshot.sensitivity)
    record.append(bounded: { call.appendOutcome(ending, to: &$0) })
    let whole = record.bytes.array
    let members = ending.members
    let (id, end) = (call.id, loop.turnBeganAt)
    records.conclude(late) { intent in
      guard let intent else { return whole }
      var record = RecordWriter(under: Sensitivity(), capacity: 512)
      record.begin(outcome: id, of: intent, at: end)
      record.append(members)
      record.end()
      return record.bytes.array
    }
  }

  /// What the answer says of the request, with the attempts before it.
  private static func outcome(of status: Int, _ call: Call) -> AuditOutcome {
    // A repeat was answered with what upstream had said to another request.
    guard call.trail.repeatOf == nil else { return .notForwarded }
    let isRead = call.trail.operation?.isRead ?? true
    return switch ForwardingEffect(answered: status, after: call.trail.traces, isRead: isRead) {
    case .succeeded: call.trail.operation == .createAppInstanceUser ? .created : .succeeded
    case .rejected: .rejected
    case .failed: .failed
    case .unknown: .unknown
    case .notForwarded: .notForwarded
    }
  }

  private static func isSuccess(_ status: Int) -> Bool { (200..<300).contains(status) }
}

extension UpstreamAnswer {
  /// The ARN that the answer to CreateAppInstanceUser names, in the message's bytes. The service answers with nothing else,
  /// so it mostly stands where it is expected.
  fileprivate var createdUserArn: ByteSlice? {
    let (head, body) = (message.head, message.body)
    let content = head[body]
    let start: StaticString = #"{"AppInstanceUserArn":""#
    if content.starts(with: start) {
      let end = content.endOfPlainJSON(from: start.utf8CodeUnitCount)
      if end + 2 == content.count, content[end] == UInt8(ascii: "\""), content[end + 1] == UInt8(ascii: "}") {
        return ByteSlice(body.lowerBound + start.utf8CodeUnitCount..<body.lowerBound + end)
      }
    }
    guard let document = try? JSONDocument(parsing: head.bytes, in: body.range),
      let node = document.member("AppInstanceUserArn", of: document.root),
      let place = document.plainString(node)
    else { return nil }
    return ByteSlice(place)
  }
}

extension Span<UInt8> {
  fileprivate func starts(with literal: StaticString) -> Bool {
    guard count >= literal.utf8CodeUnitCount else { return false }
    for index in 0..<literal.utf8CodeUnitCount where self[index] != literal.utf8Start[index] { return false }
    return true
  }
}

extension GovernedRequest {
  fileprivate borrowing func appendChangedFields(to lines: inout ByteBuffer) {
    guard changeCount > 0 else { return }
    lines.append("x-gatehouse-changes: ")
    for index in 0..<changeCount {
      if index > 0 { lines.append(", ") }
      lines.append(listed: changedField(index))
    }
    lines.append("\r\n")
  }
}

extension ByteBuffer {
  /// Each once, in order, and the line's end.
  fileprivate mutating func append(list names: [String]) {
    var seen: Set<String> = []
    for name in names where seen.insert(name).inserted {
      if seen.count > 1 { append(", ") }
      append(listed: Array(name.utf8).span)
    }
    append("\r\n")
  }

  /// Percent-encodes what a field value may not hold, and what would end an element: tag keys are free text.
  fileprivate mutating func append(listed name: Span<UInt8>) {
    var isPlain = true
    for index in name.indices where !Self.isListable(name[index]) { isPlain = false }
    guard !isPlain else { return append(name) }
    for index in name.indices {
      let byte = name[index]
      if Self.isListable(byte) {
        append(byte)
      } else {
        append(UInt8(ascii: "%"))
        append(PercentCoding.upperDigit(byte >> 4))
        append(PercentCoding.upperDigit(byte & 15))
      }
    }
  }

  private static func isListable(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: ",") && byte != UInt8(ascii: "%")
  }
}
