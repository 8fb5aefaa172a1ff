import OpenSSLCrypto
import Primitives
import Testing

/// AES-256 test cases of "The Galois/Counter Mode of Operation" (McGrew and Viega), appendix B.
@Suite struct AESGCMTests {
  private func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(Array(hex.utf8))) }

  @Test(arguments: [
    // Test cases 13, 14 and 16.
    (
      "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "",
      "530f8afbc74536b9a963b4f1c4cb738b"
    ),
    (
      "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "",
      "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
    ),
    (
      "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
      "feedfacedeadbeeffeedfacedeadbeefabaddad2",
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
    ),
  ])
  func sealingGivesThePublishedBytes(
    _ key: String, _ nonce: String, _ data: String, _ plaintext: String, _ sealed: String
  ) throws {
    let secret = Secret(try bytes(key))
    let out = AESGCM.seal(
      try bytes(plaintext), key: secret, nonce: try bytes(nonce), authenticating: try bytes(data))
    #expect(out == (try bytes(sealed)))
    let opened = AESGCM.open(
      try bytes(sealed), key: secret, nonce: try bytes(nonce), authenticating: try bytes(data))
    #expect(opened == (try bytes(plaintext)))
  }

  @Test func anyChangedBitIsRefused() throws {
    let key = Secret([UInt8](0..<32))
    let nonce = [UInt8](0..<12)
    let data = Array("GHAK1".utf8)
    let sealed = try #require(AESGCM.seal(Array("secret".utf8), key: key, nonce: nonce, authenticating: data))
    for index in sealed.indices {
      var altered = sealed
      altered[index] ^= 1
      #expect(AESGCM.open(altered, key: key, nonce: nonce, authenticating: data) == nil)
    }
    for count in 0..<sealed.count {
      #expect(AESGCM.open(Array(sealed.prefix(count)), key: key, nonce: nonce, authenticating: data) == nil)
    }
    #expect(AESGCM.open(sealed, key: key, nonce: nonce, authenticating: Array("GHAK2".utf8)) == nil)
    #expect(AESGCM.open(sealed, key: Secret([UInt8](1...32)), nonce: nonce, authenticating: data) == nil)
  }

  @Test func keysAndNoncesOfOtherLengthsAreRefused() {
    let key = Secret([UInt8](0..<32))
    #expect(AESGCM.seal([1], key: Secret([UInt8](0..<16)), nonce: [UInt8](0..<12), authenticating: []) == nil)
    #expect(AESGCM.seal([1], key: key, nonce: [UInt8](0..<16), authenticating: []) == nil)
  }
}
