internal import ChimeIdentity
package import Primitives
internal import StrictJSON

extension GovernedRequest {
  /// The only criterion that the service knows, for settings that a policy adds.
  static let createdTimestamp: Text = "CREATED_TIMESTAMP"

  /// Whether the operation wants a ClientRequestToken and the caller gave none.
  package var lacksClientRequestToken: Bool {
    operation.idempotencyToken != nil && clientRequestToken == nil
  }

  package mutating func fillClientRequestToken(_ token: Text) -> Change {
    clientRequestToken = token
    return Change(field: FieldName.clientRequestToken, from: nil, to: token)
  }

  /// The body written anew: for the operations whose facts policy can change from those facts, member by member in
  /// the service model's order; for all others the members as they were read, and a token that was filled in.
  package func body() -> [UInt8] {
    var writer = JSONWriter(into: ByteBuffer(capacity: (document?.bytes.count ?? 0) + 512))
    writer.beginObject()
    switch operation {
    case .createAppInstanceUser: writeCreateUser(to: &writer)
    case .putAppInstanceUserExpirationSettings: writeExpiration(to: &writer)
    default: writeAsRead(to: &writer)
    }
    writer.endObject()
    return writer.bytes
  }

  private func writeCreateUser(to writer: inout JSONWriter) {
    writer.key("AppInstanceArn")
    writer.string(appInstanceArn)
    if let appInstanceUserId {
      writer.key("AppInstanceUserId")
      writer.string(appInstanceUserId)
    }
    if let name {
      writer.key("Name")
      writer.string(name)
    }
    if let metadata {
      writer.key("Metadata")
      writer.string(metadata)
    }
    if let clientRequestToken {
      writer.key("ClientRequestToken")
      writer.string(clientRequestToken)
    }
    if !tags.isEmpty { writeTags(to: &writer) }
    writeExpiration(to: &writer)
  }

  private func writeTags(to writer: inout JSONWriter) {
    writer.key("Tags")
    writer.beginArray()
    for tag in tags {
      writer.beginObject()
      writer.key("Key")
      writer.string(tag.key)
      writer.key("Value")
      writer.string(tag.value)
      writer.endObject()
    }
    writer.endArray()
  }

  private func writeExpiration(to writer: inout JSONWriter) {
    guard let expirationDays else { return }
    writer.key("ExpirationSettings")
    writer.beginObject()
    writer.key("ExpirationDays")
    writer.integer(expirationDays)
    writer.key("ExpirationCriterion")
    writer.string(expirationCriterion ?? Self.createdTimestamp)
    writer.endObject()
  }

  private func writeAsRead(to writer: inout JSONWriter) {
    if let document {
      for (key, value) in document.members(document.root) {
        guard document.kind(value) != .null, let name = document.text(key) else { continue }
        writer.key(text: name)
        writer.raw(document.bytes[document.source(value)])
      }
    }
    if wasTokenFilledIn, let clientRequestToken {
      writer.key("ClientRequestToken")
      writer.string(clientRequestToken)
    }
  }

  private var wasTokenFilledIn: Bool {
    guard let document, let given = document.member("ClientRequestToken", of: document.root) else {
      return true
    }
    return document.kind(given) == .null
  }
}
