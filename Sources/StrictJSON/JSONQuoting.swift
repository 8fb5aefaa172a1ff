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
    var index = start
    while index < value.count {
      append(upTo: Self.chunk) { out in
        guard let target = out.baseAddress else { return 0 }
        return Self.escape(value, from: &index, to: target)
      }
    }
    append(UInt8(ascii: "\""))
  }

  /// How much room escaping asks for at once.
  private static let chunk = 256
  /// The longest escape.
  private static let longestEscape = 6

  /// Writes what stands from `index` on, as far as a chunk takes it.
  /// - Returns: how many bytes were written.
  private static func escape(
    _ value: Span<UInt8>, from index: inout Int, to target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    let raw = value.bytes
    var written = 0
    while index < value.count, written &+ JSONBytes.block &+ longestEscape <= chunk {
      if index &+ JSONBytes.block <= value.count {
        // A block is copied whatever it is; as many bytes count as stand before the first that needs an escape.
        JSONBytes.copyBlock(of: raw, at: index, to: target + written)
        let plain = JSONBytes.plainCount(in: raw, at: index, stopAtNonASCII: false)
        index &+= plain
        written &+= plain
        if plain == JSONBytes.block { continue }
      } else if index &+ 8 <= value.count {
        let word = JSONBytes.word(raw, at: index)
        UnsafeMutableRawPointer(target + written).storeBytes(of: word.littleEndian, as: UInt64.self)
        let found = JSONBytes.specials(in: word, stopAtNonASCII: false)
        let plain = found == 0 ? 8 : JSONBytes.firstMark(found)
        index &+= plain
        written &+= plain
        if plain == 8 { continue }
      } else if !needsEscape(value[unchecked: index]) {
        target[written] = value[unchecked: index]
        index &+= 1
        written &+= 1
        continue
      }
      written &+= writeEscape(of: value[unchecked: index], to: target + written)
      index &+= 1
    }
    return written
  }

  @inline(__always)
  private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  /// - Returns: how many bytes were written.
  @inline(__always)
  private static func writeEscape(of byte: UInt8, to target: UnsafeMutablePointer<UInt8>) -> Int {
    target[0] = UInt8(ascii: "\\")
    guard byte < 0x20 else {
      target[1] = byte
      return 2
    }
    return writeControl(byte, to: target)
  }

  /// What stands for a control, behind the backslash.
  @inline(never)
  private static func writeControl(_ byte: UInt8, to target: UnsafeMutablePointer<UInt8>) -> Int {
    let letter: UInt8? =
      switch byte {
      case 0x08: UInt8(ascii: "b")
      case 0x09: UInt8(ascii: "t")
      case 0x0A: UInt8(ascii: "n")
      case 0x0C: UInt8(ascii: "f")
      case 0x0D: UInt8(ascii: "r")
      default: nil
      }
    if let letter {
      target[1] = letter
      return 2
    }
    target[1] = UInt8(ascii: "u")
    target[2] = UInt8(ascii: "0")
    target[3] = UInt8(ascii: "0")
    target[4] = Hex.digit(byte &>> 4)
    target[5] = Hex.digit(byte & 15)
    return 6
  }
}
