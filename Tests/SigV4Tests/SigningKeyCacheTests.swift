import OpenSSLCrypto
import Primitives
import Testing

@testable import SigV4

@Suite("The cache of signing keys")
struct SigningKeyCacheTests {
  // AWS General Reference, "Examples of how to derive a signing key for Signature Version 4".
  static let secret = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".utf8)
  static let scope = CredentialScope(day: 20_120_215, region: "us-east-1", service: "iam")
  static let derived: [UInt8] = Array("f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d".utf8)

  /// What a key makes of a message tells keys apart without showing them.
  private func mac(_ key: SigningKey) -> SHA256Digest { key.signature(of: Array("message".utf8)) }
  private var expected: SHA256Digest {
    HMACSHA256.authenticate(Array("message".utf8), key: Hex.decode(Self.derived) ?? [])
  }

  @Test("derives the key of AWS's documented example")
  func derives() {
    var cache = SigningKeyCache()
    let key = cache.signingKey(accessKeyId: "A", secret: Self.secret, scope: Self.scope)
    #expect(mac(key) == expected)
  }

  @Test("gives the same key object again without deriving it")
  func remembers() {
    var cache = SigningKeyCache()
    let first = cache.signingKey(accessKeyId: "A", secret: Self.secret, scope: Self.scope)
    let second = cache.signingKey(accessKeyId: "A", secret: Self.secret, scope: Self.scope)
    #expect(first === second)
  }

  @Test("never serves a key of a secret that was rotated away")
  func rotation() {
    var cache = SigningKeyCache()
    let old = cache.signingKey(accessKeyId: "A", secret: Secret([1]), scope: Self.scope)
    let new = cache.signingKey(accessKeyId: "A", secret: Self.secret, scope: Self.scope)
    #expect(mac(old) != mac(new))
    #expect(mac(new) == expected)
  }

  @Test("keeps days, regions and services apart, and two of them at hand")
  func scopes() {
    var cache = SigningKeyCache()
    let today = cache.signingKey(accessKeyId: "A", secret: Self.secret, scope: Self.scope)
    let others = [
      CredentialScope(day: 20_120_216, region: "us-east-1", service: "iam"),
      CredentialScope(day: 20_120_215, region: "eu-central-1", service: "iam"),
      CredentialScope(day: 20_120_215, region: "us-east-1", service: "chime"),
    ]
    for other in others {
      let key = cache.signingKey(accessKeyId: "A", secret: Self.secret, scope: other)
      #expect(mac(key) != mac(today))
    }
    let last = others[2]
    let kept = cache.signingKey(accessKeyId: "A", secret: Self.secret, scope: last)
    _ = cache.signingKey(accessKeyId: "A", secret: Self.secret, scope: Self.scope)
    #expect(cache.signingKey(accessKeyId: "A", secret: Self.secret, scope: last) === kept)
  }

  @Test("stays within its capacity")
  func bounded() {
    var cache = SigningKeyCache(capacity: 8)
    for number in 0..<100 {
      _ = cache.signingKey(accessKeyId: Text("A\(number)"), secret: Self.secret, scope: Self.scope)
      #expect(cache.count <= 8)
    }
  }
}
