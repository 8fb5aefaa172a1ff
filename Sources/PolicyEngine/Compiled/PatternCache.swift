internal import Patterns
internal import Primitives
internal import Synchronization

/// Patterns made into one, for all tenants of a set: the policies that match them are mostly the same, and compiling
/// takes milliseconds.
final class PatternCache: Sendable {
  /// More sets of policies that match together than a folder sensibly has; others go without.
  private static let most = 256

  private let known = Mutex<[[Text]: WholeMatches]>([:])

  func wholeMatches(of patterns: [Pattern]) -> WholeMatches {
    guard patterns.count > 1 else { return WholeMatches(patterns) }
    let sources = patterns.map { Text($0.source) }
    return known.withLock { known in
      if let made = known[sources] { return made }
      let made = WholeMatches(patterns)
      if known.count < Self.most { known[sources] = made }
      return made
    }
  }
}

extension [Pattern] {
  /// One of each source; policies are compiled without options, so the source is all there is.
  var uniqueSources: [Pattern] {
    var seen: Set<Text> = []
    return filter { seen.insert(Text($0.source)).inserted }
  }
}
