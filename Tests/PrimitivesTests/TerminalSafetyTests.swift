import Primitives
import Testing

@Suite struct TerminalSafetyTests {
  /// Every character that the interface names.
  static let controls: [UInt32] =
    Array(0..<0x09) + Array(0x0B..<0x20) + Array(0x7F...0x9F) + [0x061C, 0x200E, 0x200F]
    + Array(0x2028...0x202E) + Array(0x2066...0x2069)

  private func safe(_ text: String, _ form: TerminalSafety.Form) -> String {
    String(decoding: TerminalSafety.safe(Array(text.utf8), as: form), as: UTF8.self)
  }

  @Test func noControlIsLetThrough() throws {
    for value in Self.controls {
      let scalar = try #require(Unicode.Scalar(value))
      let digits = String(value, radix: 16)
      let escape = "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      let text = "a\(Character(scalar))b\(Character(scalar))"
      #expect(safe(text, .text) == "a\u{FFFD}b\u{FFFD}", "U+\(digits)")
      #expect(safe(text, .csv) == "a\(escape)b\(escape)", "U+\(digits)")
      // Strict JSON has C0 controls as white space only.
      #expect(safe(text, .json) == (value < 0x20 ? "a b " : "a\(escape)b\(escape)"), "U+\(digits)")
    }
  }

  @Test(arguments: [
    "", "plain", "tab\tand\nline feed", "Zo\u{EB} \u{4F60}\u{597D} \u{1F600} \u{FFFD}",
    "\u{A0}\u{2010}\u{2060}\u{200D}",
  ])
  func whatIsOnlyShownStays(text: String) {
    for form in [TerminalSafety.Form.text, .json, .csv] { #expect(safe(text, form) == text) }
  }

  @Test func bytesThatAreNoUTF8AreShownAsSuch() {
    // The second is CSI in an 8-bit terminal; the last two are cut short.
    for bytes: [UInt8] in [[0xFF], [0x9B], [0xC0, 0x9B], [0xED, 0xA0, 0x80], [0xE2, 0x80], [0xF0, 0x9F]] {
      let text = TerminalSafety.safe([0x61] + bytes + [0x0A], as: .text)
      #expect(text == Array(("a" + String(repeating: "\u{FFFD}", count: bytes.count) + "\n").utf8))
      let json = TerminalSafety.safe([0x61] + bytes + [0x0A], as: .json)
      #expect(json == Array(("a" + String(repeating: "\\ufffd", count: bytes.count) + "\n").utf8))
    }
  }

  @Test func linesOfCSVEndAsTheyDo() {
    #expect(safe("a,b\r\nc\r,\"d\r\n\"\r\n", .csv) == "a,b\r\nc\\u000d,\"d\r\n\"\r\n")
    #expect(safe("\r", .csv) == "\\u000d")
  }

  @Test func jsonStaysTheSameJSON() {
    #expect(safe("{\"a\":\r\"\u{202E}\u{9B}\u{7F}\"}", .json) == "{\"a\": \"\\u202e\\u009b\\u007f\"}")
  }
}
