package import AuditTrail
internal import ChimeIdentity
internal import Primitives
internal import StrictJSON

/// Finds out what became of requests by looking at what upstream has now, and asks for nothing else
/// (docs/decisions/0034).
package struct Reconciler {
  private let reader: any UpstreamReading
  private let tolerance: Int64
  private let values: QueryFilter

  /// - Parameters:
  ///   - tolerance: nanoseconds: how far apart the clocks of upstream and of this gateway may be, and how long a
  ///     request may take.
  ///   - values: for values and their hashes under `audit.sensitive.keyFile`.
  package init(reader: any UpstreamReading, tolerance: Int64, values: QueryFilter) {
    self.reader = reader
    self.tolerance = tolerance
    self.values = values
  }

  package func find(_ request: RequestHistory) async throws(UpstreamUnavailable) -> Finding {
    let name = request.text("operation")
    let operation = Operation.allCases.first { $0.text == name }
    if operation == .tagResource || operation == .untagResource { return try await tags(request) }
    guard let operation, Self.ofUsers.contains(operation) else {
      return .undecided("what became of this operation cannot be told by asking")
    }
    guard let app = request.text("appInstanceArn"), let id = request.text("appInstanceUserId") else {
      return .undecided("the journal does not show the user")
    }
    let arn = app + "/user/" + id
    let user: UpstreamUser
    switch try await UserPresence(of: arn, in: app, asking: reader) {
    case .undisclosed(let reason): return .undecided("upstream does not tell: \(reason)")
    case .absent: return Self.absent(operation)
    case .described(let found): user = found
    case .listed(let found):
      guard operation != .putAppInstanceUserExpirationSettings else {
        return .undecided("upstream lists the user and refuses to describe it")
      }
      user = found
    }
    switch operation {
    case .createAppInstanceUser: return created(user, arn, request)
    case .deleteAppInstanceUser: return kept(user, request)
    case .updateAppInstanceUser: return updated(user, request)
    default: return expiration(user, request)
    }
  }

  private static let ofUsers: Set<Operation> = [
    .createAppInstanceUser, .deleteAppInstanceUser, .updateAppInstanceUser,
    .putAppInstanceUserExpirationSettings,
  ]

  private static func absent(_ operation: Operation) -> Finding {
    switch operation {
    case .createAppInstanceUser: .failed("upstream has no such user")
    case .deleteAppInstanceUser: .succeeded("upstream has no such user any more")
    default: .undecided("upstream has no such user now, which does not tell whether it was changed before")
    }
  }

  private func created(_ user: UpstreamUser, _ arn: Text, _ request: RequestHistory) -> Finding {
    if let time = user.created {
      let age = request.time.nanoseconds(since: time)
      if age > tolerance {
        return .failed("upstream has had the user since \(time.rfc3339), before this request")
      }
      if age < -tolerance {
        return .failed("upstream has the user since \(time.rfc3339) only, from a later request")
      }
    }
    return Finding(outcome: .created, reason: "upstream has the user", userArn: arn)
  }

  /// After DeleteAppInstanceUser.
  private func kept(_ user: UpstreamUser, _ request: RequestHistory) -> Finding {
    if let time = user.created, time.nanoseconds(since: request.time) > tolerance {
      return .undecided("upstream has the user since \(time.rfc3339), after this request")
    }
    return .failed("upstream still has the user")
  }

  private func updated(_ user: UpstreamUser, _ request: RequestHistory) -> Finding {
    let name = request.isCut("name") ? .hidden : compare(request.text("name"), user.name ?? "")
    let current = user.metadata ?? ""
    var metadata = request.isCut("metadata") ? .hidden : compare(request.text("metadata"), current)
    // How long it was stands there even where it is hidden.
    if metadata == .hidden, let count = request.integer("metadataBytes") {
      if count != current.utf8.count { metadata = .different } else if count == 0 { metadata = .equal }
    }
    return Comparison.all([name, metadata]).finding("name and metadata")
  }

  private func expiration(_ user: UpstreamUser, _ request: RequestHistory) -> Finding {
    let change = request.first.changes.last { $0.field == "ExpirationSettings.ExpirationDays" }
    let wanted = change.flatMap { Int($0.to.string) } ?? request.integer("expirationDays")
    let result: Comparison = wanted == user.expirationDays ? .equal : .different
    return result.finding("the expiration")
  }

  /// - Parameter recorded: as the journal has it; `nil` when it does not.
  private func compare(_ recorded: Text?, _ current: Text) -> Comparison {
    guard let recorded else { return .hidden }
    if values.recorded(current).contains(recorded) { return .equal }
    // The hash of something else, or one under another key: nobody can tell.
    return recorded.hasPrefix("hmac-sha256:") ? .hidden : .different
  }
}

