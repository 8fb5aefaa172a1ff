internal import Primitives

/// An AppInstance in memory, with its users.
struct AppInstanceRecord: Sendable {
  let arn: Text
  var name: Text
  var metadata: Text?
  let created: WallClockTime
  var tags: [Tag]
  private(set) var users: [Text: UserRecord] = [:]
  /// The keys of `users` in order, so that pages stay where they are while users come and go.
  private(set) var userIds: [Text] = []
  /// Requests that made a user, by their token, for as long as the user is there.
  private(set) var served: [Text: CreateUserRequest] = [:]

  init(arn: Text, name: Text, metadata: Text? = nil, created: WallClockTime, tags: [Tag] = []) {
    self.arn = arn
    self.name = name
    self.metadata = metadata
    self.created = created
    self.tags = tags
  }

  mutating func insert(_ user: UserRecord) {
    userIds.insert(user.id, at: firstIndex(after: user.id))
    users[user.id] = user
    served[user.request.token] = user.request
  }

  mutating func update(_ user: UserRecord) { users[user.id] = user }

  mutating func remove(_ id: Text) {
    guard let user = users.removeValue(forKey: id) else { return }
    userIds.remove(at: firstIndex(after: id) - 1)
    served[user.request.token] = nil
  }

  /// The index of the first user ID that comes after `id`.
  func firstIndex(after id: Text) -> Int {
    var low = 0
    var high = userIds.count
    while low < high {
      let middle = (low + high) / 2
      if userIds[middle] <= id { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

struct UserRecord: Sendable {
  /// What made it; a request with the same token is compared with it.
  let request: CreateUserRequest
  var name: Text
  var metadata: Text?
  let created: WallClockTime
  var updated: WallClockTime
  var tags: [Tag]
  var expirationDays: Int?

  init(_ request: CreateUserRequest, now: WallClockTime) {
    self.request = request
    name = request.name
    metadata = request.metadata
    created = now
    updated = now
    tags = request.tags
    expirationDays = request.expirationDays
  }

  var id: Text { request.userId }
  var arn: Text { request.appInstanceArn + Self.separator + id }

  /// The service deletes a user so many days after it was created.
  func isExpired(_ now: WallClockTime) -> Bool {
    guard let expirationDays else { return false }
    return now.nanoseconds(since: created) >= Int64(expirationDays) * 86_400_000_000_000
  }

  private static let separator: Text = "/user/"
}

struct Tag: Hashable, Sendable {
  let key: Text
  let value: Text
}

extension [Tag] {
  /// Adds `more`; a key that is there gets the new value.
  func merged(with more: [Tag]) -> [Tag] {
    filter { old in !more.contains { $0.key == old.key } } + more
  }
}
