internal import Patterns
internal import Primitives

/// Two globs and a text, each on a line of its own.
func checkGlobs(_ bytes: [UInt8]) throws(Disagreement) {
  let lines = bytes.prefix(300).split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false)
  guard lines.count == 3, let left = Text(validating: lines[0]), let right = Text(validating: lines[1]),
    let text = Text(validating: lines[2])
  else { return }
  let (one, other) = (Glob(left), Glob(right))
  for (glob, source) in [(one, left), (other, right)] {
    let expected = matches(source, text)
    try expect(glob.matches(text) == expected, "`\(source)` and `\(text)`: by the definition \(expected)")
  }
  let meet = one.overlaps(other)
  try expect(
    meet == other.overlaps(one), "whether `\(left)` and `\(right)` overlap depends on which is first")
  try expect(
    meet || !one.matches(text) || !other.matches(text), "`\(left)` and `\(right)` have `\(text)` in common")
}

/// By the definition, over scalars: which lengths of the text the glob so far can match.
private func matches(_ glob: Text, _ text: Text) -> Bool {
  let scalars = Array(text.string.unicodeScalars)
  var reachable = [true] + Array(repeating: false, count: scalars.count)
  for part in glob.string.unicodeScalars {
    var next = Array(repeating: false, count: scalars.count + 1)
    for length in reachable.indices where reachable[length] {
      if part == "*" {
        for more in length...scalars.count { next[more] = true }
      } else if length < scalars.count, part == "?" || part == scalars[length] {
        next[length + 1] = true
      }
    }
    reachable = next
  }
  return reachable.last == true
}
