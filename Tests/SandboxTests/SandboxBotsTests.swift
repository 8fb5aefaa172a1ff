import Testing

@testable import Sandbox
import ChimeIdentity
import Primitives

@Suite struct SandboxBotsTests {
  private var sandbox = SandboxUnderTest()

  private static let lex =
    #"{"Lex":{"InvokedBy":{"StandardMessages":"MENTIONS","TargetedMessages":"ALL"},"#
    + #""LexBotAliasArn":"\#(lexAlias)","LocaleId":"de_DE","RespondsTo":"STANDARD_MESSAGES","WelcomeIntent":"Hello"}}"#

  @Test mutating func aBotIsCreatedAndDescribed() throws {
    let created = try sandbox.call(
      "POST", "/app-instance-bots",
      #"{"AppInstanceArn":"\#(appArn)","Name":"helper","Metadata":"m","ClientRequestToken":"t1","#
        + #""Tags":[{"Key":"k","Value":"v"}],"Configuration":\#(Self.lex)}"#)
    let arn = try #require(created["AppInstanceBotArn"] as? String)
    #expect(ChimeARN(Text(arn))?.resource == .bot)
    #expect(arn.hasPrefix("\(appArn)/bot/"))
    #expect(
      try isEqual(
        sandbox.call("GET", "/app-instance-bots/\(encoded(arn))"),
        #"{"AppInstanceBot":{"AppInstanceBotArn":"\#(arn)","Name":"helper","Metadata":"m","#
          + #""Configuration":\#(Self.lex),"CreatedTimestamp":1795438800,"LastUpdatedTimestamp":1795438800}}"#
      ))
    #expect(try sandbox.tags(of: arn) == ["k": "v"])
  }

  @Test mutating func nameAndMetadataMayBeAbsent() throws {
    let arn = try #require(
      sandbox.call(
        "POST", "/app-instance-bots",
        #"{"AppInstanceArn":"\#(appArn)","ClientRequestToken":"t1","Configuration":\#(Self.lex)}"#)[
          "AppInstanceBotArn"] as? String)
    let bots = try sandbox.pages(
      "/app-instance-bots?app-instance-arn=\(encoded(appArn))", "AppInstanceBots", by: 50)
    #expect(bots.map { $0.keys.sorted() } == [["AppInstanceBotArn"]])
    #expect(bots.first?["AppInstanceBotArn"] as? String == arn)
  }

  @Test mutating func theSameTokenMakesOneBot() throws {
    let arn = try sandbox.createBot(token: "t1")
    #expect(try sandbox.createBot(token: "t1") == arn)
    #expect(failure { try sandbox.createBot("other", token: "t1") } == .conflict)
    #expect(failure { try sandbox.createBot(token: "t1", more: #","Metadata":"x""#) } == .conflict)
  }

  @Test mutating func nameAndConfigurationTogetherAreUnique() throws {
    let arn = try sandbox.createBot("a")
    #expect(failure { try sandbox.createBot("a", token: "t2") } == .conflict)
    let other = try sandbox.createBot("b")
    let target = "/app-instance-bots/\(encoded(other))"
    #expect(failure { _ = try sandbox.call("PUT", target, #"{"Name":"a","Metadata":""}"#) } == .conflict)
    // A bot does not stand in its own way, and what is gone in nobody's.
    #expect(failure { _ = try sandbox.call("PUT", target, #"{"Name":"b","Metadata":"x"}"#) } == nil)
    _ = try sandbox.call("DELETE", "/app-instance-bots/\(encoded(arn))")
    #expect(failure { try sandbox.createBot("a") } == nil)
  }

  @Test mutating func anUpdateChangesWhatItGives() throws {
    let arn = try sandbox.createBot()
    let target = "/app-instance-bots/\(encoded(arn))"
    sandbox.now = noon.advanced(byNanoseconds: 2_000_000_000)
    let answer = try sandbox.call("PUT", target, #"{"Name":"new","Metadata":"x"}"#)
    #expect(try isEqual(answer, #"{"AppInstanceBotArn":"\#(arn)"}"#))
    let bot =
      #"{"AppInstanceBot":{"AppInstanceBotArn":"\#(arn)","Name":"new","Metadata":"x","Configuration":"#
    let times = #","CreatedTimestamp":1795438800,"LastUpdatedTimestamp":1795438802}}"#
    let given = #"{"Lex":{"LexBotAliasArn":"\#(lexAlias)","LocaleId":"en_US"}}"#
    #expect(try isEqual(sandbox.call("GET", target), bot + given + times))
    _ = try sandbox.call("PUT", target, #"{"Name":"new","Metadata":"x","Configuration":\#(Self.lex)}"#)
    #expect(try isEqual(sandbox.call("GET", target), bot + Self.lex + times))
  }

  @Test mutating func botsComeInPages() throws {
    let arns = try (0..<7).map { try sandbox.createBot("bot-\($0)") }
    for size in [1, 3, 50] {
      let listed = try sandbox.pages(
        "/app-instance-bots?app-instance-arn=\(encoded(appArn))", "AppInstanceBots", by: size)
      #expect(listed.compactMap { $0["AppInstanceBotArn"] as? String } == arns.sorted())
    }
  }

  @Test mutating func whatIsGoneIsNotFound() throws {
    let arn = try sandbox.createBot()
    let target = "/app-instance-bots/\(encoded(arn))"
    #expect(try sandbox.call("DELETE", target).isEmpty)
    #expect(failure { _ = try sandbox.call("GET", target) } == .notFound)
    #expect(failure { _ = try sandbox.call("DELETE", target) } == .notFound)
    #expect(failure { _ = try sandbox.call("PUT", target, #"{"Name":"b","Metadata":""}"#) } == .notFound)
    #expect(
      failure { _ = try sandbox.call("GET", "/app-instance-bots/\(encoded("\(appArn)/user/a"))") }
        == .forbidden)
  }

  @Test mutating func aDeletedBotsTokenIsFree() throws {
    let arn = try sandbox.createBot(token: "t1")
    _ = try sandbox.call("DELETE", "/app-instance-bots/\(encoded(arn))")
    let again = try sandbox.createBot("other", token: "t1")
    #expect(again != arn)
    #expect(failure { _ = try sandbox.call("GET", "/app-instance-bots/\(encoded(again))") } == nil)
  }

  @Test mutating func anAppInstanceComesToBeWithItsFirstBot() throws {
    let list = "/app-instance-bots?app-instance-arn=\(encoded(appArn))"
    #expect(try isEqual(sandbox.call("GET", list), #"{"AppInstanceArn":"\#(appArn)","AppInstanceBots":[]}"#))
    try sandbox.createBot()
    #expect(failure { _ = try sandbox.call("GET", "/app-instances/\(encoded(appArn))") } == nil)
    try sandbox.createAppInstance()
    let other = appArn.replacing("0f4bd6bf", with: "ffffffff")
    #expect(failure { try sandbox.createBot(app: other) } == .forbidden)
  }
}
