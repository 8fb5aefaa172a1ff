internal import AuditTrail
internal import ChimeIdentity
internal import Configuration
internal import HTTPWire
internal import PolicyEngine
internal import Primitives

/// What the journal says of a request: its facts as they came, and what was decided and changed, from the request's own
/// bytes into the record's. Nothing is copied in between.
extension Call {
  /// The record that must be on disk before the request is forwarded.
  func appendIntent(to record: inout RecordWriter) {
    record.begin(intent: id, at: time)
    appendMembers(.allowed, to: &record)
    record.end()
  }

  /// The only record of a request that has no intent.
  func appendOutcome(_ ending: borrowing Ending, to record: inout RecordWriter) {
    record.begin(outcome: id, at: time)
    appendMembers(ending.decision, to: &record)
    ending.append(to: &record)
    record.end()
  }

  /// The outcome of a request that has an intent.
  func appendOutcome(
    of intent: Int, _ ending: borrowing Ending, at end: WallClockTime, to record: inout RecordWriter
  ) {
    record.begin(outcome: id, of: intent, at: end)
    ending.appendBehindIntent(to: &record)
    record.end()
  }

  private func appendMembers(_ decision: AuditDecision, to record: inout RecordWriter) {
    let head = head
    if let key = trail.key {
      record.append(key.recordMembers)
    } else if let claimed = trail.claimedAccessKeyId?.utf8, !claimed.isEmpty {
      record.accessKeyId(claimed.span, cutAfter: RecordWriter.longestOfStranger)
    }
    if let actor = trail.actor { record.actor(head[actor]) }
    let address = source.address.utf8
    record.sourceIp(address.span)
    if let userAgent = text(of: .userAgent) {
      let most = trail.key == nil ? RecordWriter.longestOfStranger : RecordWriter.longestUserAgent
      record.userAgent(head[userAgent], cutAfter: most)
    }
    if let operation = trail.operation {
      let name = operation.text.utf8
      record.operation(name.span)
    } else if !head.span.isEmpty {
      let (method, path) = (head[head.method], head[head.path])
      if method.isUTF8 { record.unknownOperation(method: method, path: nil) }
      if path.isUTF8 { record.unknownOperation(method: nil, path: path) }
    }
    let judged = trail.judged
    judged?.withFacts { $0.append(to: &record) }
    record.decision(decision)
    if let judged, !judged.isAllowed {
      for violation in judged.decision.violations { violation.append(to: &record) }
    }
    trail.gatewayViolation?.append(to: &record)
    if let judged {
      if judged.hasWarnings {
        for warning in judged.decision.warnings { warning.append(asWarningTo: &record) }
      }
      appendLimitWarnings(to: &record)
      if judged.wouldBeChanged {
        for change in judged.decision.wouldChange { change.append(asWouldBeChangeTo: &record) }
      }
      if judged.hasWarnings {
        for name in judged.decision.exceptions { record.exception(name.utf8.span) }
      }
      judged.withFacts { $0.appendChanges(to: &record) }
      if judged.isDecided { record.append(snapshot.revisionMember) }
    } else {
      appendLimitWarnings(to: &record)
    }
    record.repeatOf(trail.repeatOf)
  }

  /// Behind those of policies, in one list with them.
  private func appendLimitWarnings(to record: inout RecordWriter) {
    guard !trail.exceeded.isEmpty else { return }
    for warning in limitWarnings { warning.append(asWarningTo: &record) }
  }
}

extension GovernedRequest {
  /// The facts as they were received.
  fileprivate borrowing func append(to record: inout RecordWriter) {
    if !appInstanceArn.isEmpty { record.appInstanceArn(appInstanceArn) }
    record.appInstanceUserId(appInstanceUserId)
    record.appInstanceUserArn(appInstanceUserArn)
    record.resourceArn(resourceArn)
    record.name(name)
    record.metadata(metadata)
    for index in 0..<receivedTagCount { record.tag(tagKey(index), receivedTagValue(index)) }
    for index in 0..<tagKeyCount { record.tagKey(tagKeyToRemove(index)) }
    record.expirationDays(receivedExpirationDays)
  }

  fileprivate borrowing func appendChanges(to record: inout RecordWriter) {
    for index in 0..<changeCount {
      record.change(field: changedField(index), from: changedFrom(index), to: changedTo(index))
    }
  }
}

extension Violation {
  fileprivate func append(to record: inout RecordWriter) {
    lend { record.violation(policy: $0, rule: $1, field: $2, message: $3, marks: marks) }
  }

  fileprivate func append(asWarningTo record: inout RecordWriter) {
    lend { record.warning(policy: $0, rule: $1, field: $2, message: $3, marks: marks) }
  }

  private var marks: FindingMarks {
    var marks = FindingMarks()
    marks.severity = severity.map { Text($0.rawValue) }
    marks.owner = owner
    marks.help = help
    marks.exception = exception
    return marks
  }

  fileprivate func append(asWouldBeChangeTo record: inout RecordWriter) {
    lend { record.wouldChange(policy: $0, rule: $1, field: $2, message: $3) }
  }

  private func lend(
    _ use: (_ policy: Span<UInt8>, _ rule: Span<UInt8>, _ field: Span<UInt8>, _ message: Span<UInt8>) -> Void
  ) {
    let (rule, field, message) = (Array(rule.utf8), Array(field.utf8), Array(message.utf8))
    use(policy.utf8.span, rule.span, field.span, message.span)
  }
}

/// How a request ended.
struct Ending: ~Copyable {
  let decision: AuditDecision
  let outcome: AuditOutcome
  /// What the caller got.
  let status: Int
  let durationNanoseconds: Int64
  /// How often it was sent upstream; `nil` where that is not said.
  var attempts: Int?
  /// What the caller got, of an answer of the gateway's own.
  var errorType: Text?
  /// Why, for whoever reads the journal; it does not quote what the request holds.
  var reason: String?
  /// What upstream answered to this request, or to the one that it repeats.
  var answer: UpstreamAnswer?
  var isRepeat = false
  /// Of a created user, in the answer's bytes.
  var userArn: ByteSlice?

  /// The members of an outcome whose request has an intent, written ahead.
  var members: RecordMembers {
    RecordMembers { appendBehindIntent(to: &$0) }
  }

  func appendBehindIntent(to record: inout RecordWriter) {
    // The intent says `allowed`.
    if decision != .allowed { record.decision(decision) }
    append(to: &record)
  }

  func append(to record: inout RecordWriter) {
    let reason = reason.map { Array($0.utf8) } ?? []
    let why = self.reason == nil ? nil : reason.span
    guard let answer else {
      let type = errorType?.utf8 ?? []
      return record.result(
        outcome, status: status, errorType: errorType == nil ? nil : type.span, reason: why,
        attempts: attempts, durationNanoseconds: durationNanoseconds)
    }
    let head = answer.message.head
    record.result(
      outcome, status: status, errorType: head.lend(answer.errorType), reason: why,
      upstreamStatus: isRepeat ? nil : answer.status,
      upstreamRequestId: head.lend(isRepeat ? nil : answer.requestId),
      userArn: head.lend(userArn), attempts: attempts, durationNanoseconds: durationNanoseconds)
  }
}

extension ResponseHead {
  @_lifetime(borrow self)
  fileprivate func lend(_ slice: ByteSlice?) -> Span<UInt8>? {
    guard let slice else { return nil }
    return self[slice]
  }
}
