import Testing

@testable import Sandbox
import ChimeIdentity
import Primitives

@Suite struct SandboxAppInstancesTests {
  private var sandbox = SandboxUnderTest()

  @Test mutating func appInstancesAreCreatedListedDescribedAndDeleted() throws {
    let body = #"{"Name":"crm","Metadata":"m","ClientRequestToken":"app-1","Tags":[{"Key":"k","Value":"v"}]}"#
    let arn = try #require(sandbox.call("POST", "/app-instances", body)["AppInstanceArn"] as? String)
    #expect(ChimeARN(Text(arn))?.resource == .appInstance)
    #expect(try sandbox.call("POST", "/app-instances", body)["AppInstanceArn"] as? String == arn)
    #expect(
      failure {
        _ = try sandbox.call("POST", "/app-instances", #"{"Name":"other","ClientRequestToken":"app-1"}"#)
      } == .conflict)
    let described = try sandbox.call("GET", "/app-instances/\(encoded(arn))")["AppInstance"] as? [String: Any]
    #expect(described?["Name"] as? String == "crm")
    #expect(described?["Metadata"] as? String == "m")
    let list = try sandbox.call("GET", "/app-instances")["AppInstances"] as? [[String: Any]]
    #expect(list?.map { $0["AppInstanceArn"] as? String } == [arn])
    #expect(try sandbox.tags(of: arn) == ["k": "v"])
    try sandbox.createUser("a", app: arn)
    _ = try sandbox.call("DELETE", "/app-instances/\(encoded(arn))")
    #expect(failure { _ = try sandbox.call("GET", "/app-instances/\(encoded(arn))") } == .forbidden)
    #expect(failure { _ = try sandbox.describe("\(arn)/user/a") } == .forbidden)
  }

  @Test mutating func unknownAppInstancesAreTakenUntilOneIsCreated() throws {
    #expect(failure { _ = try sandbox.describe("\(appArn)/user/a") } == .notFound)
    try sandbox.createUser("a")
    _ = try sandbox.call("POST", "/app-instances", #"{"Name":"crm","ClientRequestToken":"app-1"}"#)
    let other = appArn.replacing("0f4bd6bf", with: "ffffffff")
    #expect(failure { try sandbox.createUser("a", app: other) } == .forbidden)
    #expect(failure { try sandbox.createUser("b") } == nil)
  }

  @Test mutating func anAppInstanceOfAnotherRegionIsNotTaken() {
    let foreign = appArn.replacing("us-east-1", with: "eu-central-1")
    #expect(failure { try sandbox.createUser("a", app: foreign) } == .forbidden)
  }

  @Test mutating func anUpdateChangesNameMetadataAndItsTime() throws {
    let arn = try sandbox.createAppInstance()
    sandbox.now = noon.advanced(byNanoseconds: 1_500_000_000)
    let answer = try sandbox.call(
      "PUT", "/app-instances/\(encoded(arn))", #"{"Name":"sales","Metadata":"x"}"#)
    #expect(try isEqual(answer, #"{"AppInstanceArn":"\#(arn)"}"#))
    #expect(
      try isEqual(
        sandbox.call("GET", "/app-instances/\(encoded(arn))"),
        #"{"AppInstance":{"AppInstanceArn":"\#(arn)","Name":"sales","Metadata":"x","#
          + #""CreatedTimestamp":1795438800,"LastUpdatedTimestamp":1795438801.5}}"#))
  }

  @Test mutating func appInstancesComeInPages() throws {
    let arns = try (0..<7).map { try sandbox.createAppInstance("a\($0)", token: "token-\($0)") }
    for size in [1, 3, 50] {
      let listed = try sandbox.pages("/app-instances", "AppInstances", by: size)
      #expect(listed.compactMap { $0["AppInstanceArn"] as? String } == arns.sorted())
    }
  }

  @Test mutating func anAccountHasAtMostAHundredAppInstances() throws {
    let arns = try (0..<100).map { try sandbox.createAppInstance("a", token: "token-\($0)") }
    #expect(failure { try sandbox.createAppInstance("a", token: "token-100") } == .resourceLimitExceeded)
    #expect(failure { try sandbox.createAppInstance("a", token: "token-99") } == nil)
    _ = try sandbox.call("DELETE", "/app-instances/\(encoded(arns[0]))")
    #expect(failure { try sandbox.createAppInstance("a", token: "token-100") } == nil)
  }

  @Test mutating func aDeletedAppInstanceTakesAllThatIsInIt() throws {
    let arn = try sandbox.createAppInstance()
    let user = try sandbox.createUser("a", app: arn)
    let bot = try sandbox.createBot(app: arn)
    _ = try sandbox.call(
      "POST", "/app-instances/\(encoded(arn))/admins", #"{"AppInstanceAdminArn":"\#(user)"}"#)
    _ = try sandbox.call("DELETE", "/app-instances/\(encoded(arn))")
    for target in [
      "/app-instance-users/\(encoded(user))", "/app-instance-users/\(encoded(user))/endpoints",
      "/app-instance-bots/\(encoded(bot))", "/app-instances/\(encoded(arn))/admins",
      "/app-instances/\(encoded(arn))/retention-settings", "/tags?arn=\(encoded(bot))",
    ] {
      #expect(failure { _ = try sandbox.call("GET", target) } == .forbidden)
    }
    // Its token is free, and makes another one.
    #expect(try sandbox.createAppInstance() != arn)
  }

  @Test mutating func retentionIsSetShownAndTurnedOff() throws {
    let arn = try sandbox.createAppInstance()
    let target = "/app-instances/\(encoded(arn))/retention-settings"
    #expect(try isEqual(sandbox.call("GET", target), #"{"AppInstanceRetentionSettings":{}}"#))
    // Thirty days after noon, when messages that became too old can no longer be restored.
    let settings = #""AppInstanceRetentionSettings":{"ChannelRetentionSettings":{"RetentionDays":60}}"#
    let shown = #"{\#(settings),"InitiateDeletionTimestamp":1798030800}"#
    #expect(try isEqual(sandbox.call("PUT", target, "{\(settings)}"), shown))
    #expect(try isEqual(sandbox.call("GET", target), shown))
    for off in ["{}", #"{"ChannelRetentionSettings":{}}"#] {
      let answer = try sandbox.call("PUT", target, #"{"AppInstanceRetentionSettings":\#(off)}"#)
      #expect(try isEqual(answer, #"{"AppInstanceRetentionSettings":{}}"#))
      #expect(try isEqual(sandbox.call("GET", target), #"{"AppInstanceRetentionSettings":{}}"#))
    }
  }

  @Test mutating func whatIsAskedOfAnAbsentAppInstanceIsForbidden() throws {
    let target = "/app-instances/\(encoded(appArn))"
    for (method, target, body) in [
      ("GET", target, ""), ("DELETE", target, ""), ("PUT", target, #"{"Name":"n","Metadata":""}"#),
      ("GET", "\(target)/retention-settings", ""),
      ("PUT", "\(target)/retention-settings", #"{"AppInstanceRetentionSettings":{}}"#),
    ] {
      #expect(failure { _ = try sandbox.call(method, target, body) } == .forbidden)
    }
  }
}
