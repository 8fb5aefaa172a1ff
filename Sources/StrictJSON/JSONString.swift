internal import Primitives

/// The bytes between double quotes: RFC 8259 section 7, UTF-8 by RFC 3629.
enum JSONString {
  /// The byte after the closing quote of the string whose opening one is at `opening`.
  ///
  /// - Parameter plainEnd: where the first byte stands that needs a closer look, as `JSONBytes.nextSpecial` finds it.
  static func end(
    _ bytes: Span<UInt8>, from opening: Int, plainUntil plainEnd: Int
  ) throws(JSONSyntaxError) -> (end: Int, isEscaped: Bool) {
    var index = plainEnd
    var isEscaped = false
    while true {
      guard index < bytes.count else {
        throw JSONSyntaxError(offset: opening, message: "string without closing quote")
      }
      switch bytes[unchecked: index] {
      case UInt8(ascii: "\""):
        return (index &+ 1, isEscaped)
      case UInt8(ascii: "\\"):
        isEscaped = true
        // Nearly all escapes: two characters, and mostly a quote.
        if index &+ 1 < bytes.count,
          bytes[unchecked: index &+ 1] == UInt8(ascii: "\"")
            || unescaped(bytes[unchecked: index &+ 1]) != nil
        {
          index &+= 2
        } else {
          index = try skipEscape(bytes, at: index)
        }
      case 0x80...:
        let length = UTF8Sequence.length(bytes, at: index)
        guard length > 0 else { throw JSONSyntaxError(offset: index, message: "invalid UTF-8 in a string") }
        index &+= length
      case let control:
        throw JSONSyntaxError(
          offset: index, message: "control byte \(hexadecimal(control)) in a string; write it as an escape",
          reason: "control byte in a string; write it as an escape")
      }
      index = JSONBytes.nextSpecial(in: bytes, from: index, stopAtNonASCII: true)
    }
  }

  /// Writes what the string in `content`, which `end` has found good, means.
  ///
  /// - Parameter out: memory for as many bytes as `room` says; no escape is shorter than what it stands for.
  /// - Returns: how many were written.
  static func unescape(
    _ bytes: Span<UInt8>, _ content: Range<Int>, into out: UnsafeMutableBufferPointer<UInt8>
  ) -> Int {
    precondition(out.count >= room(for: content), "memory for all of the string")
    guard let target = out.baseAddress else { return 0 }
    let text = bytes.extracting(0..<content.upperBound)
    let raw = bytes.bytes
    var read = content.lowerBound
    var written = 0
    while read < text.count {
      // A block is copied whatever it is; as many bytes count as stand before a backslash and within the string. Never
      // more is written than has been read, so that a block beyond what the string has fits into `out`.
      if read &+ JSONBytes.block <= bytes.count {
        JSONBytes.copyBlock(of: raw, at: read, to: target + written)
        let plain = min(JSONBytes.countBeforeBackslash(in: raw, at: read), text.count &- read)
        read &+= plain
        written &+= plain
        if plain == JSONBytes.block || read == text.count { continue }
      } else if text[unchecked: read] != UInt8(ascii: "\\") {
        target[written] = text[unchecked: read]
        read &+= 1
        written &+= 1
        continue
      }
      let escape = text[read &+ 1]
      if escape == UInt8(ascii: "\"") || escape == UInt8(ascii: "\\") {
        // Most escapes by far.
        target[written] = escape
        read &+= 2
        written &+= 1
      } else {
        (read, written) = unescapeOne(text, at: read, into: target, at: written)
      }
    }
    return written
  }

  /// How much memory unescaping wants.
  static func room(for content: Range<Int>) -> Int { content.count &+ JSONBytes.block }

  /// What the string in `content`, which `end` has found good, means.
  static func unescaped(_ bytes: Span<UInt8>, _ content: Range<Int>) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: room(for: content)) { out, count in
      count = unescape(bytes, content, into: out)
    }
  }

  /// Writes what the escape at `read` stands for; of a surrogate pair, both.
  /// - Returns: the places after it in `text` and after what was written.
  @inline(never)
  private static func unescapeOne(
    _ text: Span<UInt8>, at read: Int, into target: UnsafeMutablePointer<UInt8>, at written: Int
  ) -> (read: Int, written: Int) {
    let escape = text[read + 1]
    guard escape == UInt8(ascii: "u") else {
      target[written] = unescaped(escape) ?? escape
      return (read + 2, written + 1)
    }
    var scalar = UInt32(codeUnit(text, at: read + 2) ?? 0)
    var next = read + 6
    if (0xD800..<0xDC00).contains(scalar) {
      let low = UInt32(codeUnit(text, at: next + 2) ?? 0xDC00)
      scalar = 0x10000 + (scalar - 0xD800) << 10 + low - 0xDC00
      next += 6
    }
    return (next, written + UTF8Sequence.write(scalar, to: target + written))
  }

  /// Goes from the backslash to the byte after the escape; of a surrogate pair, after both.
  @inline(never)
  private static func skipEscape(_ bytes: Span<UInt8>, at backslash: Int) throws(JSONSyntaxError) -> Int {
    guard backslash + 1 < bytes.count else {
      throw JSONSyntaxError(offset: backslash, message: "string without closing quote")
    }
    let escape = bytes[backslash + 1]
    if unescaped(escape) != nil { return backslash + 2 }
    guard escape == UInt8(ascii: "u") else {
      throw JSONSyntaxError(offset: backslash, message: "unknown escape in a string")
    }
    guard let unit = codeUnit(bytes, at: backslash + 2) else {
      throw JSONSyntaxError(offset: backslash, message: "`\\u` without four hexadecimal digits")
    }
    switch unit {
    case 0:
      throw JSONSyntaxError(offset: backslash, message: "NUL (`\\u0000`) in a string")
    case 0xD800..<0xDC00:
      let second = backslash + 6
      guard second + 1 < bytes.count, bytes[second] == UInt8(ascii: "\\"),
        bytes[second + 1] == UInt8(ascii: "u"), let low = codeUnit(bytes, at: second + 2),
        (0xDC00..<0xE000).contains(low)
      else { throw JSONSyntaxError(offset: backslash, message: "surrogate escape without its second half") }
      return backslash + 12
    case 0xDC00..<0xE000:
      throw JSONSyntaxError(offset: backslash, message: "surrogate escape without its first half")
    default:
      return backslash + 6
    }
  }

  /// The value of the four hexadecimal digits at `start`, or `nil` when they are not there.
  private static func codeUnit(_ bytes: Span<UInt8>, at start: Int) -> UInt16? {
    guard start + 4 <= bytes.count else { return nil }
    var unit: UInt16 = 0
    for index in start..<start + 4 {
      guard let digit = Hex.value(of: bytes[index]) else { return nil }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  /// What a two-character escape stands for.
  @inline(__always)
  private static func unescaped(_ escape: UInt8) -> UInt8? {
    switch escape {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): escape
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
  }
}
