internal import Primitives

/// The rules a policy can hold a request to, by the ids that messages, metrics and audit records bear.
package enum Rule: String, Sendable, CaseIterable {
  case userIDPrefix = "appInstanceUserId.prefix"
  case userIDPattern = "appInstanceUserId.pattern"
  case userIDForbidden = "appInstanceUserId.forbidden"
  case userIDLength = "appInstanceUserId.length"
  case namePattern = "name.pattern"
  case nameForbidden = "name.forbidden"
  case nameLength = "name.length"
  case nameTrimmed = "name.trimmed"
  case nameSingleScript = "name.singleScript"
  case tagsRequired = "tags.required"
  case tagsValue = "tags.value"
  case tagsPattern = "tags.pattern"
  case tagsKeyCase = "tags.keyCase"
  case tagsAllowedKeys = "tags.allowedKeys"
  case tagsForbiddenKeys = "tags.forbiddenKeys"
  case tagsMaxCount = "tags.maxCount"
  case tagsProtected = "tags.protected"
  case expirationRequired = "expiration.required"
  case expirationMinDays = "expiration.minDays"
  case expirationMaxDays = "expiration.maxDays"
  case metadataMaxBytes = "metadata.maxBytes"
  case metadataFormat = "metadata.format"
  case metadataForbidden = "metadata.forbidden"
}

/// The members of a request by the names that violations and changes bear: those of the service model.
enum PolicyField {
  static let userID = "AppInstanceUserId"
  static let name = "Name"
  static let metadata = "Metadata"
  static let clientRequestToken = "ClientRequestToken"
  static let tags = "Tags"
  static let tagKeys = "TagKeys"
  static let expiration = "ExpirationSettings"
  static let expirationDays = "ExpirationSettings.ExpirationDays"

  /// `Tags.Owner`, for a key that a policy names.
  static func tag(_ key: Text) -> String { "Tags.\(key.string)" }

  /// `Tags.Owner`, for a key that the caller chose: shortened and on one line, like any value of theirs.
  static func tag(ofCaller key: Span<UInt8>) -> String { "Tags.\(MessageText.shown(key))" }
}
