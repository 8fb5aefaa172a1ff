package import Primitives
internal import StrictJSON

/// What the journal tells of one request: its intent and its outcome, or the one record that tells both, and what was
/// found out afterwards.
package struct RequestHistory: Sendable {
  /// The intent, or the only record.
  package let first: JournalRecord
  /// The outcome of the intent; `nil` when no answer is known, or the first record is the only one.
  package let second: JournalRecord?
  /// What `reconcile` found out about a request whose outcome was not known.
  package let finding: JournalRecord?
  /// Whose journal it stands in, where there are several.
  package var gatewayId: Text?

  package init(first: JournalRecord, second: JournalRecord?, finding: JournalRecord? = nil) {
    self.first = first
    self.second = second
    self.finding = finding
  }

  package var time: WallClockTime { first.time }

  /// The worst that was found out about its records.
  package var doubt: RecordDoubt? { [first.doubt, second?.doubt, finding?.doubt].compactMap(\.self).max() }

  /// The record that it is about.
  package var doubtful: JournalRecord? {
    [first, second, finding].compactMap(\.self).first { $0.doubt != nil && $0.doubt == doubt }
  }

  package var requestId: Text { first.requestId ?? "" }

  /// What was found out afterwards goes before what the outcome says, and that before what the intent says. So the
  /// status, the error and the duration are those of the answer that the caller got.
  package func text(_ member: Text) -> Text? { newest(member) { $0.text(member) } }

  package func integer(_ member: Text) -> Int? { newest(member) { $0.integer(member) } }

  /// Whether what the request was about is shown in part only: its record would have been too long.
  package func isCut(_ member: Text) -> Bool { first.texts("truncated").contains(member) }

  /// Forwarded, and no answer is known.
  package var isUnknown: Bool { outcome == "unknown" }

  package var outcome: Text { text("outcome") ?? "unknown" }

  /// The one object a request that `audit query --format json` prints. What is not known is
  /// `null`; the members behind `durationMs` are there only when they say something.
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    for (key, name, absent) in Self.members {
      writer.key(key)
      writer.raw(evaluatedSource(name) ?? Array(absent.utf8)[...])
    }
    for (key, name) in Self.additions {
      guard let value = source(name) else { continue }
      writer.key(key)
      writer.raw(value)
    }
    if let finding, finding.kind == .reconciled, let time = finding.source("time") {
      writer.key("reconciledAt")
      writer.raw(time)
    }
    if let gatewayId {
      writer.key("gatewayId")
      writer.string(gatewayId)
    }
    if let doubt {
      writer.key("integrity")
      writer.string(doubt.rawValue)
    }
    writer.endObject()
    return writer.bytes
  }

  /// The value as the journal writes it.
  package func source(_ member: Text) -> ArraySlice<UInt8>? {
    // The request's own time, not that of its end.
    if member == "time" { return first.source(member) }
    return newest(member) { $0.source(member) }
  }

  private func newest<Value>(_ member: Text, _ read: (JournalRecord) -> Value?) -> Value? {
    // Findings that older versions wrote bear a duration of 0, which is none of the request.
    if let finding, member != "durationMs", let value = read(finding) { return value }
    return second.flatMap(read) ?? read(first)
  }

  /// In the order that docs/audit.md shows, with what stands for a member that the records do not have.
  private static let members: [(key: StaticString, name: Text, absent: String)] = [
    ("time", "time", "null"), ("requestId", "requestId", "null"), ("tenant", "tenant", "null"),
    ("accessKeyId", "accessKeyId", "null"), ("actor", "actor", "null"), ("sourceIp", "sourceIp", "null"),
    ("userAgent", "userAgent", "null"), ("operation", "operation", "null"),
    ("appInstanceArn", "appInstanceArn", "null"), ("appInstanceUserId", "appInstanceUserId", "null"),
    ("name", "name", "null"), ("tags", "tags", "{}"), ("expirationDays", "expirationDays", "null"),
    ("decision", "decision", "null"), ("violations", "violations", "[]"), ("warnings", "warnings", "[]"),
    ("changes", "changes", "[]"), ("policyRevision", "policyRevision", "null"), ("status", "status", "null"),
    ("upstreamStatus", "upstreamStatus", "null"), ("upstreamRequestId", "upstreamRequestId", "null"),
    ("appInstanceUserArn", "appInstanceUserArn", "null"), ("outcome", "outcome", "\"unknown\""),
    ("durationMs", "durationMs", "null"),
  ]

  private static let additions: [(key: StaticString, name: Text)] = [
    ("errorType", "errorType"), ("reason", "reason"), ("metadata", "metadata"), ("tagKeys", "tagKeys"),
    ("tagsNotRecorded", "tagsNotRecorded"), ("resourceArn", "resourceArn"), ("method", "method"),
    ("path", "path"), ("wouldChange", "wouldChange"),
    ("exceptions", "exceptions"), ("attempts", "attempts"), ("repeatOf", "repeatOf"),
    ("truncated", "truncated"),
  ]
}
