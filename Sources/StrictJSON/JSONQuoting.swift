package import Primitives

extension ByteBuffer {
  /// Appends `value` as a JSON string: in quotes, with what RFC 8259 section 7 demands escaped and nothing else; all
  /// other text stays as it is.
  package mutating func append(quoted value: Span<UInt8>) {
    var copied = 0
    append(upTo: value.count &+ 2) { out in
      // There always is one: two quotes are written at least.
      guard let target = out.baseAddress else { return 0 }
      target[0] = UInt8(ascii: "\"")
      copied = Self.copyPlain(value, to: target + 1)
      guard copied == value.count else { return copied &+ 1 }
      target[copied &+ 1] = UInt8(ascii: "\"")
      return copied &+ 2
    }
    if copied < value.count { appendEscaping(value, from: copied) }
  }

  /// Copies `value` up to a place before the first byte that needs an escape; all of it when none does.
  ///
  /// - Parameter target: memory for all of `value`.
  /// - Returns: how many bytes were copied.
  @inline(__always)
  private static func copyPlain(_ value: Span<UInt8>, to target: UnsafeMutablePointer<UInt8>) -> Int {
    let count = value.count
    let raw = value.bytes
    let out = UnsafeMutableRawPointer(target)
    guard count >= 8 else {
      // Zeros behind the bytes count as controls, so that something is found at the end at the latest.
      let word = JSONBytes.shortWord(value)
      let plain = JSONBytes.firstMark(JSONBytes.specials(in: word, stopAtNonASCII: false))
      guard plain == count else { return 0 }
      for index in 0..<count { target[index] = UInt8(truncatingIfNeeded: word &>> UInt64(index &* 8)) }
      return count
    }
    var index = 0
    while index &+ 8 <= count {
      let word = JSONBytes.word(raw, at: index)
      if JSONBytes.specials(in: word, stopAtNonASCII: false) != 0 { return index }
      out.storeBytes(of: word.littleEndian, toByteOffset: index, as: UInt64.self)
      index &+= 8
    }
    // The last eight, some of them for the second time.
    let word = JSONBytes.word(raw, at: count &- 8)
    if JSONBytes.specials(in: word, stopAtNonASCII: false) != 0 { return index }
    out.storeBytes(of: word.littleEndian, toByteOffset: count &- 8, as: UInt64.self)
    return count
  }

  /// The rest of a string, from `start` on, and its closing quote.
  @inline(never)
  private mutating func appendEscaping(_ value: Span<UInt8>, from start: Int) {
    let count = value.count
    let raw = value.bytes
    var index = start
    while index &+ 8 <= count {
      // Eight bytes are copied whatever they are; as many count as stand before the first that needs an escape.
      let word = JSONBytes.word(raw, at: index)
      let found = JSONBytes.specials(in: word, stopAtNonASCII: false)
      let plain = found == 0 ? 8 : JSONBytes.firstMark(found)
      append(upTo: 8) { out in
        UnsafeMutableRawBufferPointer(out).storeBytes(of: word.littleEndian, as: UInt64.self)
        return plain
      }
      index &+= plain
      if found != 0 {
        appendEscape(value[unchecked: index])
        index &+= 1
      }
    }
    while index < count {
      let byte = value[unchecked: index]
      if JSONBytes.firstMark(JSONBytes.specials(in: UInt64(byte), stopAtNonASCII: false)) == 0 {
        appendEscape(byte)
      } else {
        append(byte)
      }
      index &+= 1
    }
    append(UInt8(ascii: "\""))
  }

  @inline(__always)
  private mutating func appendEscape(_ byte: UInt8) {
    append(UInt8(ascii: "\\"))
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { append(byte) } else { appendControl(byte) }
  }

  /// What stands for a control after the backslash.
  @inline(never)
  private mutating func appendControl(_ byte: UInt8) {
    switch byte {
    case 0x08: append(UInt8(ascii: "b"))
    case 0x09: append(UInt8(ascii: "t"))
    case 0x0A: append(UInt8(ascii: "n"))
    case 0x0C: append(UInt8(ascii: "f"))
    case 0x0D: append(UInt8(ascii: "r"))
    default:
      append("u00")
      append(hex: UInt64(byte), digits: 2)
    }
  }
}
