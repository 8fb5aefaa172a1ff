import Primitives
import Testing

@Suite("A query")
struct CanonicalQueryTests {
  private func canonical(_ raw: String) throws(QueryViolation) -> String {
    String(decoding: try CanonicalQuery(parsing: Array(raw.utf8)).encoded, as: UTF8.self)
  }

  // The last four are AWS's published vectors get-vanilla-query-order-encoded, -order-key-case,
  // -order-value and the duplicate-name vector of botocore's suite.
  @Test(
    "is written anew in canonical form",
    arguments: [
      ("", ""), ("a", "a="), ("a=", "a="), ("b=2&a=1", "a=1&b=2"), ("a=b&a=B", "a=B&a=b"),
      ("a=%41%7e~", "a=A~~"), ("a=%3a", "a=%3A"), ("a=%2541", "a=%2541"), ("%61=1", "a=1"),
      ("arn=arn:aws:chime::1:a/b", "arn=arn%3Aaws%3Achime%3A%3A1%3Aa%2Fb"),
      ("a=!$'()*,:@/?", "a=%21%24%27%28%29%2A%2C%3A%40%2F%3F"), ("a=%20%2B%3B%26%3D", "a=%20%2B%3B%26%3D"),
      ("a-b=1&a=2&a%20=3", "a=2&a%20=3&a-b=1"),
      ("Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "%E1%88%B4=Value1&Param=Value2&Param-3=Value3"),
      ("Param2=value2&Param1=value1", "Param1=value1&Param2=value2"),
      ("Param1=value2&Param1=value1", "Param1=value1&Param1=value2"),
      ("Param1=value2&Param1=Value1", "Param1=Value1&Param1=value2"),
    ])
  func canonicalForm(raw: String, expected: String) throws {
    #expect(try canonical(raw) == expected)
  }

  @Test("gives its pairs decoded, in canonical order")
  func pairs() throws {
    let query = try CanonicalQuery(parsing: Array("b=%E5%B1%B1&a".utf8))
    #expect(query.pairs.map(\.name) == ["a", "b"])
    #expect(query.pairs.map(\.value) == ["", "山"])
  }

  @Test("is its own canonical form once written")
  func isStable() throws {
    for raw in ["b=2&a=%7e", "a=:/?&b", "x=%25&x=%2525"] {
      let once = try canonical(raw)
      #expect(try canonical(once) == once)
    }
  }

  @Test(
    "that readers take differently is refused",
    arguments: [
      ("a=1+2", .unexpectedCharacter(UInt8(ascii: "+"))),
      ("a=1;b=2", .unexpectedCharacter(UInt8(ascii: ";"))),
      ("a=b=c", .unexpectedCharacter(UInt8(ascii: "="))),
      ("a=b c", .unexpectedCharacter(UInt8(ascii: " "))),
      ("a=#", .unexpectedCharacter(UInt8(ascii: "#"))),
      ("a=[1]", .unexpectedCharacter(UInt8(ascii: "["))),
      ("a=é", .unexpectedCharacter(0xC3)),
      ("a=1&&b=2", .emptyPair), ("&a=1", .emptyPair), ("a=1&", .emptyPair), ("&", .emptyPair),
      ("=1", .emptyName), ("a=1&=2", .emptyName),
      ("a=%", .malformedPercentEncoding), ("a=%4", .malformedPercentEncoding),
      ("a=%4&b=1", .malformedPercentEncoding), ("a=%zz", .malformedPercentEncoding),
      ("a%=1", .malformedPercentEncoding),
      ("a=%FF", .notText), ("%C3=1", .notText), ("a=%00", .notText), ("a=%ED%A0%80", .notText),
    ] as [(String, QueryViolation)])
  func refused(raw: String, violation: QueryViolation) {
    #expect(throws: violation) { try canonical(raw) }
  }
}
