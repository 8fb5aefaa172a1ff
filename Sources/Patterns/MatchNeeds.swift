internal import CPCRE2

/// Which bytes a text holds, and how many.
package struct TextBytes: Sendable {
  fileprivate let held: ByteSet
  fileprivate let count: Int

  package init(_ text: Span<UInt8>) {
    var held = ByteSet()
    for index in text.indices { held.insert(text[unchecked: index]) }
    self.held = held
    count = text.count
  }
}

/// What PCRE2 knows of every match of a pattern: the bytes it can begin with, one that it has somewhere, and how long it
/// is at least. A text that lacks these has no match, which is cheaper to see than to ask: of many forbidden patterns
/// most are ruled out by it.
struct MatchNeeds: Sendable {
  /// One of these must be there.
  private var first = ByteSet.all
  /// And one of these.
  private var later = ByteSet.all
  /// Of the match in characters, so of the text in bytes too.
  private var length = 0
  /// What it begins with, two characters at a time.
  let pairs: RequiredPairs?

  init(of code: OpaquePointer, _ source: String, _ sequence: CharacterSequence?) {
    pairs = RequiredPairs(source)
    length = Int(Self.number(PCRE2_INFO_MINLENGTH, of: code))
    switch Self.number(PCRE2_INFO_FIRSTCODETYPE, of: code) {
    case 1: first = ByteSet(inAnyCase: Self.number(PCRE2_INFO_FIRSTCODEUNIT, of: code))
    case 0:
      var bitmap: UnsafePointer<UInt8>?
      if pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_FIRSTBITMAP), &bitmap) == 0, let bitmap {
        first = ByteSet(bitmap: bitmap)
      }
    default: break
    }
    if Self.number(PCRE2_INFO_LASTCODETYPE, of: code) == 1 {
      later = ByteSet(inAnyCase: Self.number(PCRE2_INFO_LASTCODEUNIT, of: code))
    }
    // Of a single character PCRE2 tells less than can be known.
    if let ascii = sequence?.singleASCII { first = ascii.withAllOthers }
    // A match that can be empty can be anywhere.
    if length == 0 { first = .all }
  }

  @inline(__always)
  func mayBeMet(by text: TextBytes) -> Bool {
    text.count >= length && (length == 0 || text.held.meets(first))
      && (later == .all || text.held.meets(later))
  }

  private static func number(_ what: Int32, of code: OpaquePointer) -> UInt32 {
    var number: UInt32 = 0
    return pcre2_pattern_info_8(code, UInt32(what), &number) == 0 ? number : 0
  }
}
