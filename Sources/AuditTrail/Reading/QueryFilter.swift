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
  package var name: Text?
  /// Only what was forwarded and of which no answer is known.
  package var isUnknown = false
  /// All must be there, as they were received or as they were forwarded.
  package var tags: [(key: Text, value: Text)] = []
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
      && tags.allSatisfy { has(tag: $0, request) } && (!isUnknown || request.isUnknown)
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

  private func has(tag: (key: Text, value: Text), _ request: RequestHistory) -> Bool {
    let wanted = recorded(tag.value)
    if request.first.tags.contains(where: { $0.key == tag.key && wanted.contains($0.value) }) { return true }
    let field = "Tags." + tag.key
    return request.first.changes.contains { $0.field == field && wanted.contains($0.to) }
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
