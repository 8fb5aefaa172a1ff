import Testing

@testable import Sandbox
import ChimeIdentity
import Primitives

@Suite struct SandboxAdminsTests {
  private var sandbox = SandboxUnderTest()
  private let admins = "/app-instances/\(encoded(appArn))/admins"

  @Test mutating func usersAndBotsArePromotedDescribedAndDemoted() throws {
    let arns = [(try sandbox.createUser("a"), "N"), (try sandbox.createBot("helper"), "helper")]
    for (arn, name) in arns {
      let identity = #"{"Arn":"\#(arn)","Name":"\#(name)"}"#
      let promoted = try promote(arn)
      #expect(
        try isEqual(promoted, #"{"AppInstanceAdmin":\#(identity),"AppInstanceArn":"\#(appArn)"}"#))
      #expect(
        try isEqual(
          sandbox.call("GET", "\(admins)/\(encoded(arn))"),
          #"{"AppInstanceAdmin":{"Admin":\#(identity),"AppInstanceArn":"\#(appArn)","#
            + #""CreatedTimestamp":1795438800}}"#))
      #expect(try sandbox.call("DELETE", "\(admins)/\(encoded(arn))").isEmpty)
      #expect(failure { _ = try sandbox.call("GET", "\(admins)/\(encoded(arn))") } == .notFound)
      #expect(failure { _ = try sandbox.call("DELETE", "\(admins)/\(encoded(arn))") } == .notFound)
    }
    // It is no admin any more, but it is there.
    #expect(failure { _ = try sandbox.describe("\(appArn)/user/a") } == nil)
  }

  @Test mutating func anAdminIsPromotedOnce() throws {
    let arn = try sandbox.createUser("a")
    _ = try promote(arn)
    #expect(failure { _ = try promote(arn) } == .conflict)
  }

  @Test mutating func onlyWhatIsInTheAppInstanceIsPromoted() throws {
    try sandbox.createUser("a")
    let other = appArn.replacing("0f4bd6bf", with: "ffffffff")
    let elsewhere = try sandbox.createUser("a", app: other)
    for (arn, error) in [
      ("\(appArn)/user/b", .notFound), ("\(appArn)/bot/b", .notFound), (elsewhere, .badRequest),
      (appArn, .badRequest), ("\(appArn)/channel/c", .badRequest), ("arn:aws:s3:::bucket", .badRequest),
    ] as [(String, ServiceError)] {
      #expect(failure { _ = try promote(arn) } == error)
    }
  }

  @Test mutating func adminsComeInPagesByTheNamesThatTheyHaveNow() throws {
    let arns = try (0..<5).map { try sandbox.createUser("user-\($0)") }
    for arn in arns { _ = try promote(arn) }
    _ = try sandbox.call(
      "PUT", "/app-instance-users/\(encoded(arns[0]))", #"{"Name":"New","Metadata":""}"#)
    for size in [1, 2, 50] {
      let listed = try sandbox.pages(admins, "AppInstanceAdmins", by: size)
      let found = listed.compactMap { $0["Admin"] as? [String: String] }
      #expect(found.map { $0["Arn"] } == arns)
      #expect(found.map { $0["Name"] } == ["New", "N", "N", "N", "N"])
    }
    #expect(try sandbox.call("GET", admins)["AppInstanceArn"] as? String == appArn)
  }

  @Test mutating func whoGoesIsNoAdminAnyMore() throws {
    let settings = #","ExpirationSettings":{"ExpirationDays":1,"ExpirationCriterion":"CREATED_TIMESTAMP"}"#
    let expiring = try sandbox.createUser("a", more: settings)
    let user = try sandbox.createUser("b")
    let bot = try sandbox.createBot()
    for arn in [expiring, user, bot] { _ = try promote(arn) }
    _ = try sandbox.call("DELETE", "/app-instance-users/\(encoded(user))")
    _ = try sandbox.call("DELETE", "/app-instance-bots/\(encoded(bot))")
    #expect(try sandbox.pages(admins, "AppInstanceAdmins", by: 50).count == 1)
    #expect(sandbox.service.appInstances[Text(appArn)]?.admins.count == 1)
    sandbox.now = noon.advanced(byNanoseconds: 86_400_000_000_000)
    #expect(try sandbox.pages(admins, "AppInstanceAdmins", by: 50).isEmpty)
    #expect(failure { _ = try sandbox.call("GET", "\(admins)/\(encoded(expiring))") } == .notFound)
    // Nor is one that comes under the same ID.
    for id in ["a", "b"] { try sandbox.createUser(id, token: "again-\(id)") }
    #expect(try sandbox.pages(admins, "AppInstanceAdmins", by: 50).isEmpty)
  }

  @Test mutating func anAppInstanceHasAtMostAHundredAdmins() throws {
    for index in 0...100 { try sandbox.createUser("user-\(index)") }
    for index in 0..<100 { _ = try promote("\(appArn)/user/user-\(index)") }
    #expect(failure { _ = try promote("\(appArn)/user/user-100") } == .resourceLimitExceeded)
    _ = try sandbox.call("DELETE", "\(admins)/\(encoded("\(appArn)/user/user-7"))")
    #expect(failure { _ = try promote("\(appArn)/user/user-100") } == nil)
  }

  private mutating func promote(_ arn: String) throws -> [String: Any] {
    try sandbox.call("POST", admins, #"{"AppInstanceAdminArn":"\#(arn)"}"#)
  }
}
