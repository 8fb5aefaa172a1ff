import ChimeIdentity
import Primitives
import StrictJSON
import Testing

@testable import PolicyEngine

/// Requests at the edges of what the service model allows, and beyond.
@Suite struct HostileInputTests {
  private static let fifty = (0..<50).map { number in
    (repeated("\u{10FFFD}", 126) + (number < 10 ? "0\(number)" : "\(number)"), repeated("\u{10FFFD}", 256))
  }

  @Test func fiftyTagsOfTheLargestSizeAreHeldToTheRules() throws {
    #expect(Self.fifty.allSatisfy { $0.0.unicodeScalars.count == 128 && $0.1.unicodeScalars.count == 256 })
    let body = createBody(tags: Self.fifty)
    #expect(body.utf8.count > 50 * 384 * 4 - 50 * 2 * 3)
    #expect(
      try decide([policy(#""tags":{"maxCount":50,"forbiddenKeys":["*x*y*z*"]}"#)], body).violations == [])
    #expect(
      try decide([policy(#""tags":{"maxCount":49}"#)], body).violations == ["tags.maxCount Tags"])
    #expect(try decide([policy(#""tags":{"allowedKeys":["*49"]}"#)], body).violations.count == 49)
    // One more is policy's to refuse, before the service does.
    #expect(
      try decide([policy(#""tags":{"set":{"Owner":"x"}}"#)], body).violations == ["tags.maxCount Tags"])
  }

  @Test func fiftyTagsThatDifferOnlyInCaseFromARequiredOneAreEachRefused() throws {
    let key = "abcdefghij"
    let tags = (1...50).map { number in
      (
        String(
          key.enumerated().map { index, letter in
            Character(number >> index & 1 == 1 ? letter.uppercased() : "\(letter)")
          }), "v"
      )
    }
    let outcome = try decide([policy(#""tags":{"required":[{"key":"\#(key)"}]}"#)], createBody(tags: tags))
    #expect(Set(outcome.violations.map { String($0.prefix(12)) }) == ["tags.keyCase"])
    #expect(outcome.violations.count == 50)
  }

  @Test(arguments: [("[", "", "]"), (#"{"a":"#, "1", "}")])
  func deepJSONInMetadataIsRefusedAtTheBound(_ open: String, _ inner: String, _ close: String) throws {
    let rules = [policy(#""metadata":{"format":"json"}"#)]
    func violations(at depth: Int) throws -> [String] {
      try decide(rules, createBody(metadata: repeated(open, depth) + inner + repeated(close, depth)))
        .violations
    }
    #expect(try violations(at: JSONDocument.maximumDepth) == [])
    #expect(try violations(at: JSONDocument.maximumDepth + 1) == ["metadata.format Metadata"])
  }

  @Test func deepOrLargeBodiesAreReadWithinTheirBounds() throws {
    let deep = repeated("[", 100_000)
    #expect(throws: JSONSyntaxError.self) { try JSONDocument(parsing: Array(deep.utf8)) }
    #expect(throws: JSONSyntaxError.self) {
      try JSONDocument(parsing: Array((repeated(#"{"a":"#, 50_000) + "1" + repeated("}", 50_000)).utf8))
    }
    // 256 KiB of white space, which is no reason to refuse, and of one string, which the model refuses.
    let wide = createBody().replacing("{", with: "{" + repeated(" ", 256 * 1024), maxReplacements: 1)
    #expect(try decide([policy(#""name":{"trimmed":true}"#)], wide).decision.isAllowed)
    #expect(throws: (any Error).self) { _ = try request(createBody(name: repeated("x", 256 * 1024))) }
    #expect(throws: (any Error).self) { _ = try request(createBody(metadata: repeated("x", 256 * 1024))) }
  }

  /// RFC 8259 section 8.2 leaves them open; no text holds them, so none gets past.
  @Test(arguments: [#"\ud800"#, #"\udc00"#, #"\ud83d\ud83d"#, #"\udc00\ud800"#, #"x\uDBFFx"#])
  func loneSurrogatesAreNoText(_ escape: String) {
    let body = createBody(name: "NAME").replacing("NAME", with: escape)
    #expect(throws: (any Error).self) { _ = try request(body) }
  }

  /// RFC 3629 section 3 and Unicode table 3-7: forms that decode to what shorter ones say, surrogates, beyond U+10FFFF.
  @Test(
    arguments: [
      [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0xAF], [0xE0, 0x9F, 0xBF], [0xF0, 0x80, 0x80, 0xAF],
      [0xF0, 0x8F, 0xBF, 0xBF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
      [0xF8, 0x88],
      [0x80], [0xC3], [0xFF],
    ] as [[UInt8]])
  func badUTF8IsNoText(_ bytes: [UInt8]) {
    let parts = createBody(name: "NAME").split(separator: "NAME")
    let body = Array(parts[0].utf8) + bytes + Array(parts[1].utf8)
    #expect(throws: JSONSyntaxError.self) { try JSONDocument(parsing: body) }
  }

  private static let invisible: [Unicode.Scalar] = [
    "\u{200B}", "\u{200C}", "\u{200D}", "\u{200E}", "\u{200F}", "\u{202A}", "\u{202B}", "\u{202C}",
    "\u{202D}",
    "\u{202E}", "\u{2060}", "\u{2066}", "\u{2067}", "\u{2068}", "\u{2069}", "\u{FEFF}", "\u{AD}",
  ]

  /// Format characters are no white space and of no script: what refuses them is the pattern that the packs have.
  @Test func invisibleCharactersAreRefusedByThePatternOfThePacks() throws {
    let looks = [policy(#""name":{"trimmed":true,"singleScript":true}"#)]
    let pattern = [policy(#""name":{"forbidden":["[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]"]}"#)]
    for scalar in Self.invisible {
      let name = "Al\(scalar)ice"
      #expect(try decide(looks, createBody(name: name)).violations == [], "\(scalar.value)")
      let outcome = try decide(pattern, createBody(name: name))
      #expect(outcome.violations == ["name.forbidden Name"], "\(scalar.value)")
      // And none gets into a message raw.
      let key = try decide([policy(#""tags":{"allowedKeys":[]}"#)], createBody(tags: [("k\(scalar)", "v")]))
      #expect(key.decision.violations.allSatisfy { !$0.field.unicodeScalars.contains(scalar) })
    }
  }
}
