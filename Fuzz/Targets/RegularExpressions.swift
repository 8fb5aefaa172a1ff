internal import Patterns
internal import Primitives

/// A pattern on the first line, a text behind it. The shortcuts for simple patterns and for several patterns at once must
/// say what PCRE2 says of the pattern in a group, which takes none of them.
func checkPattern(_ bytes: [UInt8]) throws(Disagreement) {
  let parts = bytes.prefix(200).split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
  guard parts.count == 2, let source = Text(validating: parts[0])?.string,
    let text = Text(validating: parts[1]),
    // Verbs stand at the very beginning or not at all; comments and quotations may reach beyond a group's end.
    !source.contains("(*"), !source.contains("(?"), !source.contains("\\Q"), !source.contains("\\K"),
    let pattern = try? Pattern(source), let plain = try? Pattern("(?:\(source))(?:)")
  else { return }
  let (verdict, expected) = (pattern.matchesWhole(text), plain.matchesWhole(text))
  guard verdict != .exceededBound, expected != .exceededBound else { return }
  try expect(verdict == expected, "`\(source)` and `\(text)`: \(verdict), by PCRE2 \(expected)")
  let together = WholeMatches([pattern, pattern, plain]).surelyMatch(text.utf8.span)
  try expect(
    together == (expected == .matched), "`\(source)` and `\(text)`: \(expected), together \(together)")
  if expected == .matched {
    try expect(
      pattern.occurs(in: text) != .unmatched, "`\(source)` matches `\(text)` and does not occur in it")
  }
}
