internal import COpenSSL
internal import Primitives

/// A SHA-256 value: 32 bytes, held inline.
package struct SHA256Digest: Hashable, Sendable {
  package private(set) var words: (UInt64, UInt64, UInt64, UInt64)

  fileprivate init() { words = (0, 0, 0, 0) }

  /// `nil` unless there are exactly 32 bytes.
  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 32 else { return nil }
    words = (0, 0, 0, 0)
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
  }

  package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withUnsafeBytes(of: words, body)
  }

  package var bytes: [UInt8] { withBytes { Array($0) } }
  /// Lower-case hexadecimal, 64 characters.
  package var hex: String { Hex.encode(bytes) }
  package func appendHex(to out: inout [UInt8]) { withBytes { out.append(hex: $0) } }

  package static func == (left: Self, right: Self) -> Bool { left.words == right.words }
  package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

  fileprivate mutating func fill(_ body: (UnsafeMutablePointer<UInt8>) -> Int32) {
    let done = withUnsafeMutableBytes(of: &words) { buffer in
      buffer.withMemoryRebound(to: UInt8.self) { bytes in
        bytes.baseAddress.map(body) ?? 0
      }
    }
    // Only an exhausted allocator or a broken provider gets here; nothing can be trusted then.
    precondition(done == 1, "OpenSSL could not compute a SHA-256 digest")
  }
}

package enum SHA256 {
  package static func digest(_ bytes: UnsafeRawBufferPointer) -> SHA256Digest {
    var digest = SHA256Digest()
    digest.fill { gh_sha256(bytes.baseAddress, bytes.count, $0) }
    return digest
  }

  package static func digest(_ bytes: [UInt8]) -> SHA256Digest {
    bytes.withUnsafeBytes { digest($0) }
  }

  package static func digest(_ bytes: ArraySlice<UInt8>) -> SHA256Digest {
    bytes.withUnsafeBytes { digest($0) }
  }
}

/// HMAC-SHA-256 (RFC 2104).
package enum HMACSHA256 {
  package static func authenticate(
    _ message: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer
  ) -> SHA256Digest {
    var digest = SHA256Digest()
    digest.fill {
      gh_hmac_sha256(key.baseAddress, key.count, message.baseAddress, message.count, $0)
    }
    return digest
  }

  package static func authenticate(_ message: [UInt8], key: [UInt8]) -> SHA256Digest {
    message.withUnsafeBytes { message in
      key.withUnsafeBytes { authenticate(message, key: $0) }
    }
  }

  package static func authenticate(_ message: [UInt8], key: SHA256Digest) -> SHA256Digest {
    message.withUnsafeBytes { message in
      key.withBytes { authenticate(message, key: $0) }
    }
  }
}

/// Equality whose duration does not depend on where the two differ.
package func constantTimeEqual(_ left: SHA256Digest, _ right: SHA256Digest) -> Bool {
  left.withBytes { left in right.withBytes { CRYPTO_memcmp(left.baseAddress, $0.baseAddress, 32) == 0 } }
}

package func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count
    && left.withUnsafeBytes { left in
      right.withUnsafeBytes { CRYPTO_memcmp(left.baseAddress, $0.baseAddress, left.count) == 0 }
    }
}
