internal import Patterns
internal import Primitives

/// Globs of which no key may match one, whatever case it is written in: IAM's conditions do not tell cases apart, so a
/// key that differs from a forbidden one only in case is as good as it.
final class FoldedGlobList: Sendable {
  /// As they are written, for messages.
  let globs: [Glob]
  private let folded: GlobList
  private let written: GlobList

  init(_ globs: [Glob]) {
    self.globs = globs
    written = GlobList(globs)
    folded = GlobList(globs.map { Glob(FoldedKey.folded($0.source)) })
  }

  var isEmpty: Bool { globs.isEmpty }

  func matches(_ key: Text) -> Bool { matches(key.utf8.span) }

  func matches(_ key: Span<UInt8>) -> Bool {
    // Hardly any key begins as a forbidden one does, and only such need memory. What is not ASCII may fold to anything, but
    // not what stands before it.
    let byte = key.isEmpty ? 0 : FoldedKey.lowercased(key[0])
    if byte < 0x80, !folded.mayBegin(with: byte) { return false }
    let first = key.firstWord
    if first & 0x8080_8080_8080_8080 == 0,
      !folded.mayMatch(firstWord: FoldedKey.lowercased(first), isEmpty: key.isEmpty)
    {
      return false
    }
    return matchesInAnyCase(key)
  }

  @inline(never)
  private func matchesInAnyCase(_ key: Span<UInt8>) -> Bool {
    // Folding may change how many scalars there are, which a `?` counts.
    folded.matches(FoldedKey.folded(key).span) || (!key.isASCII && written.matches(key))
  }
}
