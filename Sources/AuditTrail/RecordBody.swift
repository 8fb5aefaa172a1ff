package import Primitives

/// What a record tells.
package enum RecordKind: String, Sendable {
  /// A request, before it is forwarded.
  case intent
  /// A request that has ended.
  case outcome
  /// What was found out afterwards about a request whose outcome was not known.
  case reconciled
  /// That retention removed segments; about no request.
  case expired
  /// That the start found a record cut that had been whole; about no request.
  case dropped

  package var isOfRequest: Bool { self != .expired && self != .dropped }
}

/// Writes records without their place in the chain: everything after `"previous":"…",` up to and with the closing
/// brace. The journal's writer puts the place in front.
extension AuditedRequest {
  /// The record that must be on disk before the request is forwarded.
  package func intentRecord(under sensitivity: Sensitivity) -> [UInt8] {
    var body = RecordBody(.intent, of: id, at: time)
    body.append(self, under: sensitivity)
    return body.finish()
  }

  /// The only record of a request that has no intent.
  package func outcomeRecord(_ result: AuditedResult, under sensitivity: Sensitivity) -> [UInt8] {
    var body = RecordBody(.outcome, of: id, at: time)
    body.append(self, under: sensitivity)
    var result = result
    // A member stands in a record once.
    if appInstanceUserArn != nil { result.appInstanceUserArn = nil }
    body.append(result)
    return body.finish()
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
    var body = RecordBody(.outcome, of: id, at: time)
    body.append("intent", integer: intent)
    if let decision { body.append("decision", literal: decision.rawValue) }
    body.append(self)
    return body.finish()
  }

  /// What was found out about a request whose outcome was unknown or never written.
  /// - Parameters:
  ///   - id: as the intent has it.
  ///   - intent: the sequence number of its intent.
  ///   - time: when it was found out.
  package func reconciledRecord(of id: Text, intent: Int, at time: WallClockTime) -> [UInt8] {
    var body = RecordBody(reconciling: id, at: time)
    body.append("intent", integer: intent)
    body.append(finding: self)
    return body.finish()
  }
}

private struct RecordBody: ~Copyable {
  private var bytes = RecordBytes(capacity: usualSize)

  /// Most records fit; the array grows for the others.
  private static let usualSize = 1024
  /// Callers choose it freely and it stands in every record.
  private static let longestUserAgent = 1024
  /// Much longer than any value of a valid request (an ARN of 1600): what is cut belongs to a refused one.
  private static let longestText = 8192
  /// What the service model allows; a refused request may have brought more.
  private static let mostTags = 50

  /// The records that the request path writes.
  enum Served { case intent, outcome }

  init(_ kind: Served, of id: RequestID, at time: WallClockTime) {
    switch kind {
    case .intent: bytes.append("\"record\":\"intent\",\"requestId\":\"")
    case .outcome: bytes.append("\"record\":\"outcome\",\"requestId\":\"")
    }
    bytes.append(id)
    bytes.append("\"")
    bytes.append(member: "time", time)
  }

  init(reconciling id: Text, at time: WallClockTime) {
    bytes.append("\"record\":\"reconciled\",\"requestId\":")
    bytes.append(jsonString: id.utf8)
    bytes.append(member: "time", time)
  }

  consuming func finish() -> [UInt8] {
    bytes.append("}")
    return bytes.array
  }

  mutating func append(_ request: borrowing AuditedRequest, under sensitivity: borrowing Sensitivity) {
    append("tenant", request.tenant)
    append("accessKeyId", request.accessKeyId)
    append("actor", request.actor)
    append("sourceIp", request.sourceIp)
    append("userAgent", request.userAgent, cutAfter: Self.longestUserAgent)
    append("operation", request.operation)
    append("method", request.method)
    append("path", request.path)
    append("appInstanceArn", request.appInstanceArn)
    append("appInstanceUserId", request.appInstanceUserId)
    append("appInstanceUserArn", request.appInstanceUserArn)
    append("resourceArn", request.resourceArn)
    append("name", request.name, sensitivity.name)
    append("metadata", request.metadata, sensitivity.metadata)
    if let metadata = request.metadata { append("metadataBytes", integer: metadata.utf8.count) }
    append(tags: request.tags, sensitivity.tagValues)
    append("tagKeys", list: request.tagKeys)
    if let days = request.expirationDays { append("expirationDays", integer: days) }
    append("decision", literal: request.decision.rawValue)
    append("violations", request.violations, under: sensitivity)
    append("warnings", request.warnings, under: sensitivity)
    append(changes: request.changes, under: sensitivity)
    append("policyRevision", request.policyRevision)
    if let earlier = request.repeatOf {
      bytes.append(",\"repeatOf\":\"")
      bytes.append(earlier)
      bytes.append("\"")
    }
  }

  mutating func append(_ result: borrowing AuditedResult) {
    if let status = result.status { append("status", integer: status) }
    append("errorType", result.errorType)
    if let reason = result.reason {
      key("reason")
      bytes.append(jsonString: reason)
    }
    if let status = result.upstreamStatus { append("upstreamStatus", integer: status) }
    append("upstreamRequestId", result.upstreamRequestId)
    append("appInstanceUserArn", result.appInstanceUserArn)
    append("outcome", literal: result.outcome.rawValue)
    if let attempts = result.attempts { append("attempts", integer: attempts) }
    append(milliseconds: result.durationNanoseconds)
  }

