internal import COpenSSL

/// A key for many HMAC-SHA-256 (RFC 2104) of one kind, such as a day's signing key. Its derived state is
/// wiped when the last owner lets go.
package final class HMACKey: Sendable {
  // Never written to between init and deinit, only copied from, so threads may share it.
  private nonisolated(unsafe) let prepared: UnsafeMutablePointer<gh_hmac_sha256_key>

  package init(_ key: UnsafeRawBufferPointer) {
    prepared = .allocate(capacity: 1)
    gh_hmac_sha256_key_init(prepared, key.baseAddress, key.count)
  }

  deinit {
    OPENSSL_cleanse(prepared, MemoryLayout<gh_hmac_sha256_key>.size)
    prepared.deallocate()
  }

  package func authenticate(_ message: Span<UInt8>) -> SHA256Digest {
    SHA256Digest { out in
      message.withUnsafeBytes { gh_hmac_sha256(prepared, $0.baseAddress, $0.count, out) }
    }
  }
}
