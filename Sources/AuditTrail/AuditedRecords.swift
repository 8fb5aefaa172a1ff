package import Primitives

/// Records of requests that are held as values: what generators and tests write.
extension AuditedRequest {
  /// The record that must be on disk before the request is forwarded.
  package func intentRecord(under sensitivity: Sensitivity) -> [UInt8] {
    var record = RecordWriter(under: sensitivity, capacity: 1024)
    record.begin(intent: id, at: time)
    append(to: &record)
    record.end()
    return record.bytes.array
  }

  /// The only record of a request that has no intent.
  package func outcomeRecord(_ result: AuditedResult, under sensitivity: Sensitivity) -> [UInt8] {
    var record = RecordWriter(under: sensitivity, capacity: 1024)
    record.begin(outcome: id, at: time)
    append(to: &record)
    result.append(to: &record)
    record.end()
    return record.bytes.array
  }

  /// All members but the result.
  package func append(to record: inout RecordWriter) {
    if let tenant { record.tenant(tenant.utf8.span) }
    if let accessKeyId { record.accessKeyId(accessKeyId.utf8.span) }
    if let actor { record.actor(actor.utf8.span) }
    if let sourceIp { record.sourceIp(sourceIp.utf8.span) }
    if let userAgent { record.userAgent(userAgent.utf8.span) }
    if let operation { record.operation(operation.utf8.span) }
    if let method { record.unknownOperation(method: method.utf8.span, path: nil) }
    if let path { record.unknownOperation(method: nil, path: path.utf8.span) }
    if let appInstanceArn { record.appInstanceArn(appInstanceArn.utf8.span) }
    if let appInstanceUserId { record.appInstanceUserId(appInstanceUserId.utf8.span) }
    if let appInstanceUserArn { record.appInstanceUserArn(appInstanceUserArn.utf8.span) }
    if let resourceArn { record.resourceArn(resourceArn.utf8.span) }
    if let name { record.name(name.utf8.span) }
    if let metadata { record.metadata(metadata.utf8.span) }
    for tag in tags { record.tag(tag.key.utf8.span, tag.value.utf8.span) }
    for key in tagKeys { record.tagKey(key.utf8.span) }
    record.expirationDays(expirationDays)
    appendDecision(to: &record)
  }

  private func appendDecision(to record: inout RecordWriter) {
    record.decision(decision)
    for finding in violations {
      finding.lend { record.violation(policy: $0, rule: $1, field: $2, message: $3) }
    }
    for finding in warnings {
      finding.lend { record.warning(policy: $0, rule: $1, field: $2, message: $3) }
    }
    for change in changes {
      let field = Array(change.field.utf8)
      if let from = change.from {
        record.change(field: field.span, from: from.utf8.span, to: change.to.utf8.span)
      } else {
        record.change(field: field.span, from: nil, to: change.to.utf8.span)
      }
    }
    if let policyRevision { record.policyRevision(policyRevision.utf8.span) }
    record.repeatOf(repeatOf)
  }
}

extension AuditedRequest.Finding {
  fileprivate func lend(
    _ body: (_ policy: Span<UInt8>, _ rule: Span<UInt8>, _ field: Span<UInt8>, _ message: Span<UInt8>) -> Void
  ) {
    let (rule, field, message) = (Array(rule.utf8), Array(field.utf8), Array(message.utf8))
    body(policy.utf8.span, rule.span, field.span, message.span)
  }
}

extension AuditedResult {
  /// The outcome of a request that has an intent.
  /// - Parameters:
  ///   - intent: the sequence number of its intent.
  ///   - time: when it ended.
  ///   - decision: where it is no longer what the intent says.
  package func outcomeRecord(
    of id: RequestID, intent: Int, at time: WallClockTime, decision: AuditDecision? = nil
  ) -> [UInt8] {
    var record = RecordWriter(under: Sensitivity(), capacity: 512)
    record.begin(outcome: id, of: intent, at: time)
    if let decision { record.decision(decision) }
    append(to: &record)
    record.end()
    return record.bytes.array
  }

  package func append(to record: inout RecordWriter) {
    let reason = reason.map { Array($0.utf8) } ?? []
    let errorType = errorType?.utf8 ?? []
    let requestId = upstreamRequestId?.utf8 ?? []
    let userArn = appInstanceUserArn?.utf8 ?? []
    record.result(
      outcome, status: status, errorType: self.errorType == nil ? nil : errorType.span,
      reason: self.reason == nil ? nil : reason.span, upstreamStatus: upstreamStatus,
      upstreamRequestId: upstreamRequestId == nil ? nil : requestId.span,
      userArn: appInstanceUserArn == nil ? nil : userArn.span, attempts: attempts,
      durationNanoseconds: durationNanoseconds)
  }

  /// What was found out about a request whose outcome was unknown or never written: only what asking afterwards can
  /// tell, as no answer was given, and none took any time.
  /// - Parameters:
  ///   - id: as the intent has it.
  ///   - intent: the sequence number of its intent.
  ///   - time: when it was found out.
  package func reconciledRecord(of id: Text, intent: Int, at time: WallClockTime) -> [UInt8] {
    var bytes = ByteBuffer(capacity: 512)
    bytes.append("\"record\":\"reconciled\",\"requestId\":")
    bytes.append(jsonString: id.utf8.span)
    bytes.append(",\"time\":\"")
    bytes.append(rfc3339: time)
    bytes.append("\",\"intent\":")
    bytes.append(decimal: intent)
    if let reason {
      bytes.append(",\"reason\":")
      bytes.append(jsonString: RecordWriter.cut(Array(reason.utf8).span, after: 4096))
    }
    if let appInstanceUserArn {
      bytes.append(",\"appInstanceUserArn\":")
      bytes.append(jsonString: appInstanceUserArn.utf8.span)
    }
    bytes.append(outcome.member)
    bytes.append(UInt8(ascii: "}"))
    return bytes.array
  }
}
