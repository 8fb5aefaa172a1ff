import Testing

@testable import Sandbox
import ChimeIdentity
import Primitives

@Suite struct SandboxUsersTests {
  private var sandbox = SandboxUnderTest()

  @Test mutating func aUserIsCreatedAndDescribed() throws {
    let arn = try sandbox.createUser(
      "crm-alice",
      more:
        #","Metadata":"m","ExpirationSettings":{"ExpirationDays":3,"ExpirationCriterion":"CREATED_TIMESTAMP"}"#
    )
    #expect(arn == "\(appArn)/user/crm-alice")
    let user = try sandbox.describe(arn)
    #expect(user["AppInstanceUserArn"] as? String == arn)
    #expect(user["Name"] as? String == "N")
    #expect(user["Metadata"] as? String == "m")
    // Seconds since 1970, as the service model's timestamps are in REST-JSON.
    #expect(user["CreatedTimestamp"] as? Double == 1_795_438_800)
    #expect(user["LastUpdatedTimestamp"] as? Double == 1_795_438_800)
    let settings = try #require(user["ExpirationSettings"] as? [String: Any])
    #expect(settings["ExpirationDays"] as? Int == 3)
    #expect(settings["ExpirationCriterion"] as? String == "CREATED_TIMESTAMP")
  }

