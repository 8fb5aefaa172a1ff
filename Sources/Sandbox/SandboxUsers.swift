internal import ChimeIdentity
internal import Primitives
internal import StrictJSON

extension SandboxService {
  mutating func createUser(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let request = try CreateUserRequest(call.body)
    let arn = request.appInstanceArn
    adoptAppInstance(arn, now: call.now)
    removeExpired([request.userId, appInstances[arn]?.servedUsers.made(under: request.token)], arn, call.now)
    let user = UserRecord(request, now: call.now)
    if try makesNew(request, now: call.now) { appInstances[arn]?.insert(user, madeBy: request) }
    return Self.json("AppInstanceUserArn", user.arn)
  }

  /// Takes away those whose days are over, so that their IDs and tokens are free.
  private mutating func removeExpired(_ ids: [Text?], _ arn: Text, _ now: WallClockTime) {
    for case .some(let id) in ids where appInstances[arn]?.users[id]?.isExpired(now) == true {
      appInstances[arn]?.removeUser(id)
    }
  }

  /// Whether this very request did not make its user already.
  private func makesNew(_ request: CreateUserRequest, now: WallClockTime) throws(SandboxFailure) -> Bool {
    let app = try appInstance(request.appInstanceArn)
    if try app.servedUsers.made(by: request) != nil { return false }
    guard app.users[request.userId] == nil else {
      throw SandboxFailure(.conflict, "there is a user with this AppInstanceUserId already")
    }
    // Those whose days are over are looked for only when it matters.
    let most = quotas.usersPerAppInstance
    if app.users.count >= most {
      try SandboxQuotas.require(
        app.users.count(where: { !$0.isExpired(now) }), below: most, "users in this AppInstance")
    }
    return true
  }

  func describeUser(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let found = try user(of: call)
    return Self.json { writer in
      writer.object("AppInstanceUser") { writer in
        writer.summary(of: found)
        writer.member("CreatedTimestamp", found.created)
        writer.member("LastUpdatedTimestamp", found.updated)
        writer.expirationSettings(found.expirationDays)
      }
    }
  }

  func listUsers(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let app = try appInstanceOrEmpty(call.target("AppInstanceArn"), now: call.now)
    let listing = app.users.listing(try call.page()) { !$0.isExpired(call.now) }
    return Self.json { writer in
      writer.member("AppInstanceArn", app.arn)
      writer.list("AppInstanceUsers", listing) { $0.summary(of: $1) }
    }
  }

  mutating func updateUser(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    var user = try user(of: call)
    user.name = call.body.text("Name")
    user.metadata = call.body.optionalText("Metadata")
    user.updated = call.now
    store(user)
    return Self.json("AppInstanceUserArn", user.arn)
  }

  mutating func deleteUser(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let user = try user(of: call)
    appInstances[user.appInstanceArn]?.removeUser(user.id)
    return []
  }

  mutating func putExpiration(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    var user = try user(of: call)
    user.expirationDays = call.body.expirationDays
    user.updated = call.now
    store(user)
    return Self.json { writer in
      writer.member("AppInstanceUserArn", user.arn)
      writer.expirationSettings(user.expirationDays)
    }
  }

  func user(of call: SandboxCall) throws(SandboxFailure) -> UserRecord {
    let arn = try Self.arn(call.target("AppInstanceUserArn"), of: .user, "a user")
    return try user(arn, now: call.now)
  }

  func user(_ arn: ChimeARN, now: WallClockTime) throws(SandboxFailure) -> UserRecord {
    let app = try appInstanceOrEmpty(arn.appInstanceArn, now: now)
    guard let id = arn.resourceId, let user = app.users[id], !user.isExpired(now) else {
      throw SandboxFailure(.notFound, "there is no user with this ARN in the sandbox")
    }
    return user
  }

  mutating func store(_ user: UserRecord) { appInstances[user.appInstanceArn]?.store(user) }

  /// An ARN of this kind of resource; the service lets nobody use any other in its place.
  static func arn(
    _ text: Text, of resource: ChimeARN.Resource, _ kind: String
  ) throws(SandboxFailure) -> ChimeARN {
    guard let arn = ChimeARN(text), arn.resource == resource else {
      throw SandboxFailure(.forbidden, "this is not the ARN of \(kind)")
    }
    return arn
  }
}

extension JSONWriter {
  fileprivate mutating func summary(of user: UserRecord) {
    member("AppInstanceUserArn", user.arn)
    member("Name", user.name)
    member("Metadata", ifAny: user.metadata)
  }

  fileprivate mutating func expirationSettings(_ days: Int?) {
    guard let days else { return }
    object("ExpirationSettings") { writer in
      writer.member("ExpirationDays", days)
      writer.member("ExpirationCriterion", "CREATED_TIMESTAMP")
    }
  }
}
