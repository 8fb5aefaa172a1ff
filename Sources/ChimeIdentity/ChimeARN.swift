package import Primitives

/// The ARN of an AppInstance or of something in one, in its exact form:
/// `arn:PARTITION:chime:REGION:ACCOUNT:app-instance/ID` and `…/user/ID`, `…/bot/ID`, `…/channel/ID`,
/// `…/channel-flow/ID`.
///
/// Confinement rests on it, so it reads nothing that another reader could take for another AppInstance: no empty
/// or further parts, no percent-encoding, no upper case but in the last ID (AWS gives AppInstances lower-case
/// UUIDs; a reader that ignores case would see another one).
package struct ChimeARN: Hashable, Sendable {
  package enum Resource: BitwiseCopyable, Hashable, Sendable {
    case appInstance, user, bot, channel, channelFlow
  }

  package let text: Text
  private let parts: ChimeARNParts

  /// `nil` when it is not one in exact form.
  package init?(_ text: Text) {
    guard let parts = ChimeARNParts(text.utf8.span) else { return nil }
    self.text = text
    self.parts = parts
  }

  package var resource: Resource { parts.resource }
  package var region: Text { part(parts.region) }

  /// The ARN of the AppInstance that it names or lies in.
  package var appInstanceArn: Text { resource == .appInstance ? text : part(parts.appInstanceArn) }

  /// What stands after `app-instance/`, to the next slash.
  package var appInstanceId: Text { part(parts.appInstanceId) }

  /// The ID of the user, bot or other resource in the AppInstance; `nil` for the AppInstance itself.
  package var resourceId: Text? { parts.resourceId.map(part) }

  private func part(_ slice: ByteSlice) -> Text { text.utf8.span[slice].uncheckedText }
}

/// Where the parts of an exact ARN stand in it, for those that have its bytes and want no copies.
package struct ChimeARNParts: BitwiseCopyable, Hashable, Sendable {
  package let resource: ChimeARN.Resource
  package let region: ByteSlice
  package let appInstanceId: ByteSlice
  /// `nil` for the AppInstance itself.
  package let resourceId: ByteSlice?

  /// The ARN of the AppInstance that it names or lies in.
  package var appInstanceArn: ByteSlice { ByteSlice(0..<appInstanceId.upperBound) }

  /// `nil` when `text` is not one in exact form.
  package init?(_ text: Span<UInt8>) {
    var reader = SpanReader()
    guard reader.skip("arn:", in: text), !reader.run(.regionPart, in: text).isEmpty,
      reader.skip(":chime:", in: text)
    else { return nil }
    let region = reader.run(.regionPart, in: text)
    guard !region.isEmpty, reader.skip(":", in: text), reader.run(.digit, in: text).count == 12,
      reader.skip(":app-instance/", in: text)
    else { return nil }
    let appInstanceId = reader.run(.appInstanceId, in: text)
    guard !appInstanceId.isEmpty else { return nil }
    self.region = ByteSlice(region)
    self.appInstanceId = ByteSlice(appInstanceId)
    if reader.index == text.count {
      resource = .appInstance
      resourceId = nil
      return
    }
    guard let resource = reader.resource(in: text) else { return nil }
    let id = reader.run(.userId, in: text)
    guard !id.isEmpty, id.count <= 64, isAlphanumeric(text[id.lowerBound]),
      isAlphanumeric(text[id.upperBound - 1]),
      reader.index == text.count
    else { return nil }
    self.resource = resource
    resourceId = ByteSlice(id)
  }
}

extension SpanReader {
  fileprivate mutating func resource(in text: borrowing Span<UInt8>) -> ChimeARN.Resource? {
    if skip("/user/", in: text) { return .user }
    if skip("/bot/", in: text) { return .bot }
    if skip("/channel/", in: text) { return .channel }
    return skip("/channel-flow/", in: text) ? .channelFlow : nil
  }
}
