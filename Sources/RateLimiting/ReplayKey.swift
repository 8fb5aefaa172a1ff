package import OpenSSLCrypto

/// Which create a request repeats: one tenant's, in one AppInstance, under one ClientRequestToken.
///
/// It is SHA-256 over them, each behind its length: 32 bytes to keep and to compare, of which nobody can find two texts
/// that share them, so a caller never gets another's answer.
package struct ReplayKey: BitwiseCopyable, Hashable, Sendable {
  private let digest: SHA256Digest
  /// As good as random.
  var bits: UInt64 { digest.words.1 }

  package init(tenant: Span<UInt8>, appInstanceArn: Span<UInt8>, clientRequestToken: Span<UInt8>) {
    var hasher = Self.begin(1, tenant, appInstanceArn)
    hasher.update(counted: clientRequestToken)
    digest = hasher.finish()
  }

  /// Of a request without a token: nothing but its signature says that it is the same one.
  package init(tenant: Span<UInt8>, appInstanceArn: Span<UInt8>, signature: SHA256Digest) {
    var hasher = Self.begin(2, tenant, appInstanceArn)
    hasher.update(signature)
    digest = hasher.finish()
  }

  /// - Parameter kind: tells a token from a signature of the same bytes.
  private static func begin(
    _ kind: UInt64, _ tenant: Span<UInt8>, _ appInstanceArn: Span<UInt8>
  ) -> SHA256Hasher {
    var hasher = SHA256Hasher()
    hasher.update(littleEndian: kind)
    hasher.update(counted: tenant)
    hasher.update(counted: appInstanceArn)
    return hasher
  }
}

/// What makes a request another one although it bears the same token: method, target and body, as the caller sent them.
package struct RequestDigest: BitwiseCopyable, Hashable, Sendable {
  private let digest: SHA256Digest

  /// - Parameters:
  ///   - target: the whole request target, query included.
  ///   - payloadHash: SHA-256 of the body.
  package init(method: Span<UInt8>, target: Span<UInt8>, payloadHash: SHA256Digest) {
    var hasher = SHA256Hasher()
    hasher.update(counted: method)
    hasher.update(counted: target)
    hasher.update(payloadHash)
    digest = hasher.finish()
  }
}

extension SHA256Hasher {
  /// The length and then the bytes, so that no two lists of texts give the same bytes.
  fileprivate mutating func update(counted bytes: Span<UInt8>) {
    update(littleEndian: UInt64(bytes.count))
    update(bytes)
  }
}
