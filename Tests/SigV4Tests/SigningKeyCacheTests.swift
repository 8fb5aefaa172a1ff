import OpenSSLCrypto
import Primitives
import Testing

@testable import SigV4

@Suite("The cache of signing keys")
struct SigningKeyCacheTests {
  // AWS General Reference, "Examples of how to derive a signing key for Signature Version 4".
  static let secret = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".utf8)
  static let scope = SigningScope(region: "us-east-1", service: "iam")
  static let day = 20_120_215
  static let derived: [UInt8] = Array("f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d".utf8)

  /// What a key makes of a message tells keys apart without showing them.
  private func mac(_ key: SigningKey) -> SHA256Digest { key.signature(of: Array("message".utf8).span) }
  private var expected: SHA256Digest {
    HMACSHA256.authenticate(Array("message".utf8), key: Hex.decode(Self.derived) ?? [])
  }

  @Test("derives the key of AWS's documented example")
  func derives() {
    var cache = SigningKeyCache()
    let key = cache.signingKey(of: Self.secret, in: Self.scope, day: Self.day)
    #expect(mac(key) == expected)
  }

  @Test("gives the same key object again without deriving it")
  func remembers() {
    var cache = SigningKeyCache()
    let first = cache.signingKey(of: Self.secret, in: Self.scope, day: Self.day)
    let second = cache.signingKey(of: Self.secret, in: Self.scope, day: Self.day)
    #expect(first === second)
  }

  @Test("never serves a key of a secret that was rotated away")
  func rotation() {
    var cache = SigningKeyCache()
    let old = cache.signingKey(of: Secret([1]), in: Self.scope, day: Self.day)
    let new = cache.signingKey(of: Self.secret, in: Self.scope, day: Self.day)
    #expect(mac(old) != mac(new))
    #expect(mac(new) == expected)
  }

  @Test("keeps days, regions and services apart")
  func scopes() {
    var cache = SigningKeyCache()
    let today = cache.signingKey(of: Self.secret, in: Self.scope, day: Self.day)
    let others = [
      (Self.scope, Self.day + 1), (SigningScope(region: "eu-central-1", service: "iam"), Self.day),
      (SigningScope(region: "us-east-1", service: "chime"), Self.day),
    ]
    for (scope, day) in others {
      let key = cache.signingKey(of: Self.secret, in: scope, day: day)
      #expect(mac(key) != mac(today))
      #expect(key.scope === scope && key.day == day)
    }
  }

  @Test("keeps both days around midnight at hand, however small it is")
  func midnight() {
    var cache = SigningKeyCache(capacity: 2)
    let before = cache.signingKey(of: Self.secret, in: Self.scope, day: Self.day)
    let after = cache.signingKey(of: Self.secret, in: Self.scope, day: Self.day + 1)
    for _ in 0..<3 {
      #expect(cache.signingKey(of: Self.secret, in: Self.scope, day: Self.day) === before)
      #expect(cache.signingKey(of: Self.secret, in: Self.scope, day: Self.day + 1) === after)
    }
  }

  @Test("gives the right key however many share its places")
  func crowded() {
    var cache = SigningKeyCache(capacity: 8)
    let secrets = (0..<100).map { Secret([UInt8($0)]) }
    let expected = secrets.map { mac(SigningKey(secret: $0, scope: Self.scope, day: Self.day)) }
    for _ in 0..<2 {
      for (secret, expected) in zip(secrets, expected) {
        #expect(mac(cache.signingKey(of: secret, in: Self.scope, day: Self.day)) == expected)
      }
    }
  }

  @Test("keeps most of a hundred keys at hand")
  func holds() {
    var cache = SigningKeyCache()
    let secrets = (0..<100).map { Secret([UInt8($0)]) }
    let first = secrets.map { cache.signingKey(of: $0, in: Self.scope, day: Self.day) }
    let kept = zip(secrets, first).count { secret, key in
      cache.signingKey(of: secret, in: Self.scope, day: Self.day) === key
    }
    #expect(kept >= 90)
  }
}
