internal import CPCRE2
package import Primitives

extension Pattern {
  /// Whether no text that begins with `prefix` can match as a whole. What cannot be told is not said to be impossible.
  ///
  /// PCRE2's partial matching decides it ("Partial matching", pcre2partial(3)): the match that runs out of text could go
  /// on. It compiles the pattern anew, so it is for reviews, not for requests.
  package func surelyRefuses(allThatBeginsWith prefix: Text) -> Bool {
    // A verb stands at the very beginning or nowhere, and so cannot be enclosed.
    guard !source.hasPrefix("(*") else { return false }
    let common = Self.commonOptions | (options.contains(.dotMatchesLineBreaks) ? PCRE2_DOTALL : 0)
    // What is quoted or commented to the pattern's end takes up the parenthesis, and then this does not compile.
    guard let code = try? Self.compile("(?:\(source))\\z", common | PCRE2_ANCHORED) else { return false }
    defer { pcre2_code_free_8(code) }
    return prefix.utf8.span.withUnsafeBufferPointer { gh_pcre2_may_begin(code, $0.baseAddress, $0.count) }
      == 0
  }
}
