import OpenSSLCrypto
import Primitives
import Testing

@Suite struct SHA256Tests {
  /// FIPS 180-4's examples (NIST, "Secure Hash Standard: example values").
  @Test func theVectorsOfFIPS180() {
    let vectors: [([UInt8], String)] = [
      ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        Array(repeating: UInt8(ascii: "a"), count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ]
    for (message, expected) in vectors {
      #expect(SHA256.digest(message).hex == expected)
      #expect(SHA256.digest(message[...]).hex == expected)
      #expect(SHA256.digest(([0xFF] + message).dropFirst()).hex == expected)
      #expect(message.withUnsafeBytes { SHA256.digest($0) }.hex == expected)
    }
  }

  @Test func isTheSameOnManyThreadsAtOnce() async {
    let expected = (0..<64).map { SHA256.digest([UInt8](repeating: $0, count: Int($0))) }
    await withTaskGroup(of: Bool.self) { group in
      for value in 0..<64 {
        group.addTask {
          (0..<50).allSatisfy { _ in
            SHA256.digest([UInt8](repeating: UInt8(value), count: value)) == expected[value]
          }
        }
      }
      for await agreed in group { #expect(agreed) }
    }
  }

  @Test func aDigestIsThirtyTwoBytes() {
    let bytes = [UInt8](0..<32)
    #expect(SHA256Digest(bytes: bytes)?.bytes == bytes)
    #expect(SHA256Digest(bytes: bytes.dropLast()) == nil)
    #expect(SHA256Digest(bytes: bytes + [0]) == nil)
    #expect(SHA256Digest(bytes: bytes.reversed()) != SHA256Digest(bytes: bytes))
  }

  @Test func onlyLowerCaseDigitsAreRead() {
    let digits = Array(SHA256.digest(Array("abc".utf8)).hex.utf8)
    for place in digits.indices {
      for byte in UInt8.min...UInt8.max {
        var other = digits
        other[place] = byte
        let isDigit = (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
        #expect(
          SHA256Digest(lowercaseHex: other[...])?.hex
            == (isDigit ? String(decoding: other, as: UTF8.self) : nil))
      }
    }
  }

  @Test func constantTimeEqualityLooksAtEveryByte() throws {
    let bytes = [UInt8](0..<32)
    let digest = try #require(SHA256Digest(bytes: bytes))
    #expect(constantTimeEqual(digest, digest))
    #expect(constantTimeEqual(bytes, bytes))
    #expect(constantTimeEqual([UInt8](), []))
    #expect(!constantTimeEqual(bytes, Array(bytes.dropLast())))
    for place in 0..<32 {
      var other = bytes
      other[place] ^= 0x80
      #expect(!constantTimeEqual(bytes, other))
      #expect(!constantTimeEqual(digest, try #require(SHA256Digest(bytes: other))))
    }
  }
}

@Suite struct HMACSHA256Tests {
  @Test(arguments: HMACKeyTests.published)
  func theVectorsOfRFC4231(key: [UInt8], message: [UInt8], mac: String) {
    #expect(HMACSHA256.authenticate(message, key: key).hex == mac)
  }

  /// Computed with Python's hmac module.
  @Test func anEmptyKeyIsAKeyAndNotTheOneBefore() {
    let empty = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
    #expect(HMACSHA256.authenticate([], key: [1, 2, 3]).hex != empty)
    #expect(HMACSHA256.authenticate([], key: [UInt8]()).hex == empty)
  }

  @Test func aDigestMayBeTheKey() {
    let key = SHA256.digest(Array("key".utf8))
    let message = Array("message".utf8)
    #expect(HMACSHA256.authenticate(message, key: key) == HMACSHA256.authenticate(message, key: key.bytes))
  }
}
