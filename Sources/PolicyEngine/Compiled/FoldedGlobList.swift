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
    guard !folded.isEmpty else { return false }
    // Folding may change how many scalars there are, which a `?` counts.
    guard key.isASCII else { return written.matches(key) || folded.matches(FoldedKey.folded(key).span) }
    // Hardly any key begins as a forbidden one does, and only such need memory.
    guard folded.mayMatch(firstWord: FoldedKey.lowercased(key.firstWord), isEmpty: key.isEmpty) else {
      return false
    }
    return folded.matches(FoldedKey.folded(key).span)
  }
}
