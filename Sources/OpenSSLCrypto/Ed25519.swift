internal import COpenSSL

/// A private key of Ed25519 (RFC 8032).
package final class Ed25519PrivateKey: Sendable {
  // Never changed between init and deinit, so threads may share it.
  private nonisolated(unsafe) let key: OpaquePointer

  private init(_ key: OpaquePointer) { self.key = key }

  deinit { EVP_PKEY_free(key) }

  /// A new one.
  package static func generate() -> Ed25519PrivateKey? { Ed25519PrivateKey(seed: randomBytes(32)) }

  /// `nil` unless there are exactly 32 bytes.
  package convenience init?(seed: [UInt8]) {
    guard seed.count == 32, let key = EVP_PKEY_new_raw_private_key(NID_ED25519, nil, seed, 32) else {
      return nil
    }
    self.init(key)
  }

  /// An unencrypted PKCS#8 file; `nil` when it is another kind of key, or none.
  package convenience init?(pem: [UInt8]) {
    let found: OpaquePointer? = PEMBytes.read(pem) { PEM_read_bio_PrivateKey($0, nil, gh_no_passphrase, nil) }
    guard let found else { return nil }
    guard EVP_PKEY_get_base_id(found) == NID_ED25519 else {
      EVP_PKEY_free(found)
      return nil
    }
    self.init(found)
  }

  /// 64 bytes.
  package func sign(_ message: [UInt8]) -> [UInt8] {
    var signature = [UInt8](repeating: 0, count: 64)
    var length = signature.count
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    let done =
      EVP_DigestSignInit(context, nil, nil, nil, key) == 1
      && EVP_DigestSign(context, &signature, &length, message, message.count) == 1
    // Only an exhausted allocator or a broken provider gets here; nothing can be trusted then.
    precondition(done && length == 64, "OpenSSL could not sign")
    return signature
  }

  package var publicKey: Ed25519PublicKey {
    var bytes = [UInt8](repeating: 0, count: 32)
    var length = bytes.count
    let done = EVP_PKEY_get_raw_public_key(key, &bytes, &length)
    precondition(done == 1 && length == 32, "an Ed25519 key has a public key")
    return Ed25519PublicKey(checked: bytes)
  }

  /// PKCS#8, not encrypted.
  package var pem: [UInt8] {
    PEMBytes.written { PEM_write_bio_PKCS8PrivateKey($0, self.key, nil, nil, 0, nil, nil) }
  }
}

/// A public key of Ed25519 (RFC 8032).
package struct Ed25519PublicKey: Sendable, Hashable {
  /// 32 bytes.
  package let bytes: [UInt8]

  fileprivate init(checked bytes: [UInt8]) { self.bytes = bytes }

  /// `nil` unless there are exactly 32 bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  /// A SubjectPublicKeyInfo file; `nil` when it is another kind of key, or none.
  package init?(pem: [UInt8]) {
    let found: OpaquePointer? = PEMBytes.read(pem) { PEM_read_bio_PUBKEY($0, nil, gh_no_passphrase, nil) }
    guard let found else { return nil }
    defer { EVP_PKEY_free(found) }
    var bytes = [UInt8](repeating: 0, count: 32)
    var length = bytes.count
    guard EVP_PKEY_get_base_id(found) == NID_ED25519,
      EVP_PKEY_get_raw_public_key(found, &bytes, &length) == 1, length == 32
    else { return nil }
    self.bytes = bytes
  }

  package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard let key = EVP_PKEY_new_raw_public_key(NID_ED25519, nil, bytes, 32) else { return false }
    defer { EVP_PKEY_free(key) }
    let context = EVP_MD_CTX_new()
    defer {
      EVP_MD_CTX_free(context)
      ERR_clear_error()
    }
    return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
      && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
  }

  /// SHA-256 of the SubjectPublicKeyInfo in DER, whose head is always the same (RFC 8410 section 4).
  package var fingerprint: SHA256Digest { SHA256.digest(Self.derHead + bytes) }

  private static let derHead: [UInt8] = [
    0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
  ]

  /// SubjectPublicKeyInfo.
  package var pem: [UInt8] {
    guard let key = EVP_PKEY_new_raw_public_key(NID_ED25519, nil, bytes, 32) else { return [] }
    defer { EVP_PKEY_free(key) }
    return PEMBytes.written { PEM_write_bio_PUBKEY($0, key) }
  }
}

private enum PEMBytes {
  static func read(_ bytes: [UInt8], _ body: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
    bytes.withUnsafeBytes { buffer in
      guard let reader = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else { return nil }
      defer {
        BIO_free(reader)
        ERR_clear_error()
      }
      return body(reader)
    }
  }

  static func written(_ body: (OpaquePointer) -> Int32) -> [UInt8] {
    guard let writer = BIO_new(BIO_s_mem()) else { return [] }
    defer { BIO_free(writer) }
    guard body(writer) == 1 else { return [] }
    var out = [UInt8](repeating: 0, count: 1024)
    let count = BIO_read(writer, &out, Int32(out.count))
    return Array(out[..<max(0, Int(count))])
  }
}
