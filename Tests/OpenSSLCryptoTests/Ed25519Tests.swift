import OpenSSLCrypto
import Primitives
import Testing

@Suite struct Ed25519Tests {
  private static func bytes(_ hex: String) -> [UInt8] { Hex.decode(Array(hex.utf8)[...]) ?? [] }

  // RFC 8032 section 7.1, tests 1 and 2.
  @Test(arguments: [
    (
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    ),
    (
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    ),
  ])
  func signsAsPublished(_ seed: String, _ publicKey: String, _ message: String, _ signature: String) throws {
    let key = try #require(Ed25519PrivateKey(seed: Self.bytes(seed)))
    #expect(Hex.encode(key.publicKey.bytes) == publicKey)
    #expect(Hex.encode(key.sign(Self.bytes(message))) == signature)
    #expect(key.publicKey.verifies(Self.bytes(signature), of: Self.bytes(message)))
  }

  @Test func anyChangedBitIsRefused() throws {
    let key = try #require(Ed25519PrivateKey(seed: [UInt8](0..<32)))
    let message = Array("checkpoint".utf8)
    let signature = key.sign(message)
    for index in signature.indices {
      var other = signature
      other[index] ^= 1
      #expect(!key.publicKey.verifies(other, of: message))
    }
    #expect(!key.publicKey.verifies(signature, of: message + [0]))
    #expect(!key.publicKey.verifies([], of: message))
  }

  @Test func pemComesBackAsItWas() throws {
    let key = try #require(Ed25519PrivateKey.generate())
    let again = try #require(Ed25519PrivateKey(pem: key.pem))
    #expect(again.publicKey == key.publicKey)
    #expect(Ed25519PublicKey(pem: key.publicKey.pem) == key.publicKey)
    #expect(String(decoding: key.pem, as: UTF8.self).hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
    #expect(Ed25519PrivateKey(pem: key.publicKey.pem) == nil)
    #expect(Ed25519PublicKey(pem: key.pem) == nil)
    #expect(Ed25519PrivateKey(pem: Array("nothing".utf8)) == nil)
  }
}
