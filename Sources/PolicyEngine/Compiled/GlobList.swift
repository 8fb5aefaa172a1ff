internal import Patterns
internal import Primitives

/// Globs of which one must match. Mostly none does, so the byte that a match begins with is looked at first.
final class GlobList: Sendable {
  let globs: [Glob]
  /// For each byte whether a glob begins with it; all, when one begins with a wildcard or is empty.
  private let firstBytes: ByteSet
  /// One a glob; 0 for those that begin with a wildcard, and for the empty one.
  private let firstByteOfEach: [UInt8]

  init(_ globs: [Glob]) {
    self.globs = globs
    let firsts = globs.map { glob -> UInt8 in
      // A literal `*` of a template is taken for a wildcard here, which only costs a look at the glob.
      switch glob.source.utf8.first {
      case UInt8(ascii: "*"), UInt8(ascii: "?"), nil: 0
      case let byte?: byte
      }
    }
    firstByteOfEach = firsts
    var set = ByteSet()
    for byte in firsts {
      if byte == 0 { set = .all } else { set.insert(byte) }
    }
    firstBytes = set
  }

  var isEmpty: Bool { globs.isEmpty }

  func matches(_ text: Text) -> Bool { matches(text.utf8.span) }

  func matches(_ text: Span<UInt8>) -> Bool {
    let first = text.isEmpty ? 0 : text[0]
    guard firstBytes.contains(first) else { return false }
    for index in firstByteOfEach.indices where firstByteOfEach[index] == 0 || firstByteOfEach[index] == first
    {
      if globs[index].matches(text) { return true }
    }
    return false
  }
}
