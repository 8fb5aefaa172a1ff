package import ChimeIdentity
package import Primitives
package import StrictJSON

/// A stand-in for the service, in memory: AppInstances with their users, bots, admins and settings, the users' endpoints,
/// and tags.
///
/// It does what AWS documents: one answer for one ClientRequestToken, 409 for what is taken or a token that comes with
/// another request, quotas, users that go when their days are over, ForbiddenException for an absent AppInstance. For
/// what is absent in one it answers NotFoundException, which AWS documents for bots alone. What AWS leaves open is said
/// where it is decided (docs/decisions/0225-the-sandbox-is-plain-where-aws-is-silent.md).
///
/// One thing is for convenience. Until the first CreateAppInstance every well-formed AppInstance ARN of the sandbox's
/// region counts as existing and comes to be with its first user or bot, so that a demo may use the ARN of its policies.
/// From then on only AppInstances that were created (or used before) exist, as with AWS.
///
/// Pure: time and randomness come with each request.
package struct SandboxService: Sendable {
  let region: Text
  let accountId: Text
  /// By their ARN.
  var appInstances = Directory<AppInstanceRecord>()
  var servedAppInstances = ServedRequests<CreateAppInstanceRequest>()
  var adoptsUnknownAppInstances = true
  var quotas = SandboxQuotas.standard

  package init(region: Text, accountId: Text = "123456789012") {
    self.region = region
    self.accountId = accountId
  }

  /// Does what a request asks, which `ModelValidator` has accepted.
  package mutating func answer(
    _ call: IdentifiedCall, document: JSONDocument?, now: WallClockTime, entropy: any Entropy
  ) throws(SandboxFailure) -> SandboxAnswer {
    let json = try answer(call.operation, SandboxCall(call, document, now: now, entropy: entropy))
    return SandboxAnswer(status: call.operation.successStatus, body: json)
  }

  private mutating func answer(
    _ operation: Operation, _ call: SandboxCall
  ) throws(SandboxFailure) -> [UInt8] {
    switch operation {
    case .createAppInstance: try createAppInstance(call)
    case .describeAppInstance: try describeAppInstance(call)
    case .listAppInstances: try listAppInstances(call)
    case .updateAppInstance: try updateAppInstance(call)
    case .deleteAppInstance: try deleteAppInstance(call)
    case .getAppInstanceRetentionSettings: try getRetention(call)
    case .putAppInstanceRetentionSettings: try putRetention(call)

    case .createAppInstanceUser: try createUser(call)
    case .describeAppInstanceUser: try describeUser(call)
    case .listAppInstanceUsers: try listUsers(call)
    case .updateAppInstanceUser: try updateUser(call)
    case .deleteAppInstanceUser: try deleteUser(call)
    case .putAppInstanceUserExpirationSettings: try putExpiration(call)

    case .registerAppInstanceUserEndpoint: try registerEndpoint(call)
    case .describeAppInstanceUserEndpoint: try describeEndpoint(call)
    case .listAppInstanceUserEndpoints: try listEndpoints(call)
    case .updateAppInstanceUserEndpoint: try updateEndpoint(call)
    case .deregisterAppInstanceUserEndpoint: try deregisterEndpoint(call)

    case .createAppInstanceBot: try createBot(call)
    case .describeAppInstanceBot: try describeBot(call)
    case .listAppInstanceBots: try listBots(call)
    case .updateAppInstanceBot: try updateBot(call)
    case .deleteAppInstanceBot: try deleteBot(call)

    case .createAppInstanceAdmin: try createAdmin(call)
    case .describeAppInstanceAdmin: try describeAdmin(call)
    case .listAppInstanceAdmins: try listAdmins(call)
    case .deleteAppInstanceAdmin: try deleteAdmin(call)

    case .tagResource: try tag(call)
    case .untagResource: try untag(call)
    case .listTagsForResource: try listTags(call)
    }
  }
}

// What the operations share.
extension SandboxService {
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
