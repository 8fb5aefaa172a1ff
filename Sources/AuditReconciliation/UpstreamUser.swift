internal import Primitives
internal import StrictJSON

/// What upstream tells of a user.
struct UpstreamUser {
  let name: Text?
  let metadata: Text?
  /// `nil` when it is not told: lists do not.
  let created: WallClockTime?
  let expirationDays: Int?

  /// - Parameter node: an AppInstanceUser, or the summary of one in a list.
  init(_ node: JSONNode, in document: JSONDocument) {
    func text(_ key: Text) -> Text? { document.member(key, of: node).flatMap { document.text($0) } }
    name = text("Name")
    metadata = text("Metadata")
    created = document.member("CreatedTimestamp", of: node).flatMap { Self.time($0, in: document) }
    let settings = document.member("ExpirationSettings", of: node)
    expirationDays = settings.flatMap { document.member("ExpirationDays", of: $0) }
      .flatMap { document.integer($0) }
  }

  /// REST-JSON writes times as seconds since 1970, whole or not.
  private static func time(_ node: JSONNode, in document: JSONDocument) -> WallClockTime? {
    if let text = document.text(node) { return WallClockTime(rfc3339: text.string) }
    guard let seconds = document.real(node), abs(seconds) < 9_000_000_000 else { return nil }
    return WallClockTime(nanoseconds: Int64(seconds * 1_000_000_000))
  }
}

/// Whether upstream has a user.
enum UserPresence {
  case described(UpstreamUser)
  /// It is in the list of its AppInstance; nobody may describe it.
  case listed(UpstreamUser)
  case absent
  /// Upstream will not say; why.
  case undisclosed(String)
}

extension UserPresence {
  /// Describes a user, and looks for it in the list where a refusal cannot be told from absence.
  init(of user: Text, in appInstance: Text, asking reader: any UpstreamReading)
    async throws(UpstreamUnavailable)
  {
    switch try await reader.describeUser(user) {
    case .found(let document):
      guard let node = document.member("AppInstanceUser", of: document.root) else {
        self = .undisclosed("its answer to DescribeAppInstanceUser has no AppInstanceUser")
        return
      }
      self = .described(UpstreamUser(node, in: document))
    case .notFound: self = .absent
    case .refused(let reason):
      self = try await Self.listed(user, in: appInstance, asking: reader, refusal: reason)
    }
  }

  /// - Parameter refusal: why the user was not described.
  private static func listed(
    _ user: Text, in appInstance: Text, asking reader: any UpstreamReading, refusal: String
  ) async throws(UpstreamUnavailable) -> UserPresence {
    var token: Text?
    while true {
      guard case .found(let page) = try await reader.listUsers(of: appInstance, after: token) else {
        return .undisclosed(
          "it refuses to describe the user (\(refusal)) and to list those of its AppInstance")
      }
      guard let users = page.member("AppInstanceUsers", of: page.root) else {
        return .undisclosed("its answer to ListAppInstanceUsers has no AppInstanceUsers")
      }
      for node in page.elements(users) {
        let arn = page.member("AppInstanceUserArn", of: node).flatMap { page.text($0) }
        if arn == user { return .listed(UpstreamUser(node, in: page)) }
      }
      let next = page.member("NextToken", of: page.root).flatMap { page.text($0) }
      guard let next, !next.isEmpty else { return .absent }
      // Or it would never end.
      guard next != token else { return .undisclosed("its list of users does not go on") }
      token = next
    }
  }
}
