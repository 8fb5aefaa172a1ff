import Foundation
import Primitives
import TestSupport
import Testing

@Suite struct CodingTests {
  /// RFC 4648 section 10.
  @Test(arguments: [
    ("", "", ""), ("f", "Zg==", "66"), ("fo", "Zm8=", "666f"), ("foo", "Zm9v", "666f6f"),
    ("foob", "Zm9vYg==", "666f6f62"), ("fooba", "Zm9vYmE=", "666f6f6261"),
    ("foobar", "Zm9vYmFy", "666f6f626172"),
  ])
  func theVectorsOfRFC4648(_ text: String, _ base64: String, _ hex: String) {
    let bytes = Array(text.utf8)
    #expect(Base64.encode(bytes) == base64)
    #expect(Base64.decode(Array(base64.utf8)) == bytes)
    #expect(Hex.encode(bytes) == hex)
    #expect(Hex.decode(Array(hex.utf8)) == bytes)
    #expect(Hex.decode(Array(hex.uppercased().utf8)) == bytes)
  }

  @Test func base64IsFoundations() {
    var generator = SeededGenerator(seed: 3)
    for count in 0..<300 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      let expected = Data(bytes).base64EncodedString()
      #expect(Base64.encode(bytes) == expected)
      #expect(Base64.decode(Array(expected.utf8)) == bytes)
    }
  }

  @Test(arguments: [
    "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zh==", "Zm9=", "Zm8=Zm8=", "=Zg=", "Z=g=", "Zm9v\n", "Zm9v ",
    "Zm-_",
    "Zm9vYg==\n\n\n\n", "Zm9é",
  ])
  func whatIsNotCanonicalBase64IsRefused(_ text: String) {
    #expect(Base64.decode(Array(text.utf8)) == nil)
  }

  @Test(arguments: ["0", "0g", "g0", "0x", " 0", "00 ", "+1", "é"])
  func whatIsNotHexadecimalIsRefused(_ text: String) {
    #expect(Hex.decode(Array(text.utf8)) == nil)
  }

  @Test func everyByteIsPercentEncodedAsSigV4Does() {
    // "A" to "Z", "a" to "z", "0" to "9", "-", "." , "_" and "~" stay; the rest is `%` and upper-case digits.
    let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
    for byte in UInt8.min...UInt8.max {
      var out: [UInt8] = []
      PercentCoding.encode([byte], into: &out)
      let expected = unreserved.contains(byte) ? [byte] : Array(String(format: "%%%02X", byte).utf8)
      #expect(out == expected)
      #expect(PercentCoding.decode(out) == [byte])
      #expect(PercentCoding.isUnreserved(byte) == unreserved.contains(byte))
    }
    var path: [UInt8] = []
    PercentCoding.encode("/a b/é".utf8, keeping: UInt8(ascii: "/"), into: &path)
    #expect(path == Array("/a%20b/%C3%A9".utf8))
  }

  @Test func percentDecodingTakesBothCasesAndLeavesTheRest() {
    #expect(PercentCoding.decode("a%2Fb%2f+%25".utf8) == Array("a/b/+%".utf8))
    for broken in ["%", "%4", "a%", "%zz", "%4g", "%%41", "% 41", "%+1"] {
      #expect(PercentCoding.decode(broken.utf8) == nil, "\(broken)")
    }
  }

  @Test func numbersAreWrittenInDecimal() {
    for value in [0, 1, 9, 10, -1, -10, 1_234_567_890, .max, .min] {
      var out = Array("x".utf8)
      out.append(decimal: value)
      #expect(out == Array("x\(value)".utf8))
    }
    for (value, width, expected) in [
      (0, 2, "00"), (7, 3, "007"), (123, 2, "123"), (99, 2, "99"), (0, 0, "0"),
    ] {
      var out: [UInt8] = []
      out.append(decimal: value, width: width)
      #expect(out == Array(expected.utf8))
    }
    var out: [UInt8] = []
    out.append(decimal: UInt.max)
    out.append(" literal ")
    out.append(string: "é")
    out.append(text: "漢")
    out.append(hex: [0x00, 0xAB, 0xFF])
    #expect(out == Array("18446744073709551615 literal é漢00abff".utf8))
  }
}
