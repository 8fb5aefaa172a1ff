/// JSON strings for records: what the hot path writes most.
///
/// Apart from StrictJSON's writer because of speed and because it vouches for more: whatever bytes come, what it
/// writes is valid UTF-8 on one line.
extension RecordBytes {
  /// Appends `value` as a JSON string (RFC 8259 section 7). NUL and bytes that are no UTF-8 become U+FFFD.
  mutating func append(jsonString value: [UInt8]) {
    guard !JSONText.isPlain(value.span.bytes) else { return append(quoted: value) }
    append(UInt8(ascii: "\""))
    appendEscaped(value)
    append(UInt8(ascii: "\""))
  }

  /// The strings of our own: rule ids, field names, messages.
  mutating func append(jsonString value: String) {
    append(jsonString: Array(value.utf8))
  }

  private mutating func appendEscaped(_ value: [UInt8]) {
    for byte in String(decoding: value, as: UTF8.self).utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        append(UInt8(ascii: "\\"))
        append(byte)
      case 0x0A: append("\\n")
      case 0x0D: append("\\r")
      case 0x09: append("\\t")
      // Our own reader, as strict as it is, takes no NUL.
      case 0x00: append("\u{FFFD}")
      case 0x01..<0x20, 0x7F:
        append("\\u")
        append(hex: UInt64(byte), digits: 4)
      default: append(byte)
      }
    }
  }
}

enum JSONText {
  /// Whether the bytes are ASCII that can stand between quotes as they are. Looks at eight bytes at a time.
  static func isPlain(_ bytes: RawSpan) -> Bool {
    var offset = 0
    let count = bytes.byteCount
    while offset + 8 <= count {
      // In bounds by the condition above.
      let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
      guard special(word) == 0 else { return false }
      offset += 8
    }
    while offset < count {
      let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      guard (0x20..<0x7F).contains(byte), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else {
        return false
      }
      offset += 1
    }
    return true
  }

  /// Not zero when some byte is below 0x20, above 0x7E, a quote or a backslash. May also find a byte that is just
  /// above one of those, by the borrow of the subtraction; the slow path then writes it as it is.
  @inline(__always)
  private static func special(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let high: UInt64 = 0x8080_8080_8080_8080
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5C)
    let control = word &- (ones &* 0x20)
    let delete = word &+ ones
    return (control | (quote &- ones) | (backslash &- ones) | delete | word) & high
  }
}
