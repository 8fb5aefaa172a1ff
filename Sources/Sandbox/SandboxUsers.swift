internal import ChimeIdentity
internal import Primitives
internal import StrictJSON

// Users and their tags.
extension SandboxService {
  mutating func createUser(_ body: RequestBody, now: WallClockTime) throws(SandboxFailure) -> [UInt8] {
    let request = try CreateUserRequest(body)
    let arn = request.appInstanceArn
    adoptAppInstance(arn, now: now)
    if appInstances[arn]?.users[request.userId]?.isExpired(now) == true {
      appInstances[arn]?.remove(request.userId)
    }
    let user = UserRecord(request, now: now)
    if try !isServed(request) { appInstances[arn]?.insert(user) }
    return Self.json("AppInstanceUserArn", user.arn)
  }

  /// Whether this very request made its user already.
  private func isServed(_ request: CreateUserRequest) throws(SandboxFailure) -> Bool {
    let app = try appInstance(request.appInstanceArn)
    if let earlier = app.served[request.token] {
      guard earlier == request else { throw Self.reusedToken }
      return true
    }
    guard app.users[request.userId] == nil else {
      throw SandboxFailure(.conflict, "there is a user with this AppInstanceUserId already")
    }
    return false
  }

  func describeUser(_ call: IdentifiedCall, now: WallClockTime) throws(SandboxFailure) -> [UInt8] {
    let found = try user(of: call, now: now)
    return Self.json { writer in
      writer.key("AppInstanceUser")
      writer.beginObject()
      writer.member("AppInstanceUserArn", found.arn)
      writer.member("Name", found.name)
      writer.member("Metadata", ifAny: found.metadata)
      writer.member("CreatedTimestamp", found.created)
      writer.member("LastUpdatedTimestamp", found.updated)
      writer.expirationSettings(found.expirationDays)
      writer.endObject()
    }
  }

  func listUsers(_ call: IdentifiedCall, now: WallClockTime) throws(SandboxFailure) -> [UInt8] {
    let app = try appInstanceOfUsers(call.member("AppInstanceArn") ?? "", now: now)
    let page = try Page(call)
    var listed: [UserRecord] = []
    var index = page.after.map { app.firstIndex(after: $0) } ?? 0
    while index < app.userIds.count, listed.count < page.size {
      if let user = app.users[app.userIds[index]], !user.isExpired(now) { listed.append(user) }
      index += 1
    }
    return Self.json { writer in
      writer.member("AppInstanceArn", app.arn)
      writer.key("AppInstanceUsers")
      writer.beginArray()
      for user in listed {
        writer.beginObject()
        writer.member("AppInstanceUserArn", user.arn)
        writer.member("Name", user.name)
        writer.member("Metadata", ifAny: user.metadata)
        writer.endObject()
      }
      writer.endArray()
      if index < app.userIds.count, let last = listed.last {
        writer.member("NextToken", Page.token(after: last.id))
      }
    }
  }

  mutating func updateUser(
    _ call: IdentifiedCall, _ body: RequestBody, now: WallClockTime
  ) throws(SandboxFailure) -> [UInt8] {
    var user = try user(of: call, now: now)
    user.name = body.text("Name")
    user.metadata = body.optionalText("Metadata")
    user.updated = now
    store(user)
    return Self.json("AppInstanceUserArn", user.arn)
  }

  mutating func deleteUser(_ call: IdentifiedCall, now: WallClockTime) throws(SandboxFailure) -> [UInt8] {
    let user = try user(of: call, now: now)
    appInstances[user.request.appInstanceArn]?.remove(user.id)
    return []
  }

  mutating func putExpiration(
    _ call: IdentifiedCall, _ body: RequestBody, now: WallClockTime
  ) throws(SandboxFailure) -> [UInt8] {
    var user = try user(of: call, now: now)
    user.expirationDays = body.expirationDays
    user.updated = now
    store(user)
    return Self.json { writer in
      writer.member("AppInstanceUserArn", user.arn)
      writer.expirationSettings(user.expirationDays)
    }
  }

  mutating func tag(_ body: RequestBody, now: WallClockTime) throws(SandboxFailure) -> [UInt8] {
    let resource = body.text("ResourceARN")
    let tags = try tags(of: resource, now: now).merged(with: body.tags)
    guard tags.count <= Self.mostTags else {
      throw SandboxFailure(.resourceLimitExceeded, "a resource can have at most \(Self.mostTags) tags")
    }
    setTags(tags, of: resource)
    return []
  }

  mutating func untag(_ body: RequestBody, now: WallClockTime) throws(SandboxFailure) -> [UInt8] {
    let resource = body.text("ResourceARN")
    let keys = Set(body.tagKeys)
    setTags(try tags(of: resource, now: now).filter { !keys.contains($0.key) }, of: resource)
    return []
  }

  func listTags(_ call: IdentifiedCall, now: WallClockTime) throws(SandboxFailure) -> [UInt8] {
    let tags = try tags(of: call.member("ResourceARN") ?? "", now: now)
    return Self.json { $0.member("Tags", tags) }
  }

  private static let mostTags = 50

  private func tags(of resource: Text, now: WallClockTime) throws(SandboxFailure) -> [Tag] {
    if let app = appInstances[resource] { return app.tags }
    return try user(resource, now: now).tags
  }

  private mutating func setTags(_ tags: [Tag], of resource: Text) {
    guard let arn = ChimeARN(resource) else { return }
    if let id = arn.resourceId {
      guard var user = appInstances[arn.appInstanceArn]?.users[id] else { return }
      user.tags = tags
      store(user)
    } else {
      appInstances[resource]?.tags = tags
    }
  }

  private func user(of call: IdentifiedCall, now: WallClockTime) throws(SandboxFailure) -> UserRecord {
    try user(call.member("AppInstanceUserArn") ?? "", now: now)
  }

  private func user(_ text: Text, now: WallClockTime) throws(SandboxFailure) -> UserRecord {
    guard let arn = ChimeARN(text), arn.resource == .user, let id = arn.resourceId else {
      throw SandboxFailure(.forbidden, "this is the ARN of nothing that the sandbox has")
    }
    let app = try appInstanceOfUsers(arn.appInstanceArn, now: now)
    guard let user = app.users[id], !user.isExpired(now) else {
      throw SandboxFailure(.notFound, "there is no user with this ARN in the sandbox")
    }
    return user
  }

  private mutating func store(_ user: UserRecord) {
    appInstances[user.request.appInstanceArn]?.update(user)
  }
}
