import OpenSSLCrypto
import Primitives
import Testing

@Suite("A prepared HMAC key")
struct HMACKeyTests {
  /// RFC 4231 sections 4.2 to 4.8 (4.6 is about truncation).
  static let published: [(key: [UInt8], message: [UInt8], mac: String)] = [
    (
      Array(repeating: 0x0b, count: 20), Array("Hi There".utf8),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      Array(repeating: 0xaa, count: 20), Array(repeating: 0xdd, count: 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    ),
    (
      Array(1...25), Array(repeating: 0xcd, count: 50),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
    ),
    (
      Array(repeating: 0xaa, count: 131),
      Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
    (
      Array(repeating: 0xaa, count: 131),
      Array(
        """
        This is a test using a larger than block-size key and a larger than block-size data. \
        The key needs to be hashed before being used by the HMAC algorithm.
        """.utf8),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    ),
  ]

  @Test("gives the MACs of RFC 4231, again and again", arguments: HMACKeyTests.published)
  func vectors(key: [UInt8], message: [UInt8], mac: String) {
    let prepared = key.withUnsafeBytes { HMACKey($0) }
    #expect(prepared.authenticate(message.span).hex == mac)
    #expect(prepared.authenticate([UInt8]().span).hex == HMACSHA256.authenticate([], key: key).hex)
    #expect(prepared.authenticate(message.span).hex == mac)
  }

  @Test("may be empty")
  func emptyKey() {
    let prepared = HMACKey(UnsafeRawBufferPointer(start: nil, count: 0))
    #expect(prepared.authenticate([1].span) == HMACSHA256.authenticate([1], key: [UInt8]()))
  }
}

@Suite("A digest")
struct DigestTests {
  @Test("is the standard's")
  func example() {
    // FIPS 180-4, the example of 448 bits.
    #expect(
      SHA256.digest(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)).hex
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }

  @Test("tells whether text is its own digits")
  func isWritten() {
    for seed in 0..<50 {
      let digest = SHA256.digest([UInt8(seed)])
      let hex = digest.hex
      var out = ByteBuffer()
      digest.appendHex(to: &out)
      #expect(out.array == Array(hex.utf8))
      func isWritten(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return digest.isWritten(as: bytes.span)
      }
      #expect(isWritten(hex))
      for other in [hex.uppercased(), String(hex.dropLast()), hex + "0", "", Self.empty] {
        #expect(!isWritten(other))
      }
    }
  }

  // SHA-256 of nothing, FIPS 180-4.
  static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  @Test("is written and read in lower-case hexadecimal")
  func hexadecimal() {
    let digest = SHA256.digest([UInt8]())
    var out: [UInt8] = [1]
    digest.appendHex(to: &out)
    #expect(out == [1] + Array(Self.empty.utf8))
    #expect(SHA256Digest(lowercaseHex: Array(Self.empty.utf8)[...]) == digest)
  }

  @Test(
    "is read from nothing else",
    arguments: [empty.uppercased(), String(empty.dropLast()), empty + "0", "g" + empty.dropFirst(), ""])
  func otherSpellings(text: String) {
    #expect(SHA256Digest(lowercaseHex: Array(text.utf8)[...]) == nil)
  }
}
