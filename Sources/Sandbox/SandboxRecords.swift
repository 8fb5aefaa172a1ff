internal import ChimeIdentity
internal import Primitives

/// An AppInstance with what is in it.
struct AppInstanceRecord: Sendable {
  let arn: Text
  /// The ClientRequestToken of what made it; `nil` when it was taken without having been created.
  let token: Text?
  var name: Text
  var metadata: Text?
  let created: WallClockTime
  var updated: WallClockTime
  var tags: [Tag]
  var retention: RetentionRecord?
  private(set) var users = Directory<UserRecord>()
  private(set) var servedUsers = ServedRequests<CreateUserRequest>()
  private(set) var bots = Directory<BotRecord>()
  private(set) var servedBots = ServedRequests<CreateBotRequest>()
  /// By the ARNs of the users and bots that they are.
  var admins = Directory<AdminRecord>()

  init(arn: Text, name: Text, created: WallClockTime) {
    self.arn = arn
    token = nil
    self.name = name
    self.created = created
    updated = created
    tags = []
  }

  init(_ request: CreateAppInstanceRequest, arn: Text, now: WallClockTime) {
    self.arn = arn
    token = request.token
    name = request.name
    metadata = request.metadata
    created = now
    updated = now
    tags = request.tags
  }

  mutating func insert(_ user: UserRecord, madeBy request: CreateUserRequest) {
    users[user.id] = user
    servedUsers.remember(request, made: user.id)
  }

  mutating func store(_ user: UserRecord) { users[user.id] = user }

  /// Its endpoints and what it may do as an admin go with it. AWS does not say whether it lets an admin be deleted.
  mutating func removeUser(_ id: Text) {
    guard let user = users[id] else { return }
    users[id] = nil
    admins[user.arn] = nil
    servedUsers.forget(user.token)
  }

  mutating func insert(_ bot: BotRecord, madeBy request: CreateBotRequest) {
    bots[bot.id] = bot
    servedBots.remember(request, made: bot.id)
  }

  mutating func store(_ bot: BotRecord) { bots[bot.id] = bot }

  mutating func removeBot(_ id: Text) {
    guard let bot = bots[id] else { return }
    bots[id] = nil
    admins[bot.arn] = nil
    servedBots.forget(bot.token)
  }
}

/// For how long messages are kept, and from when on those are deleted that are older.
struct RetentionRecord: Sendable {
  let days: Int
  let deletionBegins: WallClockTime
}

struct UserRecord: Sendable {
  let appInstanceArn: Text
  let id: Text
  let token: Text
  var name: Text
  var metadata: Text?
  let created: WallClockTime
  var updated: WallClockTime
  var tags: [Tag]
  var expirationDays: Int?
  var endpoints = Directory<EndpointRecord>()
  var servedEndpoints = ServedRequests<RegisterEndpointRequest>()

  init(_ request: CreateUserRequest, now: WallClockTime) {
    appInstanceArn = request.appInstanceArn
    id = request.userId
    token = request.token
    name = request.name
    metadata = request.metadata
    created = now
    updated = now
    tags = request.tags
    expirationDays = request.expirationDays
  }

  var arn: Text { appInstanceArn + Self.separator + id }

  /// The service deletes a user so many days after it was created. AWS does within six hours, the sandbox at once.
  func isExpired(_ now: WallClockTime) -> Bool {
    guard let expirationDays else { return false }
    return now.nanoseconds(since: created.advanced(byDays: expirationDays)) >= 0
  }

  private static let separator: Text = "/user/"
}

struct BotRecord: Sendable {
  let appInstanceArn: Text
  let id: Text
  let token: Text
  var name: Text?
  var metadata: Text?
  var configuration: LexConfiguration
  let created: WallClockTime
  var updated: WallClockTime
  var tags: [Tag]

  init(_ request: CreateBotRequest, id: Text, now: WallClockTime) {
    appInstanceArn = request.appInstanceArn
    self.id = id
    token = request.token
    name = request.name
    metadata = request.metadata
    configuration = request.configuration
    created = now
    updated = now
    tags = request.tags
  }

  var arn: Text { appInstanceArn + Self.separator + id }

  private static let separator: Text = "/bot/"
}

/// A user or bot that was promoted.
struct AdminRecord: Sendable {
  let arn: ChimeARN
  let created: WallClockTime
}

struct EndpointRecord: Sendable {
  let id: Text
  /// What cannot be changed, and what else was asked for.
  let request: RegisterEndpointRequest
  var name: Text?
  var allowMessages: Text
  let created: WallClockTime
  var updated: WallClockTime

  init(_ request: RegisterEndpointRequest, id: Text, now: WallClockTime) {
    self.id = id
    self.request = request
    name = request.name
    allowMessages = request.allowMessages ?? Self.receivesAll
    created = now
    updated = now
  }

  /// What an endpoint has that was registered without a word about it, which AWS leaves open.
  private static let receivesAll: Text = "ALL"
}

extension WallClockTime {
  func advanced(byDays days: Int) -> WallClockTime {
    advanced(byNanoseconds: Int64(days) * 86_400_000_000_000)
  }
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
