internal import Patterns
internal import Primitives

/// Globs of which one must match. Mostly none does, so the byte that a match begins with is looked at first.
struct GlobList: Sendable {
  let globs: [Glob]
  /// One a glob; 0 for those that begin with a wildcard, and for the empty one.
  private let firstBytes: [UInt8]

  init(_ globs: [Glob]) {
    self.globs = globs
    firstBytes = globs.map { glob in
      switch glob.source.utf8.first {
      case UInt8(ascii: "*"), UInt8(ascii: "?"), nil: 0
      case let byte?: byte
      }
    }
  }

  var isEmpty: Bool { globs.isEmpty }

  func matches(_ text: Text) -> Bool {
    let first = text.utf8.first ?? 0
    for index in firstBytes.indices where firstBytes[index] == 0 || firstBytes[index] == first {
      if globs[index].matches(text) { return true }
    }
    return false
  }
}