  @Test mutating func theSameTokenAndBodyMakeOneUser() throws {
    let first = try sandbox.createUser("a", token: "t1", more: #","Tags":[{"Key":"k","Value":"v"}]"#)
    let second = try sandbox.createUser("a", token: "t1", more: #","Tags":[{"Value":"v","Key":"k"}]"#)
    #expect(first == second)
  }

  @Test mutating func anotherBodyUnderTheSameTokenIsAConflict() throws {
    try sandbox.createUser("a", token: "t1")
    #expect(failure { try sandbox.createUser("b", token: "t1") } == .conflict)
    #expect(failure { try sandbox.createUser("a", token: "t1", more: #","Metadata":"x""#) } == .conflict)
  }

  @Test mutating func aTakenUserIdIsAConflict() throws {
    try sandbox.createUser("a", token: "t1")
    #expect(failure { try sandbox.createUser("a", token: "t2") } == .conflict)
  }

  @Test mutating func aDeletedUsersIdAndTokenAreFree() throws {
    let arn = try sandbox.createUser("a", token: "t1")
    #expect(try sandbox.call("DELETE", "/app-instance-users/\(encoded(arn))").isEmpty)
    #expect(failure { _ = try sandbox.describe(arn) } == .notFound)
    #expect(try sandbox.createUser("a", token: "t1") == arn)
  }

  @Test mutating func aUserWithoutATokenIsRefused() {
    #expect(
      failure {
        _ = try sandbox.call(
          "POST", "/app-instance-users",
          #"{"AppInstanceArn":"\#(appArn)","AppInstanceUserId":"a","Name":"N"}"#)
      } == .badRequest)
  }

  @Test mutating func usersGoWhenTheirDaysAreOver() throws {
    let settings = #","ExpirationSettings":{"ExpirationDays":1,"ExpirationCriterion":"CREATED_TIMESTAMP"}"#
    let arn = try sandbox.createUser("a", more: settings)
    sandbox.now = noon.advanced(byNanoseconds: 86_400_000_000_000 - 1)
    #expect(failure { _ = try sandbox.describe(arn) } == nil)
    sandbox.now = noon.advanced(byNanoseconds: 86_400_000_000_000)
    #expect(failure { _ = try sandbox.describe(arn) } == .notFound)
    let list = try sandbox.call("GET", "/app-instance-users?app-instance-arn=\(encoded(appArn))")
    #expect((list["AppInstanceUsers"] as? [Any])?.isEmpty == true)
    #expect(failure { try sandbox.createUser("a", token: "t9", more: settings) } == nil)
  }

  @Test mutating func expirationSettingsAreSetAndTakenAway() throws {
    let arn = try sandbox.createUser("a")
    let target = "/app-instance-users/\(encoded(arn))/expiration-settings"
    let set = try sandbox.call(
      "PUT", target, #"{"ExpirationSettings":{"ExpirationDays":9,"ExpirationCriterion":"CREATED_TIMESTAMP"}}"#
    )
    #expect((set["ExpirationSettings"] as? [String: Any])?["ExpirationDays"] as? Int == 9)
    #expect(try sandbox.describe(arn)["ExpirationSettings"] != nil)
    let taken = try sandbox.call("PUT", target, #"{"ExpirationSettings":null}"#)
    #expect(taken["AppInstanceUserArn"] as? String == arn)
    #expect(try sandbox.describe(arn)["ExpirationSettings"] == nil)
  }

  @Test mutating func anUpdateChangesNameMetadataAndTime() throws {
    let arn = try sandbox.createUser("a")
    sandbox.now = noon.advanced(byNanoseconds: 1_500_000_000)
    let answer = try sandbox.call(
      "PUT", "/app-instance-users/\(encoded(arn))", #"{"Name":"Böb","Metadata":"x"}"#)
    #expect(answer["AppInstanceUserArn"] as? String == arn)
    let user = try sandbox.describe(arn)
    #expect(user["Name"] as? String == "Böb")
    #expect(user["Metadata"] as? String == "x")
    #expect(user["CreatedTimestamp"] as? Double == 1_795_438_800)
    #expect(user["LastUpdatedTimestamp"] as? Double == 1_795_438_801.5)
  }

  @Test(arguments: [1, 2, 3, 50]) mutating func listsComeInPages(_ size: Int) throws {
    let ids = (0..<7).map { "user-\($0)" }
    for id in ids.reversed() { try sandbox.createUser(id) }
    let users = try sandbox.pages(
      "/app-instance-users?app-instance-arn=\(encoded(appArn))", "AppInstanceUsers", by: size)
    let seen = users.compactMap { $0["AppInstanceUserArn"] as? String }
    #expect(seen == ids.map { "\(appArn)/user/\($0)" })
  }

  @Test mutating func aPageGoesOnWhereItWasThoughUsersWent() throws {
    for id in ["a", "b", "c", "d"] { try sandbox.createUser(id) }
    let target = "/app-instance-users?app-instance-arn=\(encoded(appArn))&max-results=2"
    let token = try #require(sandbox.call("GET", target)["NextToken"] as? String)
    _ = try sandbox.call("DELETE", "/app-instance-users/\(encoded("\(appArn)/user/b"))")
    let users = try sandbox.call("GET", "\(target)&next-token=\(encoded(token))")["AppInstanceUsers"]
    #expect((users as? [[String: Any]])?.first?["AppInstanceUserArn"] as? String == "\(appArn)/user/c")
  }

  @Test mutating func aForeignPageTokenIsRefused() throws {
    try sandbox.createUser("a")
    #expect(
      failure {
        _ = try sandbox.call("GET", "/app-instance-users?app-instance-arn=\(encoded(appArn))&next-token=x")
      } == .badRequest)
  }

  @Test mutating func anExpiredUsersTokenIsFree() throws {
    let settings = #","ExpirationSettings":{"ExpirationDays":1,"ExpirationCriterion":"CREATED_TIMESTAMP"}"#
    try sandbox.createUser("a", token: "t1", more: settings)
    sandbox.now = noon.advanced(byNanoseconds: 86_400_000_000_000)
    #expect(failure { try sandbox.createUser("b", token: "t1") } == nil)
  }

  @Test mutating func anAppInstanceHasAsManyUsersAsItsQuotaSays() throws {
    sandbox.service.quotas.usersPerAppInstance = 2
    let settings = #","ExpirationSettings":{"ExpirationDays":1,"ExpirationCriterion":"CREATED_TIMESTAMP"}"#
    try sandbox.createUser("a", more: settings)
    try sandbox.createUser("b")
    #expect(failure { try sandbox.createUser("c") } == .resourceLimitExceeded)
    // What was made is answered all the same, and one that has expired does not count.
    #expect(failure { try sandbox.createUser("b") } == nil)
    sandbox.now = noon.advanced(byNanoseconds: 86_400_000_000_000)
    #expect(failure { try sandbox.createUser("c") } == nil)
    #expect(failure { try sandbox.createUser("d") } == .resourceLimitExceeded)
  }

  @Test mutating func whatIsNoUsersARNIsForbidden() throws {
    let bot = try sandbox.createBot()
    for arn in [bot, appArn, "arn:aws:s3:::bucket", "\(appArn)/user/"] {
      #expect(failure { _ = try sandbox.describe(arn) } == .forbidden)
    }
  }
}
