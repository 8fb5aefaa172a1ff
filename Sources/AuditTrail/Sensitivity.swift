package import OpenSSLCrypto
internal import Primitives

/// What the journal shows of the members that the service model marks sensitive (contract section 2).
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
  func treatment(ofField field: String) -> Treatment {
    switch field {
    case "Name": name
    case "Metadata": metadata
    default: field.utf8.starts(with: Self.tagPrefix) ? tagValues : .plain
    }
  }

  private static let tagPrefix = Array("Tags.".utf8)
}

extension Sensitivity.Treatment {
  var isPlain: Bool {
    if case .plain = self { true } else { false }
  }

  /// `hmac-sha256:…` of `value`.
  static func mark(of value: [UInt8], under key: Secret) -> [UInt8] {
    let code = value.withUnsafeBytes { message in
      key.withBytes { HMACSHA256.authenticate(message, key: $0) }
    }
    var out: [UInt8] = []
    out.reserveCapacity(76)
    out.append("hmac-sha256:")
    code.appendHex(to: &out)
    return out
  }
}
