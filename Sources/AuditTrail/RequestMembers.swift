package import Primitives

// What came. Everything is told as it was received; what policy made of it stands in the changes.
extension RecordWriter {
  package mutating func tenant(_ value: Span<UInt8>?) { text(.tenant, ",\"tenant\":", value) }

  /// - Parameter limit: as for the others: the bytes after which it is cut.
  package mutating func accessKeyId(_ value: Span<UInt8>?, cutAfter limit: Int = .max) {
    text(.accessKeyId, ",\"accessKeyId\":", value, cutAfter: min(limit, bounds.text))
  }

  package mutating func actor(_ value: Span<UInt8>?) { text(.actor, ",\"actor\":", value) }

  package mutating func sourceIp(_ value: Span<UInt8>?) { text(.sourceIp, ",\"sourceIp\":", value) }

  package mutating func userAgent(_ value: Span<UInt8>?, cutAfter limit: Int = longestUserAgent) {
    text(.userAgent, ",\"userAgent\":", value, cutAfter: min(limit, bounds.text))
  }

  package mutating func operation(_ value: Span<UInt8>?) { text(.operation, ",\"operation\":", value) }

  /// Of requests that are no known operation. Never the query: it may hold a signature.
  package mutating func unknownOperation(method: Span<UInt8>?, path: Span<UInt8>?) {
    text(.method, ",\"method\":", method, cutAfter: min(Self.longestOfStranger, bounds.text))
    text(.path, ",\"path\":", path, cutAfter: min(Self.longestOfStranger, bounds.text))
  }

  package mutating func appInstanceArn(_ value: Span<UInt8>?) {
    text(.appInstanceArn, ",\"appInstanceArn\":", value, cutAfter: bounds.identity)
  }

  package mutating func appInstanceUserId(_ value: Span<UInt8>?) {
    text(.appInstanceUserId, ",\"appInstanceUserId\":", value, cutAfter: bounds.identity)
  }

  /// Of a user that was there before the request.
  package mutating func appInstanceUserArn(_ value: Span<UInt8>?) {
    guard let value else { return }
    text(.appInstanceUserArn, ",\"appInstanceUserArn\":", value, cutAfter: bounds.identity)
    hasUserArn = true
  }

