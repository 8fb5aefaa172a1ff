package import OpenSSLCrypto
package import Primitives

/// Which create a request repeats: one tenant's, in one region and AppInstance, under one ClientRequestToken.
///
/// It is SHA-256 over them, each behind its length: 32 bytes to keep and to compare, of which nobody can find two texts
/// that share them, so a caller never gets another's answer.
package struct ReplayKey: BitwiseCopyable, Hashable, Sendable {
  private let digest: SHA256Digest
  /// As good as random.
  var bits: UInt64 { digest.words.1 }

  /// - Parameter region: its place.
  package init(
    tenant: Span<UInt8>, region: Int = 0, appInstanceArn: Span<UInt8>, clientRequestToken: Span<UInt8>
  ) {
    digest = SHA256.digest(counted: Self.kind(1, region), tenant, appInstanceArn, clientRequestToken.bytes)
  }

  /// Of a request without a token: nothing but its signature says that it is the same one.
  package init(
    tenant: Span<UInt8>, region: Int = 0, appInstanceArn: Span<UInt8>, signature: SHA256Digest
  ) {
    digest = signature.withBytes { signature in
      SHA256.digest(counted: Self.kind(2, region), tenant, appInstanceArn, signature.bytes)
    }
  }

  /// What the texts are, and of which region.
  private static func kind(_ number: UInt64, _ region: Int) -> UInt64 {
    number | UInt64(truncatingIfNeeded: region) << 8
  }

  /// A ClientRequestToken that repeats have in common: the first half of the digest in the form of a UUID of version 8
  /// (RFC 9562), 36 of the 64 characters that the API allows. It tells nothing of the signature.
  package var clientRequestToken: Text {
    let (high, low) = (digest.words.0.bigEndian, digest.words.1.bigEndian)
    return RequestID(high: high & ~0xF000 | 0x8000, low: low & ~(0b11 << 62) | (0b10 << 62)).text
  }
}

/// What makes a request another one although it bears the same token: method, target and body, as the caller sent them.
package struct RequestDigest: BitwiseCopyable, Hashable, Sendable {
  private let digest: SHA256Digest
  /// 0: the digest is of method and target, too.
  private let call: UInt64

  /// - Parameters:
  ///   - target: the whole request target, query included.
  ///   - payloadHash: SHA-256 of the body.
  package init(method: Span<UInt8>, target: Span<UInt8>, payloadHash: SHA256Digest) {
    digest = payloadHash.withBytes { SHA256.digest(counted: 3, method, target, $0.bytes) }
    call = 0
  }

  /// Of a request whose method and target are told by one number alone, which is not 0.
  package init(call: UInt64, payloadHash: SHA256Digest) {
    precondition(call != 0, "a number of its own")
    digest = payloadHash
    self.call = call
  }
}

extension SHA256 {
  /// Of texts behind their lengths, so that no two lists of texts give the same bytes.
  ///
  /// - Parameter kind: tells what the texts are.
  fileprivate static func digest(
    counted kind: UInt64, _ first: Span<UInt8>, _ second: Span<UInt8>, _ third: RawSpan
  ) -> SHA256Digest {
    let count = 4 * 8 + first.count + second.count + third.byteCount
    // On the stack, unless somebody sends a very long target: one call for all bytes is cheaper than one for each part.
    return withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { buffer in
      buffer.storeBytes(of: kind.littleEndian, as: UInt64.self)
      var place = 8
      func append(_ text: RawSpan) {
        let length = UInt64(text.byteCount)
        buffer.storeBytes(of: length.littleEndian, toByteOffset: place, as: UInt64.self)
        place += 8
        text.withUnsafeBytes { buffer[place...].copyBytes(from: $0) }
        place += text.byteCount
      }
      append(first.bytes)
      append(second.bytes)
      append(third)
      return digest(UnsafeRawBufferPointer(buffer))
    }
  }
}
