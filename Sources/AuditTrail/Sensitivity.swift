package import OpenSSLCrypto
internal import Primitives

/// What the journal shows of the members that the service model marks sensitive.
package struct Sensitivity: Sendable {
  package enum Treatment: Sendable {
    case plain
    /// HMAC-SHA-256 of the value's UTF-8 bytes under this key, written as `hmac-sha256:` and hexadecimal.
    case hashed(under: Secret)
    case omitted
  }

  package var name: Treatment
  package var metadata: Treatment
  package var tagValues: Treatment

  package init(
    name: Treatment = .plain, metadata: Treatment = .omitted, tagValues: Treatment = .plain
  ) {
    self.name = name
    self.metadata = metadata
    self.tagValues = tagValues
  }

  /// How a value of `field` is shown, `field` named as policies name it: `Name`, `Metadata`, `Tags.Owner`.
  func treatment(ofField field: Span<UInt8>) -> Treatment {
    if field.begins(with: "Tags.") { return tagValues }
    if field.count == 4, field.begins(with: "Name") { return name }
    if field.count == 8, field.begins(with: "Metadata") { return metadata }
    return .plain
  }
}

extension Span<UInt8> {
  fileprivate func begins(with literal: StaticString) -> Bool {
    guard count >= literal.utf8CodeUnitCount else { return false }
    for index in 0..<literal.utf8CodeUnitCount where self[index] != literal.utf8Start[index] { return false }
    return true
  }
}

extension Sensitivity.Treatment {
  /// `hmac-sha256:…` of `value`.
  static func mark(of value: [UInt8], under key: Secret) -> [UInt8] {
    var out = ByteBuffer(capacity: 76)
    append(markOf: value.span, under: key, to: &out)
    return out.array
  }

  static func append(markOf value: Span<UInt8>, under key: Secret, to out: inout ByteBuffer) {
    let code = value.withUnsafeBytes { message in
      key.withBytes { HMACSHA256.authenticate(message, key: $0) }
    }
    out.append("hmac-sha256:")
    code.appendHex(to: &out)
  }
}
