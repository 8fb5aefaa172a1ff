package import Primitives

package enum MatchResult: Sendable, Hashable {
  case matched, unmatched
  /// The match ran into its bound; callers treat it as a violation, never as a pass.
  case exceededBound
}

package struct PatternError: Error, Hashable {
  /// Offset into the pattern, in bytes.
  package let offset: Int
  package let message: String
}

/// A compiled PCRE2 regular expression in UTF mode, JIT-compiled, with bounded matching. Shared between threads.
package final class Pattern: Sendable {
  package let source: String

  package init(_ source: String) throws(PatternError) {
    self.source = source
    throw PatternError(offset: 0, message: "interface only")
  }

  /// Whether the whole of `text` matches.
  package func matchesWhole(_ text: Text) -> MatchResult { .exceededBound }
  /// Whether the pattern occurs anywhere in `text`.
  package func occurs(in text: Text) -> MatchResult { .exceededBound }
}

/// A glob: `*` any run, `?` one Unicode scalar, all else literal. Whole-value match.
package struct Glob: Sendable, Hashable {
  package let source: Text
  package init(_ source: Text) { self.source = source }
  package func matches(_ text: Text) -> Bool { false }
  /// Whether some text matches both.
  package func overlaps(_ other: Glob) -> Bool { false }
}
