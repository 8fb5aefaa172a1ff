package import OpenSSLCrypto
package import Primitives

/// Which requests `audit query` prints; what is `nil` does not matter.
package struct QueryFilter: Sendable {
  package var userId: Text?
  package var userArn: Text?
  package var tenant: Text?
  package var actor: Text?
  package var accessKeyId: Text?
  package var operation: Text?
  package var decision: AuditDecision?
  package var outcome: AuditOutcome?
  /// A rule that was broken, or that a warning names.
  package var rule: Text?
  package var name: Text?
  /// Only what was forwarded and of which no answer is known.
  package var isUnknown = false
  /// All must be there, as they were evaluated.
  package var tags: [(key: Text, value: Text)] = []
  /// Requests that write tags, and none with one of these keys.
  package var withoutTags: [Text] = []
  package var since: WallClockTime?
  /// Not included.
  package var until: WallClockTime?
  /// With this, names and tags are also found by the hash of their value.
  package var hashKey: Secret?

  package init() {}

  package func matches(_ request: RequestHistory) -> Bool {
    guard since.map({ request.time >= $0 }) ?? true, until.map({ request.time < $0 }) ?? true else {
      return false
    }
    return matches(tenant, request, "tenant") && matches(actor, request, "actor")
      && matches(accessKeyId, request, "accessKeyId") && matches(operation, request, "operation")
      && matches(decision.map { Text($0.rawValue) }, request, "decision")
      && (userId.map { isAbout(userId: $0, request) } ?? true)
      && (userArn.map { isAbout(userArn: $0, request) } ?? true)
      && (name.map { isOne(of: recorded($0), request.text("name")) } ?? true)
      && (outcome.map { request.outcome == Text($0.rawValue) } ?? true)
      && (rule.map { request.rules.contains($0) } ?? true) && matchesTags(request)
      && (!isUnknown || request.isUnknown)
  }

  /// How a value may stand in the journal: as it is, or as its hash.
  package func recorded(_ value: Text) -> [Text] {
    guard let hashKey else { return [value] }
    return [value, Text(uncheckedUTF8: Sensitivity.Treatment.mark(of: value.utf8, under: hashKey))]
  }

  private func isOne(of wanted: [Text], _ value: Text?) -> Bool {
    value.map { wanted.contains($0) } ?? false
  }

  private func matches(_ wanted: Text?, _ request: RequestHistory, _ member: Text) -> Bool {
    guard let wanted else { return true }
    return request.text(member) == wanted
  }

  private func isAbout(userId: Text, _ request: RequestHistory) -> Bool {
    if let id = request.text("appInstanceUserId") { return id == userId }
    return request.text("appInstanceUserArn")?.userId == userId
  }

  private func isAbout(userArn: Text, _ request: RequestHistory) -> Bool {
    if request.text("appInstanceUserArn") == userArn { return true }
    // A create that was refused, or that may have been carried out, has none; this is what the user would be called.
    guard let instance = request.text("appInstanceArn"), let id = request.text("appInstanceUserId") else {
      return false
    }
    return instance + "/user/" + id == userArn
  }

  private func matchesTags(_ request: RequestHistory) -> Bool {
    guard !tags.isEmpty || !withoutTags.isEmpty else { return true }
    let evaluated = request.evaluatedTags
    guard withoutTags.isEmpty || request.writesTags else { return false }
    return tags.allSatisfy { tag in
      let wanted = recorded(tag.value)
      return evaluated.contains { $0.key == tag.key && ($0.value.map(wanted.contains) ?? false) }
    } && !evaluated.contains { withoutTags.contains($0.key) }
  }
}

extension Text {
  /// The last part of `arn:aws:chime:…:app-instance/…/user/ID`.
  package var userId: Text? {
    let marker = Array("/user/".utf8)
    guard utf8.count > marker.count,
      let start = (0...utf8.count - marker.count).first(where: { utf8[$0...].starts(with: marker) })
    else { return nil }
    return Text(uncheckedUTF8: Array(utf8[(start + marker.count)...]))
  }
}
