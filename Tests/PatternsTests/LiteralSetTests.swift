import Primitives
import Testing

@testable import Patterns

@Suite struct LiteralSetTests {
  /// Texts one behind the other, and where each stands.
  private func pool(_ texts: [String]) -> ([UInt8], [ByteSlice]) {
    var bytes: [UInt8] = []
    let places = texts.map { text -> ByteSlice in
      let start = bytes.count
      bytes += text.utf8
      return ByteSlice(start..<bytes.count)
    }
    return (bytes, places)
  }

  private func contains(_ set: LiteralSet, _ text: String) -> Bool { set.contains(Array(text.utf8).span) }

  @Test func wholeTextsAreFoundAndNothingElse() {
    let texts = (0..<10_000).map { "value-\($0 * 7)" } + ["", "ü", "a b"]
    let (bytes, places) = pool(texts)
    let set = LiteralSet(bytes, places)
    #expect(set.count == texts.count)
    for text in texts { #expect(contains(set, text)) }
    for text in ["value-1", "value", "value-70000", "Value-7", "a", "u", " "] {
      #expect(!contains(set, text), "\(text)")
    }
    #expect(!contains(LiteralSet([], []), "a"))
  }

  @Test(
    arguments: [
      (["bad"], "a bad word", "bad"), (["bad"], "a Bad word", nil), (["bad"], "ba", nil), (["bad"], "", nil),
      (["x"], "abx", "x"), (["x", "xyz"], "axyz", "x"), (["abc", "abd"], "ababd", "abd"),
      (["abcd", "bc"], "abcx", "bc"), (["ü"], "über", "ü"), ([""], "a", nil), (["aab"], "aaab", "aab"),
      (["end"], "the end", "end"), (["n"], "the end", "n"),
    ] as [([String], String, String?)])
  func oneThatStandsSomewhereIsFound(_ texts: [String], _ value: String, _ found: String?) {
    let (bytes, places) = pool(texts)
    let result = LiteralOccurrences(bytes, places).first(in: Array(value.utf8).span)
    #expect(result == found.map { Text($0) })
  }

  /// Against the plainest search, on texts of few letters so that much of it overlaps.
  @Test func madeUpTextsAreFoundAsByLookingForEach() {
    var state: UInt64 = 88_172_645_463_325_252
    func random(_ below: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(below))
    }
    func word(_ longest: Int) -> String {
      String((0..<1 + random(longest)).map { _ in ["a", "b", "c"][random(3)] }.joined())
    }
    for _ in 0..<3000 {
      let texts = (0..<1 + random(8)).map { _ in word(5) }
      let value = word(12)
      let (bytes, places) = pool(texts)
      let found = LiteralOccurrences(bytes, places).first(in: Array(value.utf8).span)
      let contains = texts.contains { text in
        let (needle, hay) = (Array(text.utf8), Array(value.utf8))
        guard needle.count <= hay.count else { return false }
        return (0...hay.count - needle.count).contains { Array(hay[$0..<$0 + needle.count]) == needle }
      }
      #expect((found != nil) == contains, "\(texts) in \(value)")
    }
  }
}
