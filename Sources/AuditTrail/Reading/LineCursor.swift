internal import Primitives

/// Walks over a line of the journal, as far as the line has the form in which records are written. Whatever else JSON
/// allows (white space, other escapes, other numbers) is refused here and left to the general reader.
///
/// Nothing is read outside the line: each load of eight bytes is preceded by a comparison with its end.
struct LineCursor: ~Escapable {
  private let line: RawSpan
  private let count: Int
  private(set) var position: Int

  @_lifetime(copy line)
  init(_ line: RawSpan, at position: Int = 0) {
    self.line = line
    count = line.byteCount
    self.position = position
  }

  var isAtEnd: Bool { position == count }

  /// Whether the bytes at hand are these; goes behind them if so.
  @inline(__always)
  mutating func skip(_ literal: StaticString) -> Bool {
    let length = literal.utf8CodeUnitCount
    guard length <= count &- position else { return false }
    let expected = UnsafeRawPointer(literal.utf8Start)
    var offset = 0
    while offset &+ 8 <= length {
      guard word(at: position &+ offset) == expected.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      else { return false }
      offset &+= 8
    }
    while offset < length {
      guard byte(at: position &+ offset) == expected.load(fromByteOffset: offset, as: UInt8.self) else {
        return false
      }
      offset &+= 1
    }
    position &+= length
    return true
  }

  /// The next eight bytes, the first of them lowest; `nil` when there are not so many.
  @inline(__always)
  func peek() -> UInt64? { count &- position >= 8 ? word(at: position) : nil }

  /// Whether `length` bytes that end `offset` behind the position are there, as a word: for comparing keys.
  @inline(__always)
  func peek(at offset: Int) -> UInt64? {
    count &- position &- offset >= 8 ? word(at: position &+ offset) : nil
  }

  @inline(__always)
  mutating func advance(by length: Int) { position &+= length }

  /// Goes from behind an opening quote to behind the closing one.
  /// - Returns: what stands between; `nil` when it is no string as JSON and UTF-8 have it, or has escapes that records
  ///   are not written with.
  @inline(__always)
  mutating func string(_ isEscaped: inout Bool) -> ByteSlice? {
    let start = position
    while true {
      // Most of a record is plain text: eight bytes at a time.
      while count &- position >= 8 {
        let special = Self.special(word(at: position))
        guard special == 0 else {
          position &+= special.trailingZeroBitCount &>> 3
          break
        }
        position &+= 8
      }
      guard position < count else { return nil }
      switch byte(at: position) {
      case UInt8(ascii: "\""):
        position &+= 1
        return ByteSlice(Range(uncheckedBounds: (start, position &- 1)))
      case UInt8(ascii: "\\"):
        guard skipEscape() else { return nil }
        isEscaped = true
      case 0x80...:
        guard skipSequence() else { return nil }
      case 0x20...: position &+= 1
      default: return nil
      }
    }
  }

  /// A number without sign, fraction and exponent, of at most 18 digits.
  @inline(__always)
  mutating func integer() -> Int? {
    let start = position
    var value = 0
    while position < count {
      let digit = byte(at: position) &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      value = value &* 10 &+ Int(digit)
      position &+= 1
      guard position &- start <= 18 else { return nil }
    }
    guard position > start, position == start &+ 1 || byte(at: start) != UInt8(ascii: "0") else { return nil }
    return value
  }

  /// `12` or `12.345`
  mutating func decimal() -> Bool {
    guard integer() != nil else { return false }
    guard position < count, byte(at: position) == UInt8(ascii: ".") else { return true }
    position &+= 1
    let start = position
    while position < count, byte(at: position) &- UInt8(ascii: "0") < 10 { position &+= 1 }
    return position > start && position &- start <= 18
  }

  /// From a backslash to behind the escape: those that records are written with.
  private mutating func skipEscape() -> Bool {
    guard count &- position >= 2 else { return false }
    switch byte(at: position &+ 1) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position &+= 2
      return true
    case UInt8(ascii: "u"):
      // Of control bytes only: `\u0001` to `\u007f`, without NUL.
      guard count &- position >= 6, byte(at: position &+ 2) == UInt8(ascii: "0"),
        byte(at: position &+ 3) == UInt8(ascii: "0"), let high = Hex.value(of: byte(at: position &+ 4)),
        let low = Hex.value(of: byte(at: position &+ 5)), high < 8, high | low > 0
      else { return false }
      position &+= 6
      return true
    default: return false
    }
  }

  /// Over one well-formed sequence of two to four bytes (RFC 3629 section 4).
  private mutating func skipSequence() -> Bool {
    let lead = byte(at: position)
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)  // shorter forms are overlong
    case 0xED: (length, second) = (3, 0x80...0x9F)  // the rest are surrogates
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)  // shorter forms are overlong
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)  // the rest are beyond U+10FFFF
    default: return false
    }
    guard count &- position >= length, second.contains(byte(at: position &+ 1)) else { return false }
    var offset = 2
    while offset < length {
      guard byte(at: position &+ offset) & 0xC0 == 0x80 else { return false }
      offset &+= 1
    }
    position &+= length
    return true
  }

  /// Not zero when some byte is a quote, a backslash, below 0x20 or above 0x7F; the lowest bit that is set belongs to
  /// the first of these. (Bits above may be the borrow of a subtraction, and nobody looks at them.)
  @inline(__always)
  private static func special(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5C)
    let found =
      ((word &- (ones &* 0x20)) & ~word) | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
    return (found | word) & 0x8080_8080_8080_8080
  }

  // The callers have compared with the end.

  @inline(__always)
  private func word(at offset: Int) -> UInt64 {
    unsafe UInt64(
      littleEndian: line.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
  }

  @inline(__always)
  func byte(at offset: Int) -> UInt8 {
    unsafe line.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
  }
}
