/// The kinds of resource that requests to this service can tag, as tag policies name them behind `chime:`.
package struct TaggableResources: OptionSet, Sendable, Hashable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let appInstance = Self(rawValue: 1)
  package static let user = Self(rawValue: 2)
  package static let bot = Self(rawValue: 4)
  package static let channel = Self(rawValue: 8)
  package static let channelFlow = Self(rawValue: 16)
  package static let all: Self = [.appInstance, .user, .bot, .channel, .channelFlow]

  /// AWS documents `app-instance`, `app-instance-user` and `channel`, and takes the forms with a slash, which follow the
  /// ARNs, as well. `app-instance-bot` and `channel-flow` are what its service authorization reference calls the others.
  private static let taggable: [(type: String, resources: Self)] = [
    ("app-instance", .appInstance), ("app-instance-user", .user), ("app-instance/user", .user),
    ("app-instance-bot", .bot), ("app-instance/bot", .bot), ("channel", .channel),
    ("app-instance/channel", .channel), ("channel-flow", .channelFlow),
    ("app-instance/channel-flow", .channelFlow),
    ("*", .all), ("ALL_SUPPORTED", .all),
  ]
  /// What else Amazon Chime has by AWS's lists of resource types (service authorization reference, Resource Explorer);
  /// no request to this service tags it.
  private static let others = [
    "media-insights-pipeline-configuration", "media-pipeline", "media-pipeline-kinesis-video-stream-pool",
    "meeting", "sip-media-application", "sma", "vc", "voice-connector", "voice-profile",
    "voice-profile-domain",
  ]

  static let service = "chime"

  /// Every type of the service that a tag policy may name.
  static var knownTypes: [String] { (taggable.map(\.type) + others).map { "\(service):\($0)" } }

  /// The resources that `chime:app-instance-user`, `chime:*` or the like stands for; none for other services' types.
  init(typeName: String) {
    self = Self.taggable.first { "\(Self.service):\($0.type)" == typeName }?.resources ?? []
  }
}
