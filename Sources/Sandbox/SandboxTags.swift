internal import ChimeIdentity
internal import Primitives
internal import StrictJSON

// Tags of AppInstances, users and bots: of whatever has an ARN here. They are no change of what bears them, and leave its
// LastUpdatedTimestamp alone.
extension SandboxService {
  mutating func tag(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let resource = try taggable(call.body.text("ResourceARN"), now: call.now)
    let tags = resource.tags.merged(with: call.body.tags)
    guard tags.count <= Self.mostTags else {
      throw SandboxFailure(.resourceLimitExceeded, "a resource can have at most \(Self.mostTags) tags")
    }
    setTags(tags, of: resource)
    return []
  }

  mutating func untag(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let resource = try taggable(call.body.text("ResourceARN"), now: call.now)
    let keys = Set(call.body.tagKeys)
    setTags(resource.tags.filter { !keys.contains($0.key) }, of: resource)
    return []
  }

  func listTags(_ call: SandboxCall) throws(SandboxFailure) -> [UInt8] {
    let resource = try taggable(call.target("ResourceARN"), now: call.now)
    return Self.json { $0.member("Tags", resource.tags) }
  }

  private static let mostTags = 50

  private enum Taggable {
    case appInstance(AppInstanceRecord)
    case user(UserRecord)
    case bot(BotRecord)

    var tags: [Tag] {
      switch self {
      case .appInstance(let app): app.tags
      case .user(let user): user.tags
      case .bot(let bot): bot.tags
      }
    }
  }

  private func taggable(_ text: Text, now: WallClockTime) throws(SandboxFailure) -> Taggable {
    if let arn = ChimeARN(text) {
      switch arn.resource {
      case .appInstance: return .appInstance(try appInstance(text))
      case .user: return .user(try user(arn, now: now))
      case .bot: return .bot(try bot(arn, now: now))
      case .channel, .channelFlow: break
      }
    }
    throw SandboxFailure(.forbidden, "this is the ARN of nothing that the sandbox has")
  }

  private mutating func setTags(_ tags: [Tag], of resource: Taggable) {
    switch resource {
    case .appInstance(let app): appInstances[app.arn]?.tags = tags
    case .user(var user):
      user.tags = tags
      store(user)
    case .bot(var bot):
      bot.tags = tags
      store(bot)
    }
  }
}

extension JSONWriter {
  fileprivate mutating func member(_ key: StaticString, _ tags: [Tag]) {
    self.key(key)
    beginArray()
    for tag in tags {
      beginObject()
      member("Key", tag.key)
      member("Value", tag.value)
      endObject()
    }
    endArray()
  }
}
