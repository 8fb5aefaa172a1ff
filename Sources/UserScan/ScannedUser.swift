package import ChimeIdentity
internal import PolicyEngine
package import Primitives
internal import StrictJSON

/// A user as upstream has it.
package struct ScannedUser: Sendable, Hashable {
  package struct Tag: Sendable, Hashable {
    package let key: Text
    package let value: Text

    package init(_ key: Text, _ value: Text) {
      self.key = key
      self.value = value
    }
  }

  package let arn: ChimeARN
  package var name: Text?
  package var metadata: Text?
  package var expirationDays: Int?
  package var tags: [Tag] = []

  package init(_ arn: ChimeARN) { self.arn = arn }

  /// - Parameters:
  ///   - description: the answer to DescribeAppInstanceUser.
  ///   - tags: the answer to ListTagsForResource.
  /// - Returns: `nil` when these are no such answers.
  init?(_ arn: ChimeARN, description: JSONDocument, tags: JSONDocument) {
    guard let user = description.member("AppInstanceUser", of: description.root),
      let list = tags.member("Tags", of: tags.root)
    else { return nil }
    self.arn = arn
    name = description.text("Name", of: user)
    metadata = description.text("Metadata", of: user)
    let settings = description.member("ExpirationSettings", of: user)
    expirationDays = settings.flatMap { description.member("ExpirationDays", of: $0) }
      .flatMap { description.integer($0) }
    for tag in tags.elements(list) {
      guard let key = tags.text("Key", of: tag), let value = tags.text("Value", of: tag) else { return nil }
      self.tags.append(Tag(key, value))
    }
  }

  /// As the request that would make it as it is.
  var facts: GovernedRequest {
    var request = GovernedRequest(operation: .createAppInstanceUser)
    request.take(.appInstanceArn, arn.appInstanceArn)
    if let id = arn.resourceId { request.take(.appInstanceUserId, id) }
    if let name { request.take(.name, name) }
    if let metadata { request.take(.metadata, metadata) }
    for tag in tags { request.takeTag(tag.key, tag.value) }
    request.take(expirationDays: expirationDays)
    return request
  }
}

extension JSONDocument {
  func text(_ key: Text, of node: JSONNode) -> Text? { member(key, of: node).flatMap { text($0) } }
}
