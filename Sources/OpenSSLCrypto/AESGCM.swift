internal import COpenSSL

/// AES-256 in Galois/Counter Mode (NIST SP 800-38D) with a 96-bit nonce and a 128-bit tag.
package enum AESGCM {
  package static let keyLength = 32
  package static let nonceLength = 12
  package static let tagLength = 16

  /// The ciphertext followed by the tag; `nil` when key or nonce have another length than AES-256-GCM's.
  ///
  /// A nonce must not be used twice under one key.
  package static func seal(
    _ plaintext: [UInt8], key: Secret, nonce: [UInt8], authenticating data: [UInt8]
  ) -> [UInt8]? {
    withContext(key: key, nonce: nonce, encrypting: 1) { context in
      guard update(context, data: data), var out = update(context, plaintext) else { return nil }
      var tag = [UInt8](repeating: 0, count: tagLength)
      var none: Int32 = 0
      guard EVP_CipherFinal_ex(context, &tag, &none) == 1, none == 0,
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagLength), &tag) == 1
      else { return nil }
      out += tag
      return out
    }
  }

  /// The plaintext of what `seal` gave; `nil` when key, nonce, data or bytes are not those that were sealed.
  package static func open(
    _ sealed: [UInt8], key: Secret, nonce: [UInt8], authenticating data: [UInt8]
  ) -> [UInt8]? {
    guard sealed.count >= tagLength else { return nil }
    let ciphertext = Array(sealed.dropLast(tagLength))
    var tag = Array(sealed.suffix(tagLength))
    return withContext(key: key, nonce: nonce, encrypting: 0) { context in
      guard update(context, data: data), var out = update(context, ciphertext),
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagLength), &tag) == 1
      else { return nil }
      var none: Int32 = 0
      var rest = [UInt8](repeating: 0, count: tagLength)
      guard EVP_CipherFinal_ex(context, &rest, &none) == 1 else {
        // Not authentic: what was decrypted so far must not be seen.
        out.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
        return nil
      }
      return out
    }
  }

  private static func withContext(
    key: Secret, nonce: [UInt8], encrypting: Int32, _ body: (OpaquePointer) -> [UInt8]?
  ) -> [UInt8]? {
    guard key.count == keyLength, nonce.count == nonceLength, let context = EVP_CIPHER_CTX_new() else {
      return nil
    }
    defer { EVP_CIPHER_CTX_free(context) }
    let started = key.withBytes { bytes in
      EVP_CipherInit_ex2(
        context, EVP_aes_256_gcm(), bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), nonce, encrypting,
        nil)
    }
    return started == 1 ? body(context) : nil
  }

  /// Takes the additional data in.
  private static func update(_ context: OpaquePointer, data: [UInt8]) -> Bool {
    var length: Int32 = 0
    return EVP_CipherUpdate(context, nil, &length, data, Int32(data.count)) == 1
  }

  private static func update(_ context: OpaquePointer, _ bytes: [UInt8]) -> [UInt8]? {
    var length: Int32 = 0
    var out = [UInt8](repeating: 0, count: bytes.count)
    guard EVP_CipherUpdate(context, &out, &length, bytes, Int32(bytes.count)) == 1, Int(length) == bytes.count
    else { return nil }
    return out
  }
}
