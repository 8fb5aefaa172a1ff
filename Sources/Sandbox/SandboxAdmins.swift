internal import ChimeIdentity
internal import Primitives
internal import StrictJSON

// Admins: users and bots that were promoted.
extension SandboxService {
  mutating func createAdmin(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let app = call.target("AppInstanceArn")
    let arn = try member(call.body.text("AppInstanceAdminArn"), of: app)
    let identity = try identity(of: arn, now: call.now)
    try requireRoomForAdmin(arn, in: app, now: call.now)
    appInstances[app]?.admins[arn.text] = AdminRecord(arn: arn, created: call.now)
    return Self.json { writer in
      writer.object("AppInstanceAdmin") { $0.identity(identity) }
      writer.member("AppInstanceArn", app)
    }
  }

  func describeAdmin(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let admin = try admin(of: call)
    let identity = try identity(of: admin.arn, now: call.now)
    return Self.json { writer in
      writer.object("AppInstanceAdmin") { writer in
        writer.object("Admin") { $0.identity(identity) }
        writer.member("AppInstanceArn", admin.arn.appInstanceArn)
        writer.member("CreatedTimestamp", admin.created)
      }
    }
  }

  func listAdmins(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let app = try appInstanceOrEmpty(call.target("AppInstanceArn"), now: call.now)
    let listing = app.admins.listing(try call.page()) { isThere($0, now: call.now) }
    return Self.json { writer in
      writer.member("AppInstanceArn", app.arn)
      writer.list("AppInstanceAdmins", listing) { writer, admin in
        // Those that are listed have one.
        guard let identity = try? identity(of: admin.arn, now: call.now) else { return }
        writer.object("Admin") { $0.identity(identity) }
      }
    }
  }

  mutating func deleteAdmin(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let arn = try admin(of: call).arn
    appInstances[arn.appInstanceArn]?.admins[arn.text] = nil
    return []
  }

  private func admin(of call: SandboxCall) throws(SandboxFailure) -> AdminRecord {
    let app = call.target("AppInstanceArn")
    let arn = try member(call.target("AppInstanceAdminArn"), of: app)
    guard let admin = try appInstanceOrEmpty(app, now: call.now).admins[arn.text],
      isThere(admin, now: call.now)
    else { throw SandboxFailure(.notFound, "the AppInstance has no admin with this ARN in the sandbox") }
    return admin
  }

  /// The ARN of a user or bot in this AppInstance.
  private func member(_ text: Text, of app: Text) throws(SandboxFailure) -> ChimeARN {
    guard let arn = ChimeARN(text), arn.resource == .user || arn.resource == .bot else {
      throw SandboxFailure(.badRequest, "`AppInstanceAdminArn` must be the ARN of a user or of a bot")
    }
    guard arn.appInstanceArn == app else {
      throw SandboxFailure(
        .badRequest, "`AppInstanceAdminArn` must lie in the AppInstance of `AppInstanceArn`")
    }
    return arn
  }

  /// Being an admin already is a conflict: there is no token by which the service could know a request again.
  private func requireRoomForAdmin(
    _ arn: ChimeARN, in app: Text, now: WallClockTime
  ) throws(SandboxFailure) {
    let admins = try appInstance(app).admins
    guard admins[arn.text] == nil else {
      throw SandboxFailure(.conflict, "this user or bot is an admin of the AppInstance already")
    }
    try SandboxQuotas.require(
      admins.count(where: { isThere($0, now: now) }), below: quotas.adminsPerAppInstance,
      "admins of this AppInstance")
  }

  private func isThere(_ admin: AdminRecord, now: WallClockTime) -> Bool {
    (try? identity(of: admin.arn, now: now)) != nil
  }

  /// A user's or bot's ARN and name.
  private func identity(
    of arn: ChimeARN, now: WallClockTime
  ) throws(SandboxFailure) -> (arn: Text, name: Text?) {
    if arn.resource == .bot { return (arn.text, try bot(arn, now: now).name) }
    return (arn.text, try user(arn, now: now).name)
  }
}

extension JSONWriter {
  fileprivate mutating func identity(_ identity: (arn: Text, name: Text?)) {
    member("Arn", identity.arn)
    member("Name", ifAny: identity.name)
  }
}
