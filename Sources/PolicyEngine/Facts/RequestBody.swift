internal import ChimeIdentity
package import Primitives
internal import StrictJSON

extension GovernedRequest {
  /// The only criterion that the service knows, for settings that a policy adds.
  static let createdTimestamp: Text = "CREATED_TIMESTAMP"

  /// Appends the body written anew: for the operations whose facts policy can change from those facts, member by member
  /// in the service model's order; for all others the members as they were read, and a token that was filled in.
  package func writeBody(to bytes: inout ByteBuffer) {
    bytes.reserve((hasText ? text.source(text.root).count : 0) + side.count + 256)
    switch operation {
    case .createAppInstanceUser: writeCreateUser(to: &bytes)
    case .putAppInstanceUserExpirationSettings:
      bytes.append("{")
      if let expirationDays { writeExpiration(days: expirationDays, to: &bytes) }
      bytes.append("}")
    default: writeAsRead(to: &bytes)
    }
  }

  private func writeCreateUser(to bytes: inout ByteBuffer) {
    bytes.append("{\"AppInstanceArn\":")
    append(appInstanceArnSlice, to: &bytes)
    if !appInstanceUserIdSlice.isAbsent {
      bytes.append(",\"AppInstanceUserId\":")
      append(appInstanceUserIdSlice, to: &bytes)
    }
    if !nameSlice.isAbsent {
      bytes.append(",\"Name\":")
      append(nameSlice, to: &bytes)
    }
    if !metadataSlice.isAbsent {
      bytes.append(",\"Metadata\":")
      append(metadataSlice, to: &bytes)
    }
    if !clientRequestTokenSlice.isAbsent {
      bytes.append(",\"ClientRequestToken\":")
      append(clientRequestTokenSlice, to: &bytes)
    }
    if !tags.isEmpty { writeTags(to: &bytes) }
    if let expirationDays {
      bytes.append(",")
      writeExpiration(days: expirationDays, to: &bytes)
    }
    bytes.append("}")
  }

  private func writeTags(to bytes: inout ByteBuffer) {
    bytes.append(",\"Tags\":[{\"Key\":")
    for index in tags.indices {
      if index > 0 { bytes.append(",{\"Key\":") }
      append(tags[index].key, to: &bytes)
      bytes.append(",\"Value\":")
      append(tags[index].value, to: &bytes)
      bytes.append("}")
    }
    bytes.append("]")
  }

  private func writeExpiration(days: Int, to bytes: inout ByteBuffer) {
    bytes.append("\"ExpirationSettings\":{\"ExpirationDays\":")
    bytes.append(decimal: days)
    bytes.append(",\"ExpirationCriterion\":")
    if expirationCriterionSlice.isAbsent {
      bytes.append("\"CREATED_TIMESTAMP\"")
    } else {
      append(expirationCriterionSlice, to: &bytes)
    }
    bytes.append("}")
  }

  /// A string. One that stands in the request's own buffer was written without escapes and needs none.
  private func append(_ slice: FactSlice, to bytes: inout ByteBuffer) {
    if slice.isInSide, !slice.isAbsent {
      bytes.append(quoted: self[slice])
    } else {
      bytes.append(plainQuoted: self[slice])
    }
  }

  private func writeAsRead(to bytes: inout ByteBuffer) {
    var separator: StaticString = "{"
    if hasText {
      for (key, value) in text.members(text.root) {
        guard text.kind(value) != .null, let name = text.utf8(key) else { continue }
        bytes.append(separator)
        bytes.append(quoted: name.span)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(text.bytes.span.extracting(text.source(value)))
        separator = ","
      }
    }
    if isTokenFilledIn {
      bytes.append(separator)
      bytes.append("\"ClientRequestToken\":")
      append(clientRequestTokenSlice, to: &bytes)
      separator = ","
    }
    if separator.utf8Start.pointee == UInt8(ascii: "{") { bytes.append("{") }
    bytes.append("}")
  }
}

extension ByteBuffer {
  /// Appends a JSON string that needs no escapes.
  fileprivate mutating func append(plainQuoted value: Span<UInt8>) {
    append(upTo: value.count + 2) { out in
      out[0] = UInt8(ascii: "\"")
      value.withUnsafeBufferPointer { _ = out[1...].initialize(fromContentsOf: $0) }
      out[value.count + 1] = UInt8(ascii: "\"")
      return value.count + 2
    }
  }
}