// TagResource and UntagResource.
extension Reconciler {
  private func tags(_ request: RequestHistory) async throws(UpstreamUnavailable) -> Finding {
    guard let resource = request.taggedResource else {
      return .undecided("the journal does not show the resource")
    }
    switch try await reader.listTags(of: resource) {
    case .notFound:
      return .undecided(
        "upstream has no such resource now, which does not tell whether it was changed before")
    case .refused(let reason):
      return .undecided("upstream does not tell: it refuses to list the tags (\(reason))")
    case .found(let document):
      let current = Self.tags(in: document)
      let isUntag = request.text("operation") == Operation.untagResource.text
      let result = isUntag ? untagged(request, current) : tagged(request, current)
      return result.finding("the tags")
    }
  }

  private func tagged(_ request: RequestHistory, _ current: [Text: Text]) -> Comparison {
    guard let wanted = request.wantedTags, request.integer("tagsNotRecorded") == nil,
      !request.isCut("tags"), !request.isCut("changes")
    else { return .hidden }
    return .all(wanted.map { key, value in current[key].map { compare(value, $0) } ?? .different })
  }

  private func untagged(_ request: RequestHistory, _ current: [Text: Text]) -> Comparison {
    guard let keys = request.tagKeys, !request.isCut("tagKeys") else { return .hidden }
    return keys.contains { current[$0] != nil } ? .different : .equal
  }

  private static func tags(in document: JSONDocument) -> [Text: Text] {
    guard let tags = document.member("Tags", of: document.root) else { return [:] }
    var found: [Text: Text] = [:]
    for tag in document.elements(tags) {
      guard let key = document.member("Key", of: tag).flatMap({ document.text($0) }) else { continue }
      found[key] = document.member("Value", of: tag).flatMap { document.text($0) } ?? ""
    }
    return found
  }
}

extension RequestHistory {
  fileprivate var taggedResource: Text? {
    if let resource = text("resourceArn") { return resource }
    guard let app = text("appInstanceArn") else { return nil }
    return text("appInstanceUserId").map { app + "/user/" + $0 } ?? app
  }

  /// The tags as they were forwarded, values as the journal shows them; `nil` when it does not show the tags.
  fileprivate var wantedTags: [Text: Text?]? {
    guard let document = source("tags").flatMap({ try? JSONDocument(parsing: Array($0)) }) else { return nil }
    var wanted: [Text: Text?] = [:]
    for (key, value) in document.members(document.root) {
      if let key = document.text(key) { wanted.updateValue(document.text(value), forKey: key) }
    }
    for change in first.changes where change.field.hasPrefix("Tags.") {
      wanted.updateValue(change.to, forKey: Text(uncheckedUTF8: Array(change.field.utf8.dropFirst(5))))
    }
    return wanted
  }

  fileprivate var tagKeys: [Text]? {
    guard let document = source("tagKeys").flatMap({ try? JSONDocument(parsing: Array($0)) }) else {
      return nil
    }
    return document.elements(document.root).compactMap { document.text($0) }
  }
}
