import StrictJSON
import Testing

@Suite struct LocatedJSONTests {
  static let sample = """
    {
      "listeners": [
        { "address": "127.0.0.1:8080" }, 17
      ],
      "näme": "é漢😀", "next": true,
      "": null,\t"real": -1.5e3
    }
    """

  @Test func everyValueAndKeyHasItsPlace() throws {
    let root = try parseLocated(Array(Self.sample.utf8))
    #expect(root.position == SourcePosition(line: 1, column: 1))
    let members = try #require(root.object)
    #expect(members.map(\.key) == ["listeners", "näme", "next", "", "real"])
    #expect(
      members.map(\.keyPosition) == [
        .init(line: 2, column: 3), .init(line: 5, column: 3), .init(line: 5, column: 18),
        .init(line: 6, column: 3), .init(line: 6, column: 13),
      ])
    #expect(
      members.map(\.value.position) == [
        .init(line: 2, column: 16), .init(line: 5, column: 11), .init(line: 5, column: 26),
        .init(line: 6, column: 7), .init(line: 6, column: 21),
      ])
    let listener = try #require(root["listeners"]?.array?.first)
    #expect(listener.position == SourcePosition(line: 3, column: 5))
    #expect(listener["address"]?.position == SourcePosition(line: 3, column: 18))
    #expect(root["listeners"]?.array?.last?.position == SourcePosition(line: 3, column: 38))
  }

  @Test func valuesAreJanssons() throws {
    let root = try parseLocated(Array(Self.sample.utf8))
    #expect(root["näme"]?.string == "é漢😀")
    #expect(root["next"]?.boolean == true)
    #expect(root[""]?.isNull == true)
    #expect(root["real"]?.real == -1500)
    #expect(root["listeners"]?.array?.last?.integer == 17)
    #expect(root["listeners"]?.array?.last?.real == 17)
    #expect(root["absent"] == nil)
    // Another key to a byte comparison, the same one to `String ==`.
    #expect(root["na\u{308}me"] == nil)
    #expect(root["next"]?["x"] == nil)
  }

  @Test(arguments: [
    ("", 1, 1, "empty text"),
    ("\u{FEFF}{}", 1, 1, "the text begins with a UTF-8 byte order mark; save it without one"),
    ("{\n  \"a\": 1,\n  \"a\": 2\n}", 3, 3, "duplicate key \"a\""),
    ("{\n  \"a\": 1,\n}", 3, 1, "expected a key in double quotes, found `}` (no comma after the last one)"),
    ("{\"a\": 1 \"b\": 2}", 1, 9, "expected `,` or `}`, found `\"`"),
    ("{\r\n\t\"é\": tru}", 2, 10, "expected `true`, found `}`"),
    ("// tenants\n{}", 1, 1, "expected a value, found `/` (JSON has no comments)"),
    ("{'a': 1}", 1, 2, "expected a key in double quotes, found `'` (strings stand in double quotes)"),
    ("{\"a\": \"b\nc\"}", 1, 9, "control byte 0x0A in a string; write it as an escape"),
    ("{\"a\": [1, 2}", 1, 12, "expected `,` or `]`, found `}`"),
    ("{\"a\": 1", 1, 8, "unexpected end of text, expected `,` or `}`"),
    ("{\"a\": \"b}", 1, 7, "string without closing quote"),
    ("{} {}", 1, 4, "expected the end after the value, found `{`"),
    ("{\"a\": 007}", 1, 7, "number with a leading zero"),
    ("{\"a\": 99999999999999999999}", 1, 7, "number too large"),
    ("{\"a\": \"\\x\"}", 1, 8, "unknown escape in a string"),
  ])
  func aSyntaxErrorSaysWhereAndWhat(_ text: String, _ line: Int, _ column: Int, _ message: String) {
    let error = #expect(throws: LocatedSyntaxError.self) { try parseLocated(Array(text.utf8)) }
    #expect(error?.position == SourcePosition(line: line, column: column))
    #expect(error?.message == message)
  }

  @Test(arguments: ["{\"b\":[1,-2.5,true,null,\"x\\n\"],\"a\":{}}", "[]", "\"é\"", "0"])
  func whatIsReadIsWrittenBack(_ text: String) throws {
    var writer = JSONWriter()
    try parseLocated(Array(text.utf8)).write(to: &writer)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
  }
}