  /// Only what asking afterwards can tell: no answer was given, and none took any time.
  mutating func append(finding: borrowing AuditedResult) {
    if let reason = finding.reason {
      key("reason")
      bytes.append(jsonString: reason)
    }
    append("appInstanceUserArn", finding.appInstanceUserArn)
    append("outcome", literal: finding.outcome.rawValue)
  }

  mutating func append(_ name: StaticString, integer value: Int) {
    key(name)
    bytes.append(decimal: value)
  }

  /// A word of our own that needs no escaping.
  mutating func append(_ name: StaticString, literal value: String) {
    key(name)
    bytes.append("\"")
    bytes.append(text: value)
    bytes.append("\"")
  }

  private mutating func append(_ name: StaticString, _ value: Text?, cutAfter limit: Int = longestText) {
    guard let value else { return }
    key(name)
    append(value, cutAfter: limit)
  }

  private mutating func append(_ value: Text, cutAfter limit: Int = longestText) {
    guard value.utf8.count > limit else { return bytes.append(jsonString: value.utf8) }
    var end = limit
    while end > 0, value.utf8[end] & 0xC0 == 0x80 { end -= 1 }
    bytes.append(jsonString: Array(value.utf8[..<end]))
  }

  private mutating func append(_ name: StaticString, _ value: Text?, _ treatment: Sensitivity.Treatment) {
    guard let value else { return }
    if case .omitted = treatment { return }
    key(name)
    append(value, treatment)
  }

  /// A value as `treatment` shows it; `null` when it hides it.
  private mutating func append(_ value: Text, _ treatment: Sensitivity.Treatment) {
    switch treatment {
    case .plain: append(value)
    case .hashed(let key):
      bytes.append(jsonString: Sensitivity.Treatment.mark(of: value.utf8, under: key))
    case .omitted: bytes.append("null")
    }
  }

  private mutating func append(tags: [AuditedRequest.Tag], _ treatment: Sensitivity.Treatment) {
    guard !tags.isEmpty else { return }
    bytes.append(",\"tags\":")
    var separator: StaticString = "{"
    var recorded = 0
    for (index, tag) in tags.prefix(Self.mostTags).enumerated()
    where !tags[..<index].contains(where: { $0.key == tag.key }) {
      // A key given twice makes the request invalid; it must not make the record unreadable.
      bytes.append(separator)
      separator = ","
      append(tag.key)
      bytes.append(":")
      append(tag.value, treatment)
      recorded += 1
    }
    bytes.append("}")
    if recorded < tags.count { append("tagsNotRecorded", integer: tags.count - recorded) }
  }

  private mutating func append(_ name: StaticString, list: [Text]) {
    guard !list.isEmpty else { return }
    key(name)
    var separator: StaticString = "["
    for value in list.prefix(Self.mostTags) {
      bytes.append(separator)
      separator = ","
      append(value)
    }
    bytes.append("]")
  }

  private mutating func append(
    _ name: StaticString, _ findings: [AuditedRequest.Finding], under sensitivity: borrowing Sensitivity
  ) {
    guard !findings.isEmpty else { return }
    key(name)
    var separator: StaticString = "["
    for finding in findings {
      bytes.append(separator)
      separator = ","
      bytes.append("{\"policy\":")
      bytes.append(jsonString: finding.policy.utf8)
      bytes.append(",\"rule\":")
      bytes.append(jsonString: finding.rule)
      bytes.append(",\"field\":")
      bytes.append(jsonString: finding.field)
      bytes.append(",\"message\":")
      // A message may quote the value that it is about.
      if sensitivity.treatment(ofField: finding.field).isPlain {
        bytes.append(jsonString: finding.message)
      } else {
        bytes.append("\"not recorded, as it may quote the value\"")
      }
      bytes.append("}")
    }
    bytes.append("]")
  }

  private mutating func append(
    changes: [AuditedRequest.Change], under sensitivity: borrowing Sensitivity
  ) {
    guard !changes.isEmpty else { return }
    bytes.append(",\"changes\":")
    var separator: StaticString = "["
    for change in changes {
      let treatment = sensitivity.treatment(ofField: change.field)
      bytes.append(separator)
      separator = ","
      bytes.append("{\"field\":")
      bytes.append(jsonString: change.field)
      if let from = change.from {
        bytes.append(",\"from\":")
        append(from, treatment)
      }
      bytes.append(",\"to\":")
      append(change.to, treatment)
      bytes.append("}")
    }
    bytes.append("]")
  }

  private mutating func append(milliseconds nanoseconds: Int64) {
    let microseconds = Int(max(0, nanoseconds) / 1000)
    append("durationMs", integer: microseconds / 1000)
    bytes.append(".")
    bytes.append(decimal: microseconds % 1000, width: 3)
  }

  private mutating func key(_ name: StaticString) { bytes.append(key: name) }
}
