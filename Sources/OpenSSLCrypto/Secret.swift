internal import COpenSSL

/// Bytes that must not be seen: no description, no encoding, wiped when the last owner lets go.
package final class Secret: Sendable {
  // Never written between init and deinit, so sharing it between threads is safe.
  private nonisolated(unsafe) let storage: UnsafeMutableRawBufferPointer

  package init(_ bytes: some Collection<UInt8>) {
    storage = .allocate(byteCount: bytes.count, alignment: 1)
    storage.copyBytes(from: bytes)
  }

  deinit {
    OPENSSL_cleanse(storage.baseAddress, storage.count)
    storage.deallocate()
  }

  package var count: Int { storage.count }

  /// The bytes, for the duration of `body` only.
  package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try body(UnsafeRawBufferPointer(storage))
  }

  package static func constantTimeEqual(_ secret: Secret, _ bytes: [UInt8]) -> Bool {
    constantTimeEqual(secret, bytes.span)
  }

  package static func constantTimeEqual(_ secret: Secret, _ bytes: Span<UInt8>) -> Bool {
    guard secret.count == bytes.count else { return false }
    return bytes.withUnsafeBytes {
      CRYPTO_memcmp(secret.storage.baseAddress, $0.baseAddress, secret.count) == 0
    }
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "[secret]" }
  package var debugDescription: String { "[secret]" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
