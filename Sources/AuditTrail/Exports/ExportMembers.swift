internal import Primitives
internal import StrictJSON

/// Writing members of the journal into objects of other formats; what is not known is left out.
extension JSONWriter {
  mutating func text(_ key: StaticString, _ value: Text?) {
    guard let value else { return }
    self.key(key)
    string(value)
  }

  mutating func number(_ key: StaticString, _ value: Int?) {
    guard let value else { return }
    self.key(key)
    integer(value)
  }

  /// The member `name` as the journal has it.
  mutating func member(_ key: StaticString, _ name: Text, of request: RequestHistory) {
    guard let source = request.source(name) else { return }
    self.key(key)
    raw(source)
  }

  /// What only the gateway knows.
  mutating func ownMembers(of request: RequestHistory) {
    beginObject()
    member("tenant", "tenant", of: request)
    member("actor", "actor", of: request)
    member("decision", "decision", of: request)
    text("outcome", request.outcome)
    member("violations", "violations", of: request)
    member("warnings", "warnings", of: request)
    member("changes", "changes", of: request)
    member("policyRevision", "policyRevision", of: request)
    member("status", "status", of: request)
    member("upstreamStatus", "upstreamStatus", of: request)
    member("upstreamRequestId", "upstreamRequestId", of: request)
    member("attempts", "attempts", of: request)
    member("repeatOf", "repeatOf", of: request)
    member("durationMs", "durationMs", of: request)
    endObject()
  }

  /// What was asked for, as it was evaluated and, if it was allowed, forwarded; as far as the journal shows it.
  mutating func requestMembers(of request: RequestHistory) {
    beginObject()
    member("appInstanceArn", "appInstanceArn", of: request)
    member("appInstanceUserId", "appInstanceUserId", of: request)
    text("appInstanceUserArn", request.first.text("appInstanceUserArn"))
    member("resourceArn", "resourceArn", of: request)
    member("name", "name", of: request)
    member("metadata", "metadata", of: request)
    member("tagKeys", "tagKeys", of: request)
    let tags = request.evaluatedTags
    if request.source("tags") != nil || !tags.isEmpty {
      key("tags")
      beginArray()
      for case (let key, let value?) in tags {
        beginObject()
        text("key", key)
        text("value", value)
        endObject()
      }
      endArray()
    }
    if let days = request.evaluatedExpirationDays {
      key("expirationSettings")
      beginObject()
      number("expirationDays", days)
      endObject()
    }
    endObject()
  }
}

extension WallClockTime {
  /// `2026-11-23T13:00:00Z`, as CloudTrail writes times.
  var wholeSeconds: Text {
    let date = CivilDate(self)
    var out: [UInt8] = []
    out.append(decimal: date.year, width: 4)
    for (mark, value) in [
      ("-", date.month), ("-", date.day), ("T", date.hour), (":", date.minute), (":", date.second),
    ] {
      out.append(string: mark)
      out.append(decimal: value, width: 2)
    }
    out.append("Z")
    return Text(uncheckedUTF8: out)
  }
}
