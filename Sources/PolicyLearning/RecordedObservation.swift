package import AuditTrail
internal import ChimeIdentity
internal import Primitives
internal import StrictJSON

extension ObservedRequest {
  /// - Returns: `nil` for a request that policy has no say in, that was not carried out, that repeats another, or that the
  ///   journal shows in part only.
  package init?(_ request: RequestHistory) {
    guard ["created", "succeeded"].contains(request.outcome), request.text("repeatOf") == nil,
      request.integer("tagsNotRecorded") == nil,
      !["tags", "tagKeys", "name", "changes"].contains(where: request.isCut),
      let operation = request.text("operation").flatMap({ Operation(name: $0) }),
      let tenant = request.text("tenant")
    else { return nil }
    self.init(operation, tenant: tenant)
    appInstance = request.text("appInstanceArn") ?? ""
    userId = request.text("appInstanceUserId")
    name = request.text("name").flatMap { $0.isHash ? nil : $0 }
    expirationDays = request.integer("expirationDays")
    metadataBytes = request.integer("metadataBytes")
    if let document = request.document(of: "tags") {
      for (key, value) in document.members(document.root) {
        guard let key = document.text(key) else { continue }
        tags.append(Tag(key, document.shown(value)))
      }
    }
    if let document = request.document(of: "tagKeys") {
      removedKeys = document.elements(document.root).compactMap { document.text($0) }
    }
    if let document = request.document(of: "changes") { takeChanges(document) }
  }

  private mutating func takeChanges(_ document: JSONDocument) {
    for change in document.elements(document.root) {
      guard let field = document.member("field", of: change).flatMap({ document.text($0) }) else { continue }
      let value = document.member("to", of: change).flatMap { document.shown($0) }
      if field.hasPrefix("Tags.") {
        changedTags.append(Tag(Text(uncheckedUTF8: Array(field.utf8.dropFirst(5))), value))
      } else if field == "ExpirationSettings.ExpirationDays" {
        changedDays = value.flatMap { Int($0.string) }
      }
    }
  }
}

extension RequestHistory {
  /// A member that is an object or a list, by itself.
  fileprivate func document(of member: Text) -> JSONDocument? {
    first.source(member).flatMap { try? JSONDocument(parsing: Array($0)) }
  }
}

extension JSONDocument {
  /// `nil`: the journal does not show it.
  fileprivate func shown(_ node: JSONNode) -> Text? { text(node).flatMap { $0.isHash ? nil : $0 } }
}

extension Text {
  /// Whether it stands for a value that the journal does not show.
  fileprivate var isHash: Bool { hasPrefix("hmac-sha256:") }
}
