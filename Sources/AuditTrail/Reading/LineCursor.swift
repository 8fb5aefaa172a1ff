internal import Primitives
internal import StrictJSON

/// Walks over a line of the journal, as far as the line has the form in which records are written. Whatever else JSON
/// allows (white space, other escapes, other numbers) is refused here and left to the general reader.
///
/// Nothing is read outside the line: each load of eight bytes is preceded by a comparison with its end.
struct LineCursor: ~Escapable {
  private let line: RawSpan
  private let count: Int
  /// Up to where sixteen bytes can be looked at.
  private let lastSixteen: Int
  private(set) var position: Int

  @_lifetime(copy line)
  init(_ line: RawSpan, at position: Int = 0) {
    self.line = line
    count = line.byteCount
    lastSixteen = count &- 16
    self.position = position
  }

  var isAtLastByte: Bool { count &- position == 1 }

  /// Whether the bytes at hand are these; goes behind them if so.
  @inline(__always)
  mutating func skip(_ literal: StaticString) -> Bool {
    guard isAt(literal) else { return false }
    position &+= literal.utf8CodeUnitCount
    return true
  }

  /// Whether the bytes at hand are these.
  @inline(__always)
  func isAt(_ literal: StaticString) -> Bool {
    let length = literal.utf8CodeUnitCount
    guard length <= count &- position else { return false }
    let expected = UnsafeRawPointer(literal.utf8Start)
    var offset = 0
    while offset &+ 8 <= length {
      guard word(at: position &+ offset) == expected.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      else { return false }
      offset &+= 8
    }
    if length > 8, offset < length {
      // The last eight, some of them once more.
      return word(at: position &+ length &- 8)
        == expected.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
    }
    while offset < length {
      guard byte(at: position &+ offset) == expected.load(fromByteOffset: offset, as: UInt8.self) else {
        return false
      }
      offset &+= 1
    }
    return true
  }

  /// The next eight bytes, the first of them lowest; `nil` when there are not so many.
  @inline(__always)
  func peek() -> UInt64? { count &- position >= 8 ? word(at: position) : nil }

  /// The same, from so many bytes behind the position on.
  @inline(__always)
  func peek(at offset: Int) -> UInt64? {
    count &- position &- offset >= 8 ? word(at: position &+ offset) : nil
  }

  @inline(__always)
  mutating func advance(by length: Int) { position &+= length }

  /// To a place that was reached from here.
  @inline(__always)
  mutating func advance(to place: Int) { position = place }

  /// Goes from behind an opening quote to behind the closing one.
  /// - Returns: what stands between; `nil` when it is no string as JSON and UTF-8 have it, or has escapes that records
  ///   are not written with.
  @inline(__always)
  mutating func string(_ isEscaped: inout Bool) -> Range<Int>? {
    let start = position
    // Kept apart from the cursor while it moves: registers, not memory.
    var place = position
    while true {
      if place <= lastSixteen {
        let plain = line.plainJSONCount(ofSixteenAt: place)
        place &+= plain
        if plain == 16 { continue }
      } else {
        // The line's last sixteen, some of them once more: what is plain from there to behind `place` is plain.
        if lastSixteen >= 0 {
          place = max(place, lastSixteen &+ line.plainJSONCount(ofSixteenAt: lastSixteen))
        }
        guard place < count else { return nil }
      }
      let byte = byte(at: place)
      if byte == UInt8(ascii: "\"") {
        position = place &+ 1
        return Range(uncheckedBounds: (start, place))
      }
      if byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") {
        place &+= 1
        continue
      }
      guard let next = Self.behindOther(byte, in: line, at: place) else { return nil }
      place = next
      isEscaped = isEscaped || byte == UInt8(ascii: "\\")
    }
  }

  /// A number without sign, fraction and exponent, of at most 18 digits.
  @inline(__always)
  mutating func integer() -> Int? {
    let start = position
    let end = min(count, start &+ 19)
    var place = start
    var value = 0
    while place < end {
      let digit = byte(at: place) &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      value = value &* 10 &+ Int(digit)
      place &+= 1
    }
    let length = place &- start
    guard length > 0, length <= 18, length == 1 || byte(at: start) != UInt8(ascii: "0") else { return nil }
    position = place
    return value
  }

  /// `12` or `12.345`
  @inline(__always)
  mutating func decimal() -> Bool {
    guard integer() != nil else { return false }
    guard position < count, byte(at: position) == UInt8(ascii: ".") else { return true }
    var place = position &+ 1
    let start = place
    while place < count, byte(at: place) &- UInt8(ascii: "0") < 10 { place &+= 1 }
    position = place
    return place > start && place &- start <= 18
  }

  // What is rare takes and returns places: a cursor whose address is passed is kept in memory instead of in registers.

  /// Behind an escape, or behind a character that is more than one byte; `nil` when it is neither.
  @inline(never)
  private static func behindOther(_ byte: UInt8, in line: RawSpan, at place: Int) -> Int? {
    let cursor = LineCursor(line, at: place)
    return switch byte {
    case UInt8(ascii: "\\"): cursor.lengthOfEscape.map { place &+ $0 }
    case 0x80...: cursor.lengthOfSequence.map { place &+ $0 }
    default: nil
    }
  }

  /// Of an escape that records are written with.
  private var lengthOfEscape: Int? {
    guard count &- position >= 2 else { return nil }
    switch byte(at: position &+ 1) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return 2
    case UInt8(ascii: "u"):
      // Of control bytes only: `\u0001` to `\u007f`, without NUL.
      guard count &- position >= 6, byte(at: position &+ 2) == UInt8(ascii: "0"),
        byte(at: position &+ 3) == UInt8(ascii: "0"), let high = Hex.value(of: byte(at: position &+ 4)),
        let low = Hex.value(of: byte(at: position &+ 5)), high < 8, high | low > 0
      else { return nil }
      return 6
    default: return nil
    }
  }

  /// Of one well-formed sequence of two to four bytes (RFC 3629 section 4).
  private var lengthOfSequence: Int? {
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
    default: return nil
    }
    guard count &- position >= length, second.contains(byte(at: position &+ 1)) else { return nil }
    for offset in 2..<max(2, length) where byte(at: position &+ offset) & 0xC0 != 0x80 { return nil }
    return length
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
