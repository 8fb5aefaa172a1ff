package import OpenSSLCrypto
package import Primitives

/// The key that sealed secrets are sealed under, from `$GATEHOUSE_MASTER_KEY`.
package struct MasterKey: Sendable {
  package static let variable = "GATEHOUSE_MASTER_KEY"
  fileprivate let key: Secret

  /// `nil` unless `text` is the base64 of 32 bytes.
  package init?(base64 text: String) {
    guard let bytes = Base64.decode(Array(text.utf8)), bytes.count == AESGCM.keyLength else { return nil }
    key = Secret(bytes)
  }
}

/// A secret access key as the tenants file keeps it: `v1:` and the base64 of nonce (12 bytes), ciphertext and
/// tag (16 bytes) of AES-256-GCM. The id of the access key is the associated data, so that a sealed secret
/// cannot be moved to another key.
package enum SealedSecret {
  package enum Fault: Error, Sendable, Hashable {
    /// It does not begin with a version that is known, or is not base64 of enough bytes.
    case malformed
    /// Sealed under another master key, for another access key id, or altered.
    case notAuthentic

    package var message: String {
      switch self {
      case .malformed: "expected a sealed secret: \"v1:\" and base64"
      case .notAuthentic:
        "the secret cannot be opened: it was sealed under another $\(MasterKey.variable), for another access key id, or altered"
      }
    }
  }

  private static let version = Array("v1:".utf8)

  /// - Parameter nonce: 12 bytes that were never used with this master key; `nil` comes back for another length.
  package static func seal(
    _ secret: [UInt8], accessKeyID: Text, masterKey: MasterKey, nonce: [UInt8]
  ) -> String? {
    AESGCM.seal(secret, key: masterKey.key, nonce: nonce, authenticating: accessKeyID.utf8).map {
      String(decoding: version, as: UTF8.self) + Base64.encode(nonce + $0)
    }
  }

  package static func open(
    _ sealed: String, accessKeyID: Text, masterKey: MasterKey
  ) throws(Fault) -> Secret {
    let bytes = Array(sealed.utf8)
    guard bytes.starts(with: version), let decoded = Base64.decode(bytes.dropFirst(version.count)),
      decoded.count > AESGCM.nonceLength + AESGCM.tagLength
    else { throw .malformed }
    guard
      let secret = AESGCM.open(
        Array(decoded.dropFirst(AESGCM.nonceLength)), key: masterKey.key,
        nonce: Array(decoded.prefix(AESGCM.nonceLength)), authenticating: accessKeyID.utf8)
    else { throw .notAuthentic }
    return Secret(secret)
  }
}
