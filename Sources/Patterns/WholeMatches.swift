internal import CPCRE2
internal import Primitives

/// Patterns all of which must match the whole of a text, as few of them asked one by one as can be.
///
/// Most of what a match of a short text costs is the call, so patterns that stay what they are within a larger one are
/// made into one: `(?=(?:first)\z)(?=(?:second)\z)`.
package final class WholeMatches: Sendable {
  /// As many as one pattern may be made of: its bound is shared by them all.
  private static let mostTogether = 50

  private let together: [Conjunction]
  private let single: [Pattern]

  package init(_ patterns: [Pattern]) {
    let isCombinable = patterns.map { $0.options.isEmpty && CombinableSource.admits($0.source) }
    let combinable = zip(patterns, isCombinable).filter(\.1).map(\.0)
    var together: [Conjunction] = []
    var single = zip(patterns, isCombinable).filter { !$0.1 }.map(\.0)
    for start in stride(from: 0, to: combinable.count, by: Self.mostTogether) {
      let some = combinable[start..<min(start + Self.mostTogether, combinable.count)]
      if some.count > 1, let conjunction = Conjunction(of: some.map(\.source)) {
        together.append(conjunction)
      } else {
        single += some
      }
    }
    self.together = together
    self.single = single
  }

  /// Whether every pattern surely matches the whole of `text`, each within its bound. `false` is no more than a doubt: the
  /// patterns themselves say which does not.
  package func surelyMatch(_ text: Span<UInt8>) -> Bool {
    for conjunction in together where !conjunction.surelyMatches(text) { return false }
    for pattern in single where pattern.matchesWhole(text) != .matched { return false }
    return true
  }
}

/// Several patterns as one that matches where all of them match the whole.
private final class Conjunction: Sendable {
  /// How many times fewer steps than a single pattern's it may take for each byte: seeing its end before it, a pattern
  /// can give up a last repetition at once which alone it would shorten byte by byte. So nothing passes here that would
  /// run into the bound by itself.
  private static let shareForEachByte = 84

  // As in Pattern: only read after init.
  private nonisolated(unsafe) let code: OpaquePointer

  /// `nil`: cannot be made, for which there may be reasons that only PCRE2 knows.
  init?(of sources: [String]) {
    let source = sources.map { "(?=(?:\($0))\\z)" }.joined()
    guard let code = try? Pattern.compile(source, Pattern.commonOptions | PCRE2_ANCHORED) else { return nil }
    self.code = code
  }

  deinit { pcre2_code_free_8(code) }

  func surelyMatches(_ text: Span<UInt8>) -> Bool {
    Pattern.match(code, text, startingPlaces: Self.shareForEachByte * (text.count + 1)) == .matched
  }
}

/// Patterns that mean the same inside of `(?:` and `)` among others: without references to groups, which would be
/// numbered anew, without names, verbs and comments, and without quotations that might not end.
enum CombinableSource {
  static func admits(_ source: String) -> Bool {
    let bytes = Array(source.utf8)
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\\"):
        guard index + 1 < bytes.count, admits(escape: bytes[index + 1]) else { return false }
        index += 2
      case UInt8(ascii: "("):
        guard let length = admittedOpening(bytes[index...]) else { return false }
        index += length
      default:
        index += 1
      }
    }
    return true
  }

  private static func admits(escape byte: UInt8) -> Bool {
    let isLetterOrDigit =
      (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte >= 0x80
    return !isLetterOrDigit || "dDwWsShHvVRbBpPXtnrfexAzZ".utf8.contains(byte)
  }

  /// The length of what opens a group that may be combined. Looking into classes of characters, where a parenthesis
  /// opens nothing, refuses a few more than it must.
  private static func admittedOpening(_ rest: ArraySlice<UInt8>) -> Int? {
    guard rest.dropFirst().first != UInt8(ascii: "*") else { return nil }
    guard rest.dropFirst().first == UInt8(ascii: "?") else { return 1 }
    let what = rest.dropFirst(2)
    for opening in [":", "=", "!", ">", "<=", "<!"] where what.starts(with: opening.utf8) {
      return 2 + opening.utf8.count
    }
    let flags = what.prefix { "ims-".utf8.contains($0) }
    guard !flags.isEmpty, let end = what.dropFirst(flags.count).first, ":)".utf8.contains(end) else {
      return nil
    }
    return 3 + flags.count
  }
}
