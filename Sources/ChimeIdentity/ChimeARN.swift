package import Primitives

/// The ARN of an AppInstance or of something in one, in its exact form:
/// `arn:PARTITION:chime:REGION:ACCOUNT:app-instance/ID` and `…/user/ID`, `…/bot/ID`, `…/channel/ID`,
/// `…/channel-flow/ID`.
///
/// Confinement rests on it, so it reads nothing that another reader could take for another AppInstance: no empty
/// or further parts, no percent-encoding, no upper case but in the last ID (AWS gives AppInstances lower-case
/// UUIDs; a reader that ignores case would see another one).
package struct ChimeARN: Hashable, Sendable {
  package enum Resource: Hashable, Sendable { case appInstance, user, bot, channel, channelFlow }

  package let text: Text
  package let resource: Resource
  private let appInstanceEnd: Int
  private let appInstanceIdStart: Int

  /// `nil` when it is not one in exact form.
  package init?(_ text: Text) {
    guard let parts = ARNParts(text.utf8.span) else { return nil }
    self.text = text
    resource = parts.resource
    appInstanceIdStart = parts.appInstanceId.lowerBound
    appInstanceEnd = parts.appInstanceId.upperBound
  }

  package var region: Text {
    let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 4, omittingEmptySubsequences: false)
    return Text(uncheckedUTF8: Array(parts[3]))
  }

  /// The ARN of the AppInstance that it names or lies in.
  package var appInstanceArn: Text {
    resource == .appInstance ? text : Text(uncheckedUTF8: Array(text.utf8[..<appInstanceEnd]))
  }

  /// What stands after `app-instance/`, to the next slash.
  package var appInstanceId: Text {
    Text(uncheckedUTF8: Array(text.utf8[appInstanceIdStart..<appInstanceEnd]))
  }

  /// The ID of the user, bot or other resource in the AppInstance; `nil` for the AppInstance itself.
  package var resourceId: Text? {
    guard resource != .appInstance else { return nil }
    let rest = text.utf8[(appInstanceEnd + 1)...]
    return Text(
      uncheckedUTF8: Array(rest[(rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.startIndex)...].dropFirst()))
  }
}

/// Where the parts of an exact ARN stand.
package struct ARNParts {
  /// What stands after `app-instance/`; the ARN of the AppInstance ends where it ends.
  package let appInstanceId: Range<Int>
  package let resource: ChimeARN.Resource
  /// The ID of the user, bot or other resource in the AppInstance; empty for the AppInstance itself.
  package let resourceId: Range<Int>

  /// `nil` when `text` is no ARN in exact form.
  package init?(_ text: borrowing Span<UInt8>) {
    var reader = SpanReader()
    guard reader.skip("arn:", in: text),
      !reader.run(in: text, of: isLowerAlphanumericOrHyphen).isEmpty, reader.skip(":chime:", in: text),
      !reader.run(in: text, of: isLowerAlphanumericOrHyphen).isEmpty, reader.skip(":", in: text),
      reader.skip(exactly: 12, in: text, of: isDigit), reader.skip(":app-instance/", in: text)
    else { return nil }
    appInstanceId = reader.run(in: text, of: isAppInstanceIdByte)
    guard !appInstanceId.isEmpty else { return nil }
    if reader.index == text.count {
      resource = .appInstance
      resourceId = reader.index..<reader.index
      return
    }
    guard let resource = reader.resource(in: text) else { return nil }
    let id = reader.run(upTo: 64, in: text, of: isUserIdByte)
    guard !id.isEmpty, isAlphanumeric(text[id.lowerBound]), isAlphanumeric(text[id.upperBound - 1]),
      reader.index == text.count
    else { return nil }
    self.resource = resource
    resourceId = id
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

@inline(__always) private func isLowerAlphanumericOrHyphen(_ byte: UInt8) -> Bool {
  isLowerAlphanumeric(byte) || byte == UInt8(ascii: "-")
}

@inline(__always) private func isAppInstanceIdByte(_ byte: UInt8) -> Bool {
  isLowerAlphanumericOrHyphen(byte) || byte == UInt8(ascii: "_")
}
