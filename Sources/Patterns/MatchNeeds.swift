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

  init(of code: OpaquePointer) {
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

/// Patterns none of which may match anywhere in a text.
package struct AbsentPatterns: Sendable {
  private let patterns: [Pattern]
  /// One a pattern, side by side: mostly they are all that is looked at.
  private let needs: [MatchNeeds]

  package init(_ patterns: [Pattern]) {
    self.patterns = patterns
    needs = patterns.map(\.needs)
  }

  /// Whether none matches, each within its bound.
  package func areAbsent(from text: Span<UInt8>) -> Bool {
    guard !needs.isEmpty else { return true }
    let bytes = TextBytes(text)
    let needs = needs.span
    for index in needs.indices where needs[index].mayBeMet(by: bytes) {
      guard patterns[index].occurs(in: text, holding: bytes) == .unmatched else { return false }
    }
    return true
  }
}

/// A set of bytes.
package struct ByteSet: Equatable, Sendable, BitwiseCopyable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  package static let all = ByteSet(words: (.max, .max, .max, .max))

  package init() {}

  private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

  /// PCRE2 does not say whether a byte stands for itself in one case only.
  init(inAnyCase unit: UInt32) {
    guard let byte = UInt8(exactly: unit), byte < 0x80 else {
      self = .all
      return
    }
    insert(byte)
    if (0x61...0x7A).contains(byte | 0x20) { insert(byte ^ 0x20) }
  }

  /// - Parameter bitmap: 32 bytes, the bit of byte 0 first.
  init(bitmap: UnsafePointer<UInt8>) {
    for byte in 0...UInt8.max where bitmap[Int(byte >> 3)] >> (byte & 7) & 1 == 1 { insert(byte) }
  }

  package func contains(_ byte: UInt8) -> Bool {
    let bit: UInt64 = 1 << UInt64(byte & 63)
    return switch byte >> 6 {
    case 0: words.0 & bit != 0
    case 1: words.1 & bit != 0
    case 2: words.2 & bit != 0
    default: words.3 & bit != 0
    }
  }

  @inline(__always)
  package mutating func insert(_ byte: UInt8) {
    let bit: UInt64 = 1 << UInt64(byte & 63)
    switch byte >> 6 {
    case 0: words.0 |= bit
    case 1: words.1 |= bit
    case 2: words.2 |= bit
    default: words.3 |= bit
    }
  }

  @inline(__always)
  func meets(_ other: ByteSet) -> Bool {
    words.0 & other.words.0 | words.1 & other.words.1 | words.2 & other.words.2 | words.3 & other.words.3 != 0
  }

  package static func == (left: ByteSet, right: ByteSet) -> Bool { left.words == right.words }
}
