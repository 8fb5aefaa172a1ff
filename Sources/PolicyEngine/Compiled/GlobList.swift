internal import Patterns
internal import Primitives

/// Globs of which one must match. Mostly none does, so what a match begins with is looked at first.
final class GlobList: Sendable {
  /// The first bytes of a glob, up to eight, that stand for themselves.
  private struct Lead: BitwiseCopyable {
    /// The first byte lowest.
    let bytes: UInt64
    let mask: UInt64

    init(_ glob: Glob) {
      // A literal `*` of a template is taken for a wildcard here, which only costs a look at the glob.
      let plain = glob.source.utf8.prefix(8).prefix { $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: "?") }
      bytes = plain.reversed().reduce(0) { $0 << 8 | UInt64($1) }
      mask = plain.count == 8 ? .max : 1 << UInt64(8 * plain.count) - 1
    }
  }

  let globs: [Glob]
  /// For each byte whether a glob begins with it; all, when one begins with a wildcard or is empty.
  private let firstBytes: ByteSet
  /// One a glob.
  private let leads: [Lead]

  init(_ globs: [Glob]) {
    self.globs = globs
    leads = globs.map(Lead.init)
    var set = ByteSet()
    for lead in leads {
      if lead.mask == 0 { set = .all } else { set.insert(UInt8(truncatingIfNeeded: lead.bytes)) }
    }
    firstBytes = set
  }

  var isEmpty: Bool { globs.isEmpty }

  func matches(_ text: Text) -> Bool { matches(text.utf8.span) }

  /// - Parameter byte: 0 for an empty text.
  @inline(__always)
  func mayBegin(with byte: UInt8) -> Bool { firstBytes.contains(byte) }

  /// Whether some glob may match a text that begins so.
  /// - Parameter first: its first eight bytes, the first lowest, with zeros behind them when there are fewer.
  func mayMatch(firstWord first: UInt64, isEmpty: Bool) -> Bool {
    guard firstBytes.contains(isEmpty ? 0 : UInt8(truncatingIfNeeded: first)) else { return false }
    for lead in leads where first & lead.mask == lead.bytes { return true }
    return false
  }

  func matches(_ text: Span<UInt8>) -> Bool {
    guard firstBytes.contains(text.isEmpty ? 0 : text[0]) else { return false }
    let first = text.firstWord
    for index in leads.indices where first & leads[index].mask == leads[index].bytes {
      if globs[index].matches(text) { return true }
    }
    return false
  }
}
