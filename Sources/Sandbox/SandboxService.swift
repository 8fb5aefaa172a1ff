package import ChimeIdentity
package import Primitives
package import StrictJSON

/// A stand-in for the service, in memory: AppInstances, their users, and tags on both.
///
/// It does what AWS documents: one answer for one ClientRequestToken, 409 for a user ID that is taken or a token that
/// comes with another body, users that go when their days are over, NotFoundException for an absent user and
/// ForbiddenException for an absent AppInstance.
///
/// One thing is for convenience. Until the first CreateAppInstance every well-formed AppInstance ARN of the sandbox's
/// region counts as existing and comes to be with its first user, so that a demo may use the ARN of its policies.
/// From then on only AppInstances that were created (or used before) exist, as with AWS.
///
/// Pure: time and randomness come with each request.
package struct SandboxService: Sendable {
  let region: Text
  let accountId: Text
  var appInstances: [Text: AppInstanceRecord] = [:]
  /// Requests that made an AppInstance, by their token.
  private var served: [Text: (request: CreateAppInstanceRequest, arn: Text)] = [:]
  private var adoptsUnknownAppInstances = true

  package init(region: Text, accountId: Text = "123456789012") {
    self.region = region
    self.accountId = accountId
  }

  /// Does what a request asks, which `ModelValidator` has accepted.
  package mutating func answer(
    _ call: IdentifiedCall, document: JSONDocument?, now: WallClockTime, entropy: any Entropy
  ) throws(SandboxFailure) -> SandboxAnswer {
    let body = RequestBody(document)
    let json: [UInt8]
    switch call.operation {
    case .createAppInstance: json = try createAppInstance(body, now: now, entropy: entropy)
    case .describeAppInstance: json = try describeAppInstance(call)
    case .listAppInstances: json = try listAppInstances(call)
    case .deleteAppInstance: json = try deleteAppInstance(call)
    case .createAppInstanceUser: json = try createUser(body, now: now)
    case .describeAppInstanceUser: json = try describeUser(call, now: now)
    case .listAppInstanceUsers: json = try listUsers(call, now: now)
    case .updateAppInstanceUser: json = try updateUser(call, body, now: now)
    case .deleteAppInstanceUser: json = try deleteUser(call, now: now)
    case .putAppInstanceUserExpirationSettings: json = try putExpiration(call, body, now: now)
    case .tagResource: json = try tag(body, now: now)
    case .untagResource: json = try untag(body, now: now)
    case .listTagsForResource: json = try listTags(call, now: now)
    case .createAppInstanceAdmin, .createAppInstanceBot, .deleteAppInstanceAdmin, .deleteAppInstanceBot,
      .deregisterAppInstanceUserEndpoint, .describeAppInstanceAdmin, .describeAppInstanceBot,
      .describeAppInstanceUserEndpoint, .getAppInstanceRetentionSettings, .listAppInstanceAdmins,
      .listAppInstanceBots, .listAppInstanceUserEndpoints, .putAppInstanceRetentionSettings,
      .registerAppInstanceUserEndpoint, .updateAppInstance, .updateAppInstanceBot,
      .updateAppInstanceUserEndpoint:
      throw SandboxFailure(.badRequest, "the sandbox does not have \(call.operation.name)")
    }
    return SandboxAnswer(status: call.operation.successStatus, body: json)
  }
}

// AppInstances.
extension SandboxService {
  private mutating func createAppInstance(
    _ body: RequestBody, now: WallClockTime, entropy: any Entropy
  ) throws(SandboxFailure) -> [UInt8] {
    let request = try CreateAppInstanceRequest(body)
    if let earlier = served[request.token] {
      guard earlier.request == request else { throw Self.reusedToken }
      return Self.json("AppInstanceArn", earlier.arn)
    }
    let id = RequestID(from: entropy).text
    let arn: Text = "arn:aws:chime:" + region + ":" + accountId + ":app-instance/" + id
    appInstances[arn] = AppInstanceRecord(
      arn: arn, name: request.name, metadata: request.metadata, created: now, tags: request.tags)
    served[request.token] = (request, arn)
    adoptsUnknownAppInstances = false
    return Self.json("AppInstanceArn", arn)
  }

  private func describeAppInstance(_ call: IdentifiedCall) throws(SandboxFailure) -> [UInt8] {
    let found = try appInstance(call.member("AppInstanceArn") ?? "")
    return Self.json { writer in
      writer.key("AppInstance")
      writer.beginObject()
      writer.member("AppInstanceArn", found.arn)
      writer.member("Name", found.name)
      writer.member("Metadata", ifAny: found.metadata)
      writer.member("CreatedTimestamp", found.created)
      writer.member("LastUpdatedTimestamp", found.created)
      writer.endObject()
    }
  }

  private func listAppInstances(_ call: IdentifiedCall) throws(SandboxFailure) -> [UInt8] {
    let arns = appInstances.keys.sorted()
    let page = try Page(call)
    let start = page.after.map { last in arns.firstIndex { $0 > last } ?? arns.count } ?? 0
    let end = min(start + page.size, arns.count)
    return Self.json { writer in
      writer.key("AppInstances")
      writer.beginArray()
      for found in arns[start..<end].compactMap({ appInstances[$0] }) {
        writer.beginObject()
        writer.member("AppInstanceArn", found.arn)
        writer.member("Name", found.name)
        writer.member("Metadata", ifAny: found.metadata)
        writer.endObject()
      }
      writer.endArray()
      if end < arns.count { writer.member("NextToken", Page.token(after: arns[end - 1])) }
    }
  }

  private mutating func deleteAppInstance(_ call: IdentifiedCall) throws(SandboxFailure) -> [UInt8] {
    let arn = try appInstance(call.member("AppInstanceArn") ?? "").arn
    appInstances[arn] = nil
    served = served.filter { $0.value.arn != arn }
    return []
  }

  /// The AppInstance with this ARN, which for the service nobody may use unless it is there.
  func appInstance(_ arn: Text) throws(SandboxFailure) -> AppInstanceRecord {
    guard let found = appInstances[arn] else {
      throw SandboxFailure(.forbidden, "there is no AppInstance with this ARN in the sandbox")
    }
    return found
  }

  /// The same for reading users, where one that would come to be with its first user counts as there, without any.
  func appInstanceOfUsers(_ arn: Text, now: WallClockTime) throws(SandboxFailure) -> AppInstanceRecord {
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

// What the operations share.
extension SandboxService {
  static var reusedToken: SandboxFailure {
    SandboxFailure(.conflict, "this ClientRequestToken was given with another request")
  }

  static func json(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    write(&writer)
    writer.endObject()
    return writer.bytes
  }

  static func json(_ key: StaticString, _ value: Text) -> [UInt8] {
    json { $0.member(key, value) }
  }
}
