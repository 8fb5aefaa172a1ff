import Primitives
import Testing

@testable import PolicyEngine

@Suite struct UnicodeRuleTests {
  /// UTS #39 section 5.1: its own examples, and the mixed writing systems that it names.
  @Test(arguments: [
    ("Circle", true),
    ("\u{421}\u{456}\u{433}\u{441}\u{4C0}\u{435}", true),  // all Cyrillic
    ("\u{421}ir\u{441}l\u{435}", false),  // Cyrillic С, с and е among Latin
    ("\u{421}irc1e", false),  // a Cyrillic С
    ("Circ1e", true),
    ("C\u{1D5C2}\u{1D5CB}\u{1D5BC}\u{1D5C5}\u{1D5BE}", true),  // mathematical letters are Common
    ("\u{1D5A2}\u{1D5C2}\u{1D5CB}\u{1D5BC}\u{1D5C5}\u{1D5BE}", true),
    ("\u{3006}\u{5207}", true),  // 〆切
    ("\u{306D}\u{30AC}", true),  // ねガ
    ("\u{6771}\u{4EAC}\u{30BF}\u{30EF}\u{30FC}", true),  // Han and Katakana
    ("\u{D55C}\u{6F22}", true),  // Hangul and Han
    ("\u{6F22}\u{3107}", true),  // Han and Bopomofo
    ("\u{D55C}\u{3042}", false),  // Hangul and Hiragana
    ("\u{3107}\u{3042}", false),  // Bopomofo and Hiragana
    ("Tokyo\u{6771}", false),  // Latin and Han
    ("\u{391}lpha", false),  // Greek and Latin
    ("\u{531}\u{532}", true),  // Armenian
    ("1234 -_.,!", true),
    ("", true),
    ("e\u{301}", true),  // the mark inherits
    ("\u{43E}\u{301}", true),
    ("a\u{1CD0}", false),  // a Vedic mark belongs to Indic scripts
    ("\u{915}\u{1CD0}", true),
    ("\u{1F600} smile", true),
    ("Bj\u{F6}rk Gu\u{F0}mundsd\u{F3}ttir", true),
    ("\u{0661}\u{0627}", true),  // Arabic-Indic digit with Arabic
    ("\u{0661}a", false),  // and with Latin
    ("a\u{E0001}", true),  // Common
    // Invisible characters belong to every script: `forbidden` is what finds them.
    ("a\u{200B}b", true), ("a\u{200D}b", true), ("\u{915}\u{94D}\u{200C}\u{937}", true),
    ("a\u{2060}\u{FEFF}", true),
    ("a\u{200B}\u{431}", false),  // and hide no second one
    // Composed and decomposed text is of the same scripts.
    ("\u{439}", true), ("\u{438}\u{306}", true), ("i\u{306}\u{438}", false), ("\u{AC00}", true),
    ("\u{1100}\u{1161}", true), ("\u{FF41}b", true), ("\u{FF76}\u{FF9E}\u{6F22}", true),
    ("a\u{378}", false),  // unassigned
    ("\u{10FFFF}", true),
  ])
  func singleScript(_ text: String, _ isSingle: Bool) {
    #expect(
      Text(text).isSingleScript == isSingle, "\(text.unicodeScalars.map { String($0.value, radix: 16) })")
  }

  /// The property's 25 code points, from PropList.txt of Unicode 14.
  @Test func whiteSpaceIsTheUnicodeProperty() {
    let white: [ClosedRange<UInt32>] = [
      0x9...0xD, 0x20...0x20, 0x85...0x85, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
      0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000,
    ]
    // All of the property lies below U+3001.
    for value in 0...0x3100 as ClosedRange<UInt32> {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let isWhite = white.contains { $0.contains(value) }
      let text = String(Character(scalar))
      guard Text("x" + text).isTrimmed != isWhite, Text(text + "x").isTrimmed != isWhite else {
        Issue.record("U+\(String(value, radix: 16))")
        return
      }
    }
    #expect(Text("").isTrimmed)
    #expect(!Text(" ").isTrimmed)
  }

  @Test(arguments: [
    ("Owner", "owner", true), ("Owner", "Owner", false), ("Owner", "Owners", false),
    ("Owner", "0wner", false),
    ("stra\u{DF}e", "STRASSE", true), ("\u{3A3}\u{3A3}", "\u{3C3}\u{3C2}", true), ("k", "\u{212A}", true),
    ("\u{212A}", "k", true), ("\u{E9}", "\u{C9}", true), ("\u{E9}", "e\u{301}", false),
    ("\u{E9}", "E\u{301}", false), ("i", "\u{130}", false), ("@", "`", false), ("[", "{", false),
    ("", "", false),
  ])
  func keysThatDifferOnlyInCase(_ one: String, _ other: String, _ isCase: Bool) {
    #expect(FoldedKey(Text(one)).differsOnlyInCase(from: Text(other)) == isCase)
  }

  @Test func messagesShowShortOneLineValues() {
    #expect(MessageText.shown("a\u{0}b\nc\u{202E}d") == "a\u{FFFD}b\u{FFFD}c\u{FFFD}d")
    #expect(MessageText.shown(Text(repeated("x", 64))) == repeated("x", 64))
    #expect(MessageText.shown(Text(repeated("x", 65))) == repeated("x", 63) + "\u{2026}")
    #expect(
      MessageText.list((1...10).map(String.init)) == "`1`, `2`, `3`, `4`, `5`, `6`, `7`, `8` and 2 more")
  }
}

extension Text {
  fileprivate var isTrimmed: Bool { utf8.span.isTrimmed }
  fileprivate var isSingleScript: Bool { utf8.span.isSingleScript }
}