  /// The same, made of the AppInstance's ARN and the user's id.
  package mutating func appInstanceUserArn(of instance: Span<UInt8>, user: Span<UInt8>) {
    begin(.appInstanceUserArn)
    hasUserArn = true
    bytes.append(",\"appInstanceUserArn\":\"")
    let most = bounds.identity
    bytes.append(jsonText: Self.cut(instance, after: most))
    // The whole of it is cut as `append` would cut it.
    let marker: StaticString = "/user/"
    let left = most - instance.count
    if left < marker.utf8CodeUnitCount + user.count { cut.insert(.appInstanceUserArn) }
    if left > marker.utf8CodeUnitCount {
      bytes.append(marker)
      bytes.append(jsonText: Self.cut(user, after: left - marker.utf8CodeUnitCount))
    } else if left > 0 {
      for index in 0..<left { bytes.append(marker.utf8Start[index]) }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// What the request is about when that is no AppInstance and no user: a bot, an endpoint.
  package mutating func resourceArn(_ value: Span<UInt8>?) {
    text(.resourceArn, ",\"resourceArn\":", value, cutAfter: bounds.identity)
  }

  package mutating func name(_ value: Span<UInt8>?) {
    guard let value else { return }
    if case .omitted = sensitivity.name { return }
    begin(.name)
    bytes.append(",\"name\":")
    append(value, of: .name, sensitivity.name)
  }

  package mutating func metadata(_ value: Span<UInt8>?) {
    guard let value else { return }
    begin(.metadata)
    switch sensitivity.metadata {
    case .omitted: break
    case .plain, .hashed:
      bytes.append(",\"metadata\":")
      append(value, of: .metadata, sensitivity.metadata)
    }
    bytes.append(",\"metadataBytes\":")
    bytes.append(decimal: value.count)
  }

  /// One of the tags, in their order. Keys that were given before, and tags beyond the fiftieth, are only counted.
  package mutating func tag(_ key: Span<UInt8>, _ value: Span<UInt8>) {
    tagsGiven += 1
    if tagsGiven == 1 { openList(.tags, ",\"tags\":", closing: "}") }
    guard tagsGiven <= bounds.tags else { return cut.insert(.tags) }
    let start = bytes.count
    bytes.append(tagKeys.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
    let keyStart = bytes.count
    append(key, of: .tags, cutAfter: bounds.key)
    let slice = ByteSlice(keyStart..<bytes.count)
    // A key given twice makes the request invalid; it must not make the record unreadable.
    guard !isRecorded(slice) else { return bytes.truncate(to: start) }
    tagKeys.append(slice)
    bytes.append(UInt8(ascii: ":"))
    append(value, of: .tags, sensitivity.tagValues)
  }

  private func isRecorded(_ key: ByteSlice) -> Bool {
    let all = bytes.span
    for index in tagKeys.indices {
      let other = tagKeys[index]
      if other.count == key.count, all[other].holds(all[key]) { return true }
    }
    return false
  }

  /// One of the keys that UntagResource takes away; those beyond the fiftieth are left out.
  package mutating func tagKey(_ key: Span<UInt8>) {
    guard element(of: .tagKeys, ",\"tagKeys\":[", most: bounds.tags) else { return }
    append(key, of: .tagKeys, cutAfter: bounds.key)
  }

  package mutating func expirationDays(_ days: Int?) { number(.expirationDays, ",\"expirationDays\":", days) }
}

// What was decided.
extension RecordWriter {
  /// In the outcome of an intent only where it is no longer what the intent says.
  package mutating func decision(_ decision: AuditDecision) {
    begin(.decision)
    bytes.append(decision.member)
  }

  /// - Parameters:
  ///   - field: as policies name it: `Name`, `Tags.Owner`.
  ///   - message: may quote the value that it is about; it is left out where that value is.
  ///   - marks: what else is known of it.
  package mutating func violation(
    policy: Span<UInt8>, rule: Span<UInt8>, field: Span<UInt8>, message: Span<UInt8>,
    marks: FindingMarks = FindingMarks()
  ) {
    guard element(of: .violations, ",\"violations\":[", most: bounds.listed) else { return }
    appendFinding(of: .violations, policy, rule, field, message, marks)
  }

  /// As `violation`.
  package mutating func warning(
    policy: Span<UInt8>, rule: Span<UInt8>, field: Span<UInt8>, message: Span<UInt8>,
    marks: FindingMarks = FindingMarks()
  ) {
    guard element(of: .warnings, ",\"warnings\":[", most: bounds.listed) else { return }
    appendFinding(of: .warnings, policy, rule, field, message, marks)
  }

  /// What a `warn` policy would have changed. As `violation`.
  package mutating func wouldChange(
    policy: Span<UInt8>, rule: Span<UInt8>, field: Span<UInt8>, message: Span<UInt8>
  ) {
    guard element(of: .wouldChange, ",\"wouldChange\":[", most: bounds.listed) else { return }
    appendFinding(of: .wouldChange, policy, rule, field, message, FindingMarks())
  }

  private mutating func appendFinding(
    of member: RecordMember, _ policy: Span<UInt8>, _ rule: Span<UInt8>, _ field: Span<UInt8>,
    _ message: Span<UInt8>, _ marks: FindingMarks
  ) {
    bytes.append("{\"policy\":")
    append(policy, of: member, cutAfter: bounds.text)
    bytes.append(",\"rule\":")
    append(rule, of: member, cutAfter: bounds.text)
    bytes.append(",\"field\":")
    append(field, of: member, cutAfter: bounds.text)
    bytes.append(",\"message\":")
    if case .plain = sensitivity.treatment(ofField: field) {
      append(message, of: member, cutAfter: bounds.text)
    } else {
      bytes.append("\"not recorded, as it may quote the value\"")
    }
    for (mark, name) in marks.given {
      bytes.append(name)
      append(mark.utf8.span, of: member, cutAfter: bounds.text)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  /// The name of one of the exceptions that were used.
  package mutating func exception(_ name: Span<UInt8>) {
    guard element(of: .exceptions, ",\"exceptions\":[", most: bounds.listed) else { return }
    append(name, of: .exceptions, cutAfter: bounds.text)
  }

  /// - Parameters:
  ///   - field: as policies name it.
  ///   - from: `nil`: the request did not have the field.
  package mutating func change(field: Span<UInt8>, from: Span<UInt8>?, to: Span<UInt8>) {
    guard element(of: .changes, ",\"changes\":[", most: bounds.listed) else { return }
    let treatment = sensitivity.treatment(ofField: field)
    bytes.append("{\"field\":")
    append(field, of: .changes, cutAfter: bounds.text)
    if let from {
      bytes.append(",\"from\":")
      append(from, of: .changes, treatment)
    }
    bytes.append(",\"to\":")
    append(to, of: .changes, treatment)
    bytes.append(UInt8(ascii: "}"))
  }

  /// `sha256:…` of the policy set that decided; `nil` when none did.
  package mutating func policyRevision(_ value: Span<UInt8>?) {
    text(.policyRevision, ",\"policyRevision\":", value)
  }

  /// The request whose answer this one got again.
  package mutating func repeatOf(_ earlier: RequestID?) {
    guard let earlier else { return }
    begin(.repeatOf)
    bytes.append(",\"repeatOf\":\"")
    bytes.append(earlier)
    bytes.append(UInt8(ascii: "\""))
  }

  /// How the request ended: the last members of every outcome.
  /// - Parameters:
  ///   - status: the caller got; `nil` when it was gone.
  ///   - errorType: the caller got.
  ///   - reason: for whoever reads the journal; it must not quote what the request holds.
  ///   - userArn: the answer named; left out where the request named one, as a member stands in a record once.
  ///   - attempts: how often it was sent upstream.
  package mutating func result(
    _ outcome: AuditOutcome, status: Int?, errorType: Span<UInt8>? = nil, reason: Span<UInt8>? = nil,
    upstreamStatus: Int? = nil, upstreamRequestId: Span<UInt8>? = nil, userArn: Span<UInt8>? = nil,
    attempts: Int? = nil, durationNanoseconds: Int64
  ) {
    begin(.result)
    number(",\"status\":", status)
    text(inResult: .errorType, ",\"errorType\":", errorType)
    text(inResult: .reason, ",\"reason\":", reason)
    number(",\"upstreamStatus\":", upstreamStatus)
    text(inResult: .upstreamRequestId, ",\"upstreamRequestId\":", upstreamRequestId)
    if !hasUserArn { text(inResult: .appInstanceUserArn, ",\"appInstanceUserArn\":", userArn) }
    bytes.append(outcome.member)
    number(",\"attempts\":", attempts)
    let microseconds = Int(max(0, durationNanoseconds) / 1000)
    bytes.append(",\"durationMs\":")
    bytes.append(decimal: microseconds / 1000)
    bytes.append(UInt8(ascii: "."))
    bytes.append(decimal: microseconds % 1000, width: 3)
  }
}
