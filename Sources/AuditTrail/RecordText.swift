package import Primitives

/// JSON strings for records (RFC 8259 section 7).
///
/// Apart from StrictJSON's writer because it vouches for more: whatever bytes come, what it writes is well-formed UTF-8
/// on one line, without control characters.
extension ByteBuffer {
  /// Appends `value` between quotes. Quotes, backslashes and controls are escaped; NUL and every maximal part of what is
  /// no UTF-8 (Unicode 16 section 3.9) become U+FFFD.
  package mutating func append(jsonString value: Span<UInt8>) {
    let count = value.count
    var plain = 0
    // Room for all of it, so nothing below is written outside.
    append(upTo: count &+ 2) { target in
      guard let start = target.baseAddress else { return 0 }
      start[0] = UInt8(ascii: "\"")
      plain = JSONText.copyPlain(value, to: start + 1)
      guard plain == count else { return plain &+ 1 }
      start[count &+ 1] = UInt8(ascii: "\"")
      return count &+ 2
    }
    guard plain < count else { return }
    appendEscaped(value, from: plain)
    append(UInt8(ascii: "\""))
  }

  /// The same without the quotes.
  mutating func append(jsonText value: Span<UInt8>) {
    var plain = 0
    append(upTo: value.count) { target in
      if let start = target.baseAddress { plain = JSONText.copyPlain(value, to: start) }
      return plain
    }
    if plain < value.count { appendEscaped(value, from: plain) }
  }

  private mutating func appendEscaped(_ value: Span<UInt8>, from start: Int) {
    var index = start
    while index < value.count {
      let end = JSONText.endOfPlain(value, from: index)
      append(value.extracting(index..<end))
      index = end
      guard index < value.count else { return }
      let byte = value[index]
      guard byte < 0x80 else {
        let (length, isCharacter) = JSONText.sequence(in: value, at: index)
        if isCharacter { append(value.extracting(index..<index + length)) } else { append("\u{FFFD}") }
        index += length
        continue
      }
      appendEscaped(byte)
      index += 1
    }
  }

  private mutating func appendEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): append("\\\"")
    case UInt8(ascii: "\\"): append("\\\\")
    case 0x0A: append("\\n")
    case 0x0D: append("\\r")
    case 0x09: append("\\t")
    // Our own reader, as strict as it is, takes no NUL.
    case 0x00: append("\u{FFFD}")
    default:
      append("\\u")
      append(hex: UInt64(byte), digits: 4)
    }
  }
}

/// What may stand between quotes as it is: ASCII but controls, quotes and backslashes.
private enum JSONText {
  /// Copies bytes up to the first that needs more than that, or up to some before it.
  /// - Parameter target: where there is room for all of `value`.
  /// - Returns: how many were copied.
  @inline(__always)
  static func copyPlain(_ value: Span<UInt8>, to target: UnsafeMutablePointer<UInt8>) -> Int {
    let bytes = value.bytes
    let count = bytes.byteCount
    let out = UnsafeMutableRawPointer(target)
    // All offsets below are in bounds by the conditions around them.
    guard count >= 8 else { return copyFew(bytes, to: out) }
    var offset = 0
    while offset &+ 16 <= count {
      guard copy(bytes, at: offset, and: offset &+ 8, to: out) else { return offset }
      offset &+= 16
    }
    guard offset < count else { return count }
    // The last eight once more, of which some are there already.
    let next = offset &+ 8 <= count ? offset : count &- 8
    return copy(bytes, at: next, and: count &- 8, to: out) ? count : offset
  }

  /// Copies eight bytes at each of two places.
  /// - Returns: whether all of them can stand as they are.
  @inline(__always)
  private static func copy(
    _ bytes: RawSpan, at first: Int, and second: Int, to out: UnsafeMutableRawPointer
  ) -> Bool {
    let one = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: first, as: UInt64.self)
    let two = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: second, as: UInt64.self)
    guard special(one) | special(two) == 0 else { return false }
    out.storeBytes(of: one, toByteOffset: first, as: UInt64.self)
    out.storeBytes(of: two, toByteOffset: second, as: UInt64.self)
    return true
  }

  /// Fewer than eight.
  @inline(__always)
  private static func copyFew(_ bytes: RawSpan, to out: UnsafeMutableRawPointer) -> Int {
    let count = bytes.byteCount
    if count >= 4 {
      // The first four and the last four.
      let first = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self)
      let last = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self)
      guard special(UInt64(first) | UInt64(last) &<< 32) == 0 else { return 0 }
      out.storeBytes(of: first, toByteOffset: 0, as: UInt32.self)
      out.storeBytes(of: last, toByteOffset: count &- 4, as: UInt32.self)
      return count
    }
    var offset = 0
    while offset < count {
      let byte = bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      guard isPlain(byte) else { return offset }
      out.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
      offset &+= 1
    }
    return offset
  }

  /// Where the first byte from `start` on stands that cannot stand as it is.
  static func endOfPlain(_ value: Span<UInt8>, from start: Int) -> Int {
    let bytes = value.bytes
    var index = start
    while index &+ 8 <= value.count {
      // In bounds by the condition above.
      guard special(bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)) == 0 else {
        break
      }
      index &+= 8
    }
    while index < value.count, isPlain(value[index]) { index &+= 1 }
    return index
  }

  /// The well-formed character that begins at `start`, or the longest part of one that stands there.
  static func sequence(in value: Span<UInt8>, at start: Int) -> (length: Int, isCharacter: Bool) {
    // Of the first continuation byte; the others are 0x80 to 0xBF (Unicode 16, table 3-7).
    let needed: Int
    var allowed: ClosedRange<UInt8> = 0x80...0xBF
    switch value[start] {
    case 0xC2...0xDF: needed = 1
    case 0xE0: (needed, allowed) = (2, 0xA0...0xBF)
    case 0xED: (needed, allowed) = (2, 0x80...0x9F)
    case 0xE1...0xEF: needed = 2
    case 0xF0: (needed, allowed) = (3, 0x90...0xBF)
    case 0xF1...0xF3: needed = 3
    case 0xF4: (needed, allowed) = (3, 0x80...0x8F)
    default: return (1, false)
    }
    for place in 1...needed {
      guard start + place < value.count, allowed.contains(value[start + place]) else { return (place, false) }
      allowed = 0x80...0xBF
    }
    return (needed + 1, true)
  }

  @inline(__always)
  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
  }

  /// Not zero when some byte is below 0x20, above 0x7E, a quote or a backslash. May also find a byte that is just above
  /// one of those, by the borrow of the subtraction; then the bytes are looked at one by one.
  @inline(__always)
  private static func special(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let high: UInt64 = 0x8080_8080_8080_8080
    // With this bit turned, a quote is the one byte above the controls, so one subtraction finds both.
    let controlOrQuote = (word ^ (ones &* 0x02)) &- (ones &* 0x21)
    let backslash = (word ^ (ones &* 0x5C)) &- ones
    let delete = word &+ ones
    return (controlOrQuote | backslash | delete | word) & high
  }
}
