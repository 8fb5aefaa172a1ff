internal import Primitives

/// The bytes between double quotes: RFC 8259 section 7, UTF-8 by RFC 3629.
enum JSONString {
  /// Goes from the opening quote at `position` to the byte after the closing one.
  /// - Returns: whether the string has escapes.
  static func skip(_ bytes: Span<UInt8>, _ position: inout Int) throws(JSONSyntaxError) -> Bool {
    let opening = position
    var index = position + 1
    var isEscaped = false
    while true {
      index = JSONBytes.nextSpecial(in: bytes, from: index, stopAtNonASCII: true)
      guard index < bytes.count else {
        throw JSONSyntaxError(offset: opening, message: "string without closing quote")
      }
      switch bytes[index] {
      case UInt8(ascii: "\""):
        position = index + 1
        return isEscaped
      case UInt8(ascii: "\\"):
        isEscaped = true
        index = try skipEscape(bytes, at: index)
      case 0x80...:
        let length = UTF8Sequence.length(bytes, at: index)
        guard length > 0 else { throw JSONSyntaxError(offset: index, message: "invalid UTF-8 in a string") }
        index += length
      case let control:
        throw JSONSyntaxError(
          offset: index, message: "control byte \(hexadecimal(control)) in a string; write it as an escape",
          reason: "control byte in a string; write it as an escape")
      }
    }
  }

  /// The string that stands in `content`, which `skip` has found good.
  static func unescape(_ bytes: Span<UInt8>, _ content: Range<Int>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(content.count)
    var index = content.lowerBound
    while index < content.upperBound {
      guard bytes[index] == UInt8(ascii: "\\") else {
        out.append(bytes[index])
        index += 1
        continue
      }
      let escape = bytes[index + 1]
      if escape == UInt8(ascii: "u") {
        var scalar = UInt32(codeUnit(bytes, at: index + 2) ?? 0)
        index += 6
        if (0xD800..<0xDC00).contains(scalar) {
          scalar =
            0x10000 + (scalar - 0xD800) << 10 + UInt32(codeUnit(bytes, at: index + 2) ?? 0xDC00) - 0xDC00
          index += 6
        }
        UTF8Sequence.append(scalar, to: &out)
      } else {
        out.append(unescaped(escape) ?? escape)
        index += 2
      }
    }
    return out
  }

  /// Goes from the backslash to the byte after the escape; of a surrogate pair, after both.
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
