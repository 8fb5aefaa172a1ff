internal import ChimeIdentity
internal import Primitives
internal import StrictJSON

// Endpoints of users: the devices to which push messages would go.
extension SandboxService {
  mutating func registerEndpoint(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    var user = try user(of: call)
    let request = try RegisterEndpointRequest(call.body)
    if let id = try user.servedEndpoints.made(by: request) { return Self.name(id, of: user) }
    try SandboxQuotas.require(
      user.endpoints.count, below: quotas.endpointsPerUser, "endpoints of this user")
    let id = call.newId()
    user.endpoints[id] = EndpointRecord(request, id: id, now: call.now)
    user.servedEndpoints.remember(request, made: id)
    store(user)
    return Self.name(id, of: user)
  }

  func describeEndpoint(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let (user, found) = try endpoint(of: call)
    return Self.json { writer in
      writer.object("AppInstanceUserEndpoint") { writer in
        writer.summary(of: found, user)
        writer.member("ResourceArn", found.request.resourceArn)
        writer.object("EndpointAttributes") { writer in
          writer.member("DeviceToken", found.request.deviceToken)
          writer.member("VoipDeviceToken", ifAny: found.request.voipDeviceToken)
        }
        writer.member("CreatedTimestamp", found.created)
        writer.member("LastUpdatedTimestamp", found.updated)
      }
    }
  }

  func listEndpoints(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let user = try user(of: call)
    let listing = user.endpoints.listing(try call.page())
    return Self.json { $0.list("AppInstanceUserEndpoints", listing) { $0.summary(of: $1, user) } }
  }

  /// Both members may be absent, and what is absent stays as it is.
  mutating func updateEndpoint(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    var (user, endpoint) = try endpoint(of: call)
    endpoint.name = call.body.optionalText("Name") ?? endpoint.name
    endpoint.allowMessages = call.body.optionalText("AllowMessages") ?? endpoint.allowMessages
    endpoint.updated = call.now
    user.endpoints[endpoint.id] = endpoint
    store(user)
    return Self.name(endpoint.id, of: user)
  }

  mutating func deregisterEndpoint(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let (owner, endpoint) = try endpoint(of: call)
    var user = owner
    user.endpoints[endpoint.id] = nil
    user.servedEndpoints.forget(endpoint.request.token)
    store(user)
    return []
  }

  private func endpoint(of call: SandboxCall) throws(SandboxFailure) -> (UserRecord, EndpointRecord) {
    let user = try user(of: call)
    guard let found = user.endpoints[call.target("EndpointId")] else {
      throw SandboxFailure(.notFound, "this user has no endpoint with this EndpointId in the sandbox")
    }
    return (user, found)
  }

  private static func name(_ id: Text, of user: UserRecord) -> [UInt8] {
    json { writer in
      writer.member("AppInstanceUserArn", user.arn)
      writer.member("EndpointId", id)
    }
  }
}

extension EndpointRecord {
  /// `arn:aws:mobiletargeting:REGION:ACCOUNT:apps/ID`. Whether the caller may use the application, and whether its device
  /// token is good, only AWS knows.
  fileprivate var hasPinpointArn: Bool {
    let parts = request.resourceArn.string.split(
      separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
    return parts.count == 6 && parts[2] == "mobiletargeting" && parts[5].hasPrefix("apps/")
  }
}

extension JSONWriter {
  fileprivate mutating func summary(of endpoint: EndpointRecord, _ user: UserRecord) {
    member("AppInstanceUserArn", user.arn)
    member("EndpointId", endpoint.id)
    member("Name", ifAny: endpoint.name)
    member("Type", endpoint.request.type)
    member("AllowMessages", endpoint.allowMessages)
    object("EndpointState") { writer in
      if endpoint.hasPinpointArn {
        writer.member("Status", "ACTIVE")
      } else {
        writer.member("Status", "INACTIVE")
        writer.member("StatusReason", "INVALID_PINPOINT_ARN")
      }
    }
  }
}
