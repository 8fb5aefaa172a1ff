import Foundation
import Primitives
import Testing

@Suite struct TextTests {
  @Test func canonicallyEqualTextsAreTwo() {
    let composed: Text = "\u{E9}"
    let decomposed: Text = "e\u{301}"
    #expect(composed.string == decomposed.string)
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed, "\u{E9}"]).count == 2)
    #expect(decomposed < composed)
    #expect(!decomposed.hasPrefix(composed))
  }

  @Test func lengthIsInScalars() {
    #expect(("" as Text).scalarCount == 0)
    #expect(("e\u{301}" as Text).scalarCount == 2)
    #expect(("漢😀👨‍👩‍👧" as Text).scalarCount == 7)
    #expect(("" as Text).isEmpty)
    #expect(!("\u{200B}" as Text).isEmpty)
  }

  @Test func orderIsThatOfTheBytes() {
    let sorted: [Text] = ["", "A", "AB", "B", "a", "\u{7F}", "é", "漢", "\u{FFFF}", "😀"]
    #expect(sorted.shuffled().sorted() == sorted)
    #expect("a" + "é" as Text == "aé")
    #expect(("crm-alice" as Text).hasPrefix("crm-"))
    #expect(("crm" as Text).hasPrefix(""))
    #expect(!("crm" as Text).hasPrefix("crm-"))
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x61, 0xC3],
      [0xFF],
    ] as [[UInt8]])
  func whatIsNotUTF8IsRefused(_ bytes: [UInt8]) {
    #expect(Text(validating: bytes) == nil)
  }

  @Test func whatIsUTF8IsKeptByteForByte() {
    let bytes = Array("\u{FEFF}e\u{301}\0\r\n😀".utf8)
    #expect(Text(validating: bytes)?.utf8 == bytes)
    #expect(Text(uncheckedUTF8: bytes).description.utf8.elementsEqual(bytes))
  }
}

@Suite struct RequestIDTests {
  struct Fixed: Entropy {
    let value: UInt64
    func next() -> UInt64 { value }
  }

  @Test(arguments: [
    (0, "00000000-0000-4000-8000-000000000000"), (UInt64.max, "ffffffff-ffff-4fff-bfff-ffffffffffff"),
    (0x0123_4567_89AB_CDEF, "01234567-89ab-4def-8123-456789abcdef"),
  ])
  func isAUUIDOfVersion4(_ bits: UInt64, _ expected: String) {
    let id = RequestID(from: Fixed(value: bits))
    #expect(id.text.string == expected)
    var out = Array("id=".utf8)
    id.append(to: &out)
    #expect(out == Array("id=\(expected)".utf8))
    #expect(UUID(uuidString: expected) != nil)
  }
}
