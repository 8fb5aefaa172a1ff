/// Base 64 (RFC 4648 section 4), with padding.
package enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  package static func encode(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for byte in group { bits = bits << 8 | UInt32(byte) }
      bits <<= UInt32(8 * (3 - group.count))
      for position in 0..<4 {
        let sextet = Int(bits >> UInt32(18 - 6 * position)) & 63
        out.append(position <= group.count ? alphabet[sextet] : UInt8(ascii: "="))
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// `nil` for anything but canonical base64: foreign characters, wrong padding, stray bits.
  package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    guard text.count.isMultiple(of: 4) else { return nil }
    var out: [UInt8] = []
    var bits: UInt32 = 0
    var sextets = 0
    var padding = 0
    for character in text {
      if character == UInt8(ascii: "=") {
        padding += 1
        bits <<= 6
      } else {
        guard padding == 0, let value = alphabet.firstIndex(of: character) else { return nil }
        bits = bits << 6 | UInt32(value)
      }
      sextets += 1
      guard sextets.isMultiple(of: 4) else { continue }
      guard padding <= 2, bits & ((1 << UInt32(8 * padding)) - 1) == 0 else { return nil }
      let group = [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
      out.append(contentsOf: group.dropLast(padding))
      bits = 0
    }
    return out
  }
}
