internal import CPCRE2
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
///
/// `\d`, `\w`, `\s`, `\b` and POSIX classes mean ASCII, as PCRE2 has it by default, so that an allow-list does not
/// admit more than its author sees; `\p{L}` and the like, and `(?i)`, know all of Unicode, and a pattern that begins
/// with `(*UCP)` makes the short classes do so too. `\C` (a single byte) is refused. Verbs such as `(*LIMIT_MATCH=…)`
/// can lower the bounds and not raise them.
package final class Pattern: Sendable {
  package struct Options: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `.` matches line breaks too, which is how the service model's own patterns are read.
    package static let dotMatchesLineBreaks = Options(rawValue: 1)
  }

  package let source: String
  package let options: Options

  // Compiled code is only read after init, which PCRE2 documents as safe from any number of threads
  // (pcre2api, "Multithreading"); what a match writes to is per thread, in the shim.
  private nonisolated(unsafe) let whole: OpaquePointer
  private nonisolated(unsafe) let anywhere: OpaquePointer
  let needs: MatchNeeds
  /// Answers for texts of ASCII without asking PCRE2, where the pattern is simple enough.
  private let ascii: ASCIIMatcher?
  /// Of a pattern with an end that may be left out (see `OptionalEnd`), the same without it.
  private let asciiWithoutEnd: ASCIIMatcher?
  /// What it is when it consists of characters and classes only.
  let sequence: CharacterSequence?

  package init(_ source: String, options: Options = []) throws(PatternError) {
    self.source = source
    self.options = options
    let common =
      Self.commonOptions
      | (options.contains(.dotMatchesLineBreaks) ? PCRE2_DOTALL : 0)
    // JIT code has its anchors from compile time, hence two codes. Anchored at both ends, an alternation
    // matches if any of its branches can match the whole.
    whole = try Self.compile(source, common | PCRE2_ANCHORED | PCRE2_ENDANCHORED)
    do {
      anywhere = try Self.compile(source, common)
    } catch {
      pcre2_code_free_8(whole)
      throw error
    }
    let sequence = options.isEmpty ? CharacterSequence(source) : nil
    self.sequence = sequence
    let optional = options.isEmpty && sequence == nil ? OptionalEnd(source) : nil
    asciiWithoutEnd = optional.flatMap { ASCIIMatcher($0.without) }
    ascii = (optional?.with ?? sequence).flatMap { ASCIIMatcher($0) }
    needs = MatchNeeds(of: anywhere, source, sequence)
  }

  deinit {
    pcre2_code_free_8(whole)
    pcre2_code_free_8(anywhere)
  }

  /// Whether the whole of `text`, which is well-formed UTF-8, matches.
  package func matchesWhole(_ text: Span<UInt8>) -> MatchResult {
    if let ascii, let matches = ascii.matchesWhole(text) {
      return matches || asciiWithoutEnd?.matchesWhole(text) == true ? .matched : .unmatched
    }
    return Self.match(whole, text, startingPlaces: 1)
  }

  package func matchesWhole(_ text: Text) -> MatchResult { matchesWhole(text.utf8.span) }

  /// Whether the pattern occurs anywhere in `text`, which is well-formed UTF-8.
  package func occurs(in text: Span<UInt8>) -> MatchResult { occurs(in: text, holding: TextBytes(text)) }

  package func occurs(in text: Text) -> MatchResult { occurs(in: text.utf8.span) }

  /// The same, for a text of which it is known already what bytes it holds.
  package func occurs(in text: Span<UInt8>, holding bytes: TextBytes) -> MatchResult {
    guard needs.mayBeMet(by: bytes) else { return .unmatched }
    // One before each byte at most, and one at the end.
    return Self.match(anywhere, text, startingPlaces: text.count + 1)
  }

  static let commonOptions = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C

  static func match(_ code: OpaquePointer, _ text: Span<UInt8>, startingPlaces: Int) -> MatchResult {
    let result = text.withUnsafeBufferPointer {
      gh_pcre2_match(code, $0.baseAddress, $0.count, startingPlaces)
    }
    if result >= 0 { return .matched }
    // Whatever else went wrong (limits of steps, depth, heap or JIT stack; no memory), it was not a clean "no".
    return result == PCRE2_ERROR_NOMATCH ? .unmatched : .exceededBound
  }

  static func compile(_ source: String, _ options: UInt32) throws(PatternError) -> OpaquePointer {
    var code: Int32 = 0
    var offset = 0
    let pattern = Array(source.utf8)
    guard let compiled = pcre2_compile_8(pattern, pattern.count, options, &code, &offset, nil) else {
      throw PatternError(offset: offset, message: message(code))
    }
    // Where JIT is not to be had (no executable memory), the interpreter matches the same within the same bounds.
    _ = pcre2_jit_compile_8(compiled, PCRE2_JIT_COMPLETE)
    return compiled
  }

  private static func message(_ code: Int32) -> String {
    let bytes = [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
      count = max(0, Int(pcre2_get_error_message_8(code, buffer.baseAddress, buffer.count)))
    }
    return bytes.isEmpty ? "error \(code) of PCRE2" : String(decoding: bytes, as: UTF8.self)
  }
}
