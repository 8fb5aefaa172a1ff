internal import ChimeIdentity
internal import Primitives
internal import StrictJSON

extension SandboxService {
  mutating func createBot(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let request = try CreateBotRequest(call.body)
    let arn = request.appInstanceArn
    adoptAppInstance(arn, now: call.now)
    let served = try appInstance(arn).servedBots.made(by: request)
    let bot = BotRecord(request, id: served ?? call.newId(), now: call.now)
    if served == nil {
      try requireUnique(bot)
      appInstances[arn]?.insert(bot, madeBy: request)
    }
    return Self.json("AppInstanceBotArn", bot.arn)
  }

  /// "The request consists of a unique Configuration and Name": taken to the letter, no two bots of an AppInstance may
  /// have both of them in common.
  private func requireUnique(_ bot: BotRecord) throws(SandboxFailure) {
    let isTaken = try appInstance(bot.appInstanceArn).bots.contains { other in
      other.id != bot.id && other.name == bot.name && other.configuration == bot.configuration
    }
    if isTaken {
      throw SandboxFailure(.conflict, "there is a bot with this Name and Configuration already")
    }
  }

  func describeBot(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let found = try bot(of: call)
    return Self.json { writer in
      writer.object("AppInstanceBot") { writer in
        writer.summary(of: found)
        writer.object("Configuration") { $0.lex(found.configuration) }
        writer.member("CreatedTimestamp", found.created)
        writer.member("LastUpdatedTimestamp", found.updated)
      }
    }
  }

  func listBots(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let app = try appInstanceOrEmpty(call.target("AppInstanceArn"), now: call.now)
    let listing = app.bots.listing(try call.page())
    return Self.json { writer in
      writer.member("AppInstanceArn", app.arn)
      writer.list("AppInstanceBots", listing) { $0.summary(of: $1) }
    }
  }

  /// A configuration that is not given stays as it is.
  mutating func updateBot(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    var bot = try bot(of: call)
    bot.name = call.body.optionalText("Name")
    bot.metadata = call.body.optionalText("Metadata")
    let configuration = call.body.object("Configuration")
    if configuration.isPresent { bot.configuration = LexConfiguration(configuration) }
    bot.updated = call.now
    try requireUnique(bot)
    store(bot)
    return Self.json("AppInstanceBotArn", bot.arn)
  }

  mutating func deleteBot(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let bot = try bot(of: call)
    appInstances[bot.appInstanceArn]?.removeBot(bot.id)
    return []
  }

  private func bot(of call: SandboxCall) throws(SandboxFailure) -> BotRecord {
    let arn = try Self.arn(call.target("AppInstanceBotArn"), of: .bot, "a bot")
    return try bot(arn, now: call.now)
  }

  func bot(_ arn: ChimeARN, now: WallClockTime) throws(SandboxFailure) -> BotRecord {
    let app = try appInstanceOrEmpty(arn.appInstanceArn, now: now)
    guard let id = arn.resourceId, let bot = app.bots[id] else {
      throw SandboxFailure(.notFound, "there is no bot with this ARN in the sandbox")
    }
    return bot
  }

  mutating func store(_ bot: BotRecord) { appInstances[bot.appInstanceArn]?.store(bot) }
}

extension JSONWriter {
  fileprivate mutating func summary(of bot: BotRecord) {
    member("AppInstanceBotArn", bot.arn)
    member("Name", ifAny: bot.name)
    member("Metadata", ifAny: bot.metadata)
  }

  fileprivate mutating func lex(_ lex: LexConfiguration) {
    object("Lex") { writer in
      writer.member("RespondsTo", ifAny: lex.respondsTo)
      if let invokedBy = lex.invokedBy {
        writer.object("InvokedBy") { writer in
          writer.member("StandardMessages", invokedBy.standardMessages)
          writer.member("TargetedMessages", invokedBy.targetedMessages)
        }
      }
      writer.member("LexBotAliasArn", lex.botAliasArn)
      writer.member("LocaleId", lex.localeId)
      writer.member("WelcomeIntent", ifAny: lex.welcomeIntent)
    }
  }
}
