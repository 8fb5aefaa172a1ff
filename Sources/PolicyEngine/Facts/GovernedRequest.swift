package import ChimeIdentity
package import Primitives
package import StrictJSON

/// The facts of one request that policy looks at and may change. What is evaluated is what is forwarded.
package struct GovernedRequest: Sendable {
  package struct Tag: Sendable, Hashable {
    package var key: Text
    package var value: Text
    package init(key: Text, value: Text) {
      self.key = key
      self.value = value
    }
  }

  package let operation: Operation
  /// The AppInstance the request is about; empty when it names none.
  package var appInstanceArn: Text = ""
  /// The part of the AppInstance ARN after `app-instance/`, for `${request.appInstanceId}`.
  package var appInstanceId: Text = ""
  /// The user to be created, or the one that the request's ARN names.
  package var appInstanceUserId: Text?
  /// What TagResource and UntagResource are about.
  package var resourceArn: Text?
  package var name: Text?
  package var metadata: Text?
  package var clientRequestToken: Text?
  /// In the order in which the caller gave them; those that policy adds follow.
  package var tags: [Tag] = []
  /// The keys that UntagResource takes away.
  package var tagKeys: [Text] = []
  package var expirationDays: Int?
  package var expirationCriterion: Text?
  /// What the facts were read from.
  let document: JSONDocument?

  /// Reads the facts of a request that model validation has passed.
  package init(call: IdentifiedCall, document: JSONDocument?) {
    self.init(operation: call.operation, document: document)
    for member in call.pathMembers { locate(by: member.value) }
    for member in call.queryMembers { locate(by: member.value) }
  }

  /// The facts that stand in the body alone.
  package init(operation: Operation, document: JSONDocument?) {
    self.operation = operation
    self.document = document
    guard let document else { return }
    for (key, value) in document.members(document.root) { read(key, value, in: document) }
  }

  /// Takes AppInstance and user from an ARN, unless they are known.
  package mutating func locate(by text: Text) {
    guard appInstanceArn.isEmpty, let arn = ChimeARN(text) else { return }
    appInstanceArn = arn.appInstanceArn
    appInstanceId = arn.appInstanceId
    if arn.resource == .user { appInstanceUserId = arn.resourceId }
  }

  /// The user's ARN, which is made of its AppInstance's and its id.
  package var appInstanceUserArn: Text? {
    guard !appInstanceArn.isEmpty, let appInstanceUserId else { return nil }
    return appInstanceArn + "/user/" + appInstanceUserId
  }
}

extension GovernedRequest {
  // Constants, so that comparing a key allocates nothing.
  private static let nameKey: Text = "Name"
  private static let tagsKey: Text = "Tags"
  private static let metadataKey: Text = "Metadata"
  private static let appInstanceArnKey: Text = "AppInstanceArn"
  private static let appInstanceUserIdKey: Text = "AppInstanceUserId"
  private static let clientRequestTokenKey: Text = "ClientRequestToken"
  private static let expirationSettingsKey: Text = "ExpirationSettings"
  private static let expirationDaysKey: Text = "ExpirationDays"
  private static let expirationCriterionKey: Text = "ExpirationCriterion"
  private static let resourceArnKey: Text = "ResourceARN"
  private static let tagKeysKey: Text = "TagKeys"
  private static let keyKey: Text = "Key"
  private static let valueKey: Text = "Value"

  /// Takes over one member of the body. The members that policy knows have the same meaning in every operation.
  private mutating func read(_ key: JSONNode, _ value: JSONNode, in document: JSONDocument) {
    let length = document.plainString(key)?.count
    if document.isKey(key, length, Self.appInstanceArnKey) {
      readAppInstance(document.text(value))
    } else if document.isKey(key, length, Self.appInstanceUserIdKey) {
      appInstanceUserId = document.text(value)
    } else if document.isKey(key, length, Self.nameKey) {
      name = document.text(value)
    } else if document.isKey(key, length, Self.metadataKey) {
      metadata = document.text(value)
    } else if document.isKey(key, length, Self.clientRequestTokenKey) {
      clientRequestToken = document.text(value)
    } else if document.isKey(key, length, Self.tagsKey) {
      readTags(value, in: document)
    } else if document.isKey(key, length, Self.expirationSettingsKey) {
      readExpiration(value, in: document)
    } else if document.isKey(key, length, Self.resourceArnKey) {
      resourceArn = document.text(value)
      if let resourceArn { locate(by: resourceArn) }
    } else if document.isKey(key, length, Self.tagKeysKey) {
      tagKeys = document.elements(value).compactMap { document.text($0) }
    }
  }

  private mutating func readAppInstance(_ text: Text?) {
    guard let text else { return }
    appInstanceArn = text
    appInstanceId = ChimeARN(text)?.appInstanceId ?? ""
  }

  private mutating func readTags(_ list: JSONNode, in document: JSONDocument) {
    // With room for those that policy adds.
    tags.reserveCapacity(8)
    for element in document.elements(list) {
      var key: Text?
      var value: Text?
      for (name, member) in document.members(element) {
        let length = document.plainString(name)?.count
        if document.isKey(name, length, Self.keyKey) {
          key = document.text(member)
        } else if document.isKey(name, length, Self.valueKey) {
          value = document.text(member)
        }
      }
      if let key, let value { tags.append(Tag(key: key, value: value)) }
    }
  }

  private mutating func readExpiration(_ settings: JSONNode, in document: JSONDocument) {
    for (name, member) in document.members(settings) {
      let length = document.plainString(name)?.count
      if document.isKey(name, length, Self.expirationDaysKey) {
        expirationDays = document.integer(member)
      } else if document.isKey(name, length, Self.expirationCriterionKey) {
        expirationCriterion = document.text(member)
      }
    }
  }
}

extension JSONDocument {
  /// Whether a key is this one. Its length, where it is known without unescaping, rules most out.
  @inline(__always)
  fileprivate func isKey(_ key: JSONNode, _ length: Int?, _ expected: Text) -> Bool {
    (length == nil || length == expected.utf8.count) && isText(key, expected)
  }
}
