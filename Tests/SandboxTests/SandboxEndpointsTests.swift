import Testing

@testable import Sandbox
import ChimeIdentity
import Primitives

@Suite struct SandboxEndpointsTests {
  private var sandbox = SandboxUnderTest()
  private let user = "\(appArn)/user/a"
  private let endpoints = "/app-instance-users/\(encoded("\(appArn)/user/a"))/endpoints"
  private static let pinpoint = "arn:aws:mobiletargeting:us-east-1:123456789012:apps/abc"

  init() throws { try sandbox.createUser("a") }

  @Test mutating func anEndpointIsRegisteredAndDescribed() throws {
    let id = try register(more: #","Name":"phone","AllowMessages":"NONE""#, voip: #","VoipDeviceToken":"v""#)
    #expect(
      try isEqual(
        sandbox.call("GET", "\(endpoints)/\(id)"),
        #"{"AppInstanceUserEndpoint":{"AppInstanceUserArn":"\#(user)","EndpointId":"\#(id)","Name":"phone","#
          + #""Type":"APNS","ResourceArn":"\#(Self.pinpoint)","AllowMessages":"NONE","#
          + #""EndpointAttributes":{"DeviceToken":"d","VoipDeviceToken":"v"},"#
          + #""EndpointState":{"Status":"ACTIVE"},"#
          + #""CreatedTimestamp":1795438800,"LastUpdatedTimestamp":1795438800}}"#))
  }

  @Test mutating func whatIsNotGivenIsLeftOutOrTheUsual() throws {
    let id = try register()
    #expect(
      try isEqual(
        sandbox.call("GET", endpoints),
        #"{"AppInstanceUserEndpoints":[{"AppInstanceUserArn":"\#(user)","EndpointId":"\#(id)","Type":"APNS","#
          + #""AllowMessages":"ALL","EndpointState":{"Status":"ACTIVE"}}]}"#))
  }

  @Test(arguments: [
    "arn:aws:sns:us-east-1:123456789012:app/GCM/x",
    "arn:aws:mobiletargeting:us-east-1:123456789012:campaigns/x",
  ])
  mutating func anEndpointOfAnotherServiceIsInactive(_ resource: String) throws {
    try register(resource: resource)
    let listed = try sandbox.pages(endpoints, "AppInstanceUserEndpoints", by: 50)
    #expect(
      listed.first?["EndpointState"] as? [String: String]
        == ["Status": "INACTIVE", "StatusReason": "INVALID_PINPOINT_ARN"])
  }

  @Test mutating func theSameTokenRegistersOneEndpoint() throws {
    let id = try register("t1")
    #expect(try register("t1") == id)
    #expect(failure { try register("t1", more: #","Name":"other""#) } == .conflict)
    // Tokens are each user's own.
    try sandbox.createUser("b")
    let other = endpoints.replacing("user%2Fa", with: "user%2Fb")
    #expect(other != endpoints)
    #expect(try register("t1", at: other) != id)
  }

  @Test mutating func anUpdateChangesWhatItGives() throws {
    let id = try register(more: #","Name":"phone""#)
    sandbox.now = noon.advanced(byNanoseconds: 2_000_000_000)
    let answer = try sandbox.call("PUT", "\(endpoints)/\(id)", #"{"AllowMessages":"NONE"}"#)
    #expect(try isEqual(answer, #"{"AppInstanceUserArn":"\#(user)","EndpointId":"\#(id)"}"#))
    _ = try sandbox.call("PUT", "\(endpoints)/\(id)", #"{"Name":"tablet"}"#)
    let found = try #require(
      sandbox.call("GET", "\(endpoints)/\(id)")["AppInstanceUserEndpoint"] as? [String: Any])
    #expect(found["Name"] as? String == "tablet")
    #expect(found["AllowMessages"] as? String == "NONE")
    #expect(found["CreatedTimestamp"] as? Double == 1_795_438_800)
    #expect(found["LastUpdatedTimestamp"] as? Double == 1_795_438_802)
  }

  @Test mutating func whatIsDeregisteredIsNotFoundAndItsTokenFree() throws {
    let id = try register("t1")
    #expect(try sandbox.call("DELETE", "\(endpoints)/\(id)").isEmpty)
    #expect(failure { _ = try sandbox.call("GET", "\(endpoints)/\(id)") } == .notFound)
    #expect(failure { _ = try sandbox.call("DELETE", "\(endpoints)/\(id)") } == .notFound)
    #expect(failure { _ = try sandbox.call("PUT", "\(endpoints)/\(id)", #"{"Name":"x"}"#) } == .notFound)
    #expect(try register("t1") != id)
  }

  @Test mutating func aUserHasAtMostTenEndpointsInPages() throws {
    let ids = try (0..<10).map { try register("token-\($0)") }
    #expect(failure { try register("token-10") } == .resourceLimitExceeded)
    #expect(failure { try register("token-9") } == nil)
    for size in [1, 3, 50] {
      let listed = try sandbox.pages(endpoints, "AppInstanceUserEndpoints", by: size)
      #expect(listed.compactMap { $0["EndpointId"] as? String } == ids.sorted())
    }
  }

  @Test mutating func endpointsGoWithTheirUser() throws {
    let id = try register("t1")
    _ = try sandbox.call("DELETE", "/app-instance-users/\(encoded(user))")
    #expect(failure { _ = try sandbox.call("GET", "\(endpoints)/\(id)") } == .notFound)
    try sandbox.createUser("a")
    #expect(try sandbox.pages(endpoints, "AppInstanceUserEndpoints", by: 50).isEmpty)
    #expect(failure { try register("t1", more: #","Name":"other""#) } == nil)
  }

  @discardableResult
  private mutating func register(
    _ token: String = "endpoint-1", resource: String = pinpoint, more: String = "", voip: String = "",
    at target: String? = nil
  ) throws -> String {
    let answer = try sandbox.call(
      "POST", target ?? endpoints,
      #"{"Type":"APNS","ResourceArn":"\#(resource)","EndpointAttributes":{"DeviceToken":"d"\#(voip)},"#
        + #""ClientRequestToken":"\#(token)"\#(more)}"#)
    #expect(answer.count == 2)
    return try #require(answer["EndpointId"] as? String)
  }
}
