internal import ChimeIdentity
internal import Primitives
internal import StrictJSON

// AppInstances and how long they keep messages.
extension SandboxService {
  mutating func createAppInstance(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let request = try CreateAppInstanceRequest(call.body)
    if let arn = try servedAppInstances.made(by: request) { return Self.json("AppInstanceArn", arn) }
    try SandboxQuotas.require(appInstances.count, below: quotas.appInstances, "AppInstances")
    let arn: Text = "arn:aws:chime:" + region + ":" + accountId + ":app-instance/" + call.newId()
    appInstances[arn] = AppInstanceRecord(request, arn: arn, now: call.now)
    servedAppInstances.remember(request, made: arn)
    adoptsUnknownAppInstances = false
    return Self.json("AppInstanceArn", arn)
  }

  func describeAppInstance(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let found = try appInstance(of: call)
    return Self.json { writer in
      writer.object("AppInstance") { writer in
        writer.summary(of: found)
        writer.member("CreatedTimestamp", found.created)
        writer.member("LastUpdatedTimestamp", found.updated)
      }
    }
  }

  func listAppInstances(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let listing = appInstances.listing(try call.page())
    return Self.json { $0.list("AppInstances", listing) { $0.summary(of: $1) } }
  }

  mutating func updateAppInstance(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let arn = try appInstance(of: call).arn
    appInstances[arn]?.name = call.body.text("Name")
    appInstances[arn]?.metadata = call.body.optionalText("Metadata")
    appInstances[arn]?.updated = call.now
    return Self.json("AppInstanceArn", arn)
  }

  /// With all that is in it. AWS does it after its answer, the sandbox before.
  mutating func deleteAppInstance(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let found = try appInstance(of: call)
    appInstances[found.arn] = nil
    if let token = found.token { servedAppInstances.forget(token) }
    return []
  }

  func getRetention(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let retention = try appInstance(of: call).retention
    return Self.json { $0.retention(retention) }
  }

  /// Settings without days turn retention off. It is no change of the AppInstance as DescribeAppInstance shows it, and
  /// leaves its LastUpdatedTimestamp alone.
  mutating func putRetention(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let arn = try appInstance(of: call).arn
    let settings = call.body.object("AppInstanceRetentionSettings").object("ChannelRetentionSettings")
    let retention = settings.optionalInteger("RetentionDays").map {
      RetentionRecord(days: $0, deletionBegins: call.now.advanced(byDays: Self.daysOfGrace))
    }
    appInstances[arn]?.retention = retention
    return Self.json { $0.retention(retention) }
  }

  /// Messages that have become too old can be restored for so long ("Managing message retention").
  private static let daysOfGrace = 30
}

// Which there are.
extension SandboxService {
  private func appInstance(of call: SandboxCall) throws(SandboxFailure) -> AppInstanceRecord {
    try appInstance(call.target("AppInstanceArn"))
  }

  /// The AppInstance with this ARN, which for the service nobody may use unless it is there.
  func appInstance(_ arn: Text) throws(SandboxFailure) -> AppInstanceRecord {
    guard let found = appInstances[arn] else {
      throw SandboxFailure(.forbidden, "there is no AppInstance with this ARN in the sandbox")
    }
    return found
  }

  /// The same for reading what is in it, where one that would come to be with its first user or bot counts as there,
  /// empty.
  func appInstanceOrEmpty(_ arn: Text, now: WallClockTime) throws(SandboxFailure) -> AppInstanceRecord {
    if let adoptable = adoptable(arn, now: now) { return adoptable }
    return try appInstance(arn)
  }

  /// Makes the AppInstance of `arn` if the sandbox still takes ARNs that it has not given out.
  mutating func adoptAppInstance(_ arn: Text, now: WallClockTime) {
    if let adoptable = adoptable(arn, now: now) { appInstances[arn] = adoptable }
  }

  private func adoptable(_ arn: Text, now: WallClockTime) -> AppInstanceRecord? {
    guard adoptsUnknownAppInstances, appInstances[arn] == nil, let parsed = ChimeARN(arn),
      parsed.resource == .appInstance, parsed.region == region
    else { return nil }
    return AppInstanceRecord(arn: arn, name: parsed.appInstanceId, created: now)
  }
}

extension JSONWriter {
  fileprivate mutating func summary(of app: AppInstanceRecord) {
    member("AppInstanceArn", app.arn)
    member("Name", app.name)
    member("Metadata", ifAny: app.metadata)
  }

  fileprivate mutating func retention(_ retention: RetentionRecord?) {
    object("AppInstanceRetentionSettings") { writer in
      guard let retention else { return }
      writer.object("ChannelRetentionSettings") { $0.member("RetentionDays", retention.days) }
    }
    if let retention { member("InitiateDeletionTimestamp", retention.deletionBegins) }
  }
}
