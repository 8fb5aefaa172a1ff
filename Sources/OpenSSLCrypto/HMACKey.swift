internal import COpenSSL

/// A key for many HMAC-SHA-256 (RFC 2104) of one kind, such as a day's signing key. Its derived state is
/// wiped when the last owner lets go.
package final class HMACKey: Sendable {
  // Never written to between init and deinit, only copied from, so threads may share them.
  private nonisolated(unsafe) let inner: OpaquePointer
  private nonisolated(unsafe) let outer: OpaquePointer

  package init(_ key: UnsafeRawBufferPointer) {
    var inner: OpaquePointer?
    var outer: OpaquePointer?
    let done = gh_hmac_key_new(key.baseAddress, key.count, &inner, &outer)
    guard done == 1, let inner, let outer else {
      // Only an exhausted allocator or a broken provider gets here; nothing can be trusted then.
      preconditionFailure("OpenSSL could not set up an HMAC key")
    }
    self.inner = inner
    self.outer = outer
  }

  deinit {
    EVP_MD_CTX_free(inner)
    EVP_MD_CTX_free(outer)
  }

  package func authenticate(_ message: UnsafeRawBufferPointer) -> SHA256Digest {
    var digest = SHA256Digest()
    digest.fill { gh_hmac_key_authenticate(inner, outer, message.baseAddress, message.count, $0) }
    return digest
  }

  package func authenticate(_ message: [UInt8]) -> SHA256Digest {
    message.withUnsafeBytes { authenticate($0) }
  }
}
