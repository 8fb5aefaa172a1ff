/// What a proxy says at the beginning of a connection of whom it connects, in the PROXY protocol, version 1 or 2.
///
/// Pure: it is asked anew with all that has come so far until it knows, so it never wants more than the header itself, and
/// what follows (a TLS handshake) stays unread.
package struct ProxyHeader: Sendable, Hashable {
  /// Whom the connection counts for; `nil`: the peer itself (version 1's UNKNOWN, version 2's LOCAL, and families of which
  /// there is no address for us).
  package let source: SocketAddress.Host?
  /// Of the header, in bytes.
  package let length: Int

  package enum Malformed: Error, Sendable, Hashable {
    /// Neither version's first bytes.
    case signature
    case version(UInt8)
    case command(UInt8)
    case family(UInt8)
    /// Version 1: not the line that the protocol has.
    case line
    /// Longer than it may be, or too short for the addresses that it announces.
    case length(Int)
  }

  /// Reads the header at the start of `bytes`; `nil`: it is not all here.
  package static func read(_ bytes: RawSpan) throws(Malformed) -> ProxyHeader? {
    let (one, two) = (agreement(bytes, with: lineStart), agreement(bytes, with: signature))
    // Their first bytes differ, so one byte tells which it could be.
    guard one > 0 || two > 0 else {
      if bytes.byteCount == 0 { return nil }
      throw .signature
    }
    let (agreed, whole) = one > 0 ? (one, lineStart.count) : (two, signature.count)
    guard agreed == min(bytes.byteCount, whole) else { throw .signature }
    guard agreed == whole else { return nil }
    return one > 0 ? try line(bytes) : try block(bytes)
  }

  private static let lineStart = Array("PROXY ".utf8)
  private static let signature: [UInt8] = [
    0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
  ]

  /// How many bytes are the same at the start.
  private static func agreement(_ bytes: RawSpan, with expected: [UInt8]) -> Int {
    var index = 0
    while index < min(bytes.byteCount, expected.count), bytes[index] == expected[index] { index += 1 }
    return index
  }
}

// Version 1: a line (section 2.1 of the specification).
extension ProxyHeader {
  /// With CRLF; the longest that a sender may write.
  package static let longestLine = 107

  private static func line(_ bytes: RawSpan) throws(Malformed) -> ProxyHeader? {
    var text: [UInt8] = []
    for index in 0..<min(bytes.byteCount, longestLine) {
      let byte = bytes[index]
      guard byte == 0x0D else {
        // An LF without its CR ends lines for some readers; here it is no line at all.
        guard byte != 0x0A else { throw .line }
        text.append(byte)
        continue
      }
      let end = index + 1
      guard end < longestLine else { break }
      guard end < bytes.byteCount else { return nil }
      guard bytes[end] == 0x0A else { throw .line }
      return ProxyHeader(source: try source(in: text[lineStart.count...]), length: end + 1)
    }
    guard bytes.byteCount < longestLine else { throw .length(longestLine) }
    return nil
  }

  /// - Parameter text: `TCP4 192.0.2.1 198.51.100.1 51234 443`
  private static func source(in text: ArraySlice<UInt8>) throws(Malformed) -> SocketAddress.Host? {
    let words = text.split(separator: 0x20, omittingEmptySubsequences: false)
    let family = String(decoding: words[0], as: UTF8.self)
    // Whatever stands behind it is to be ignored.
    if family == "UNKNOWN" { return nil }
    // A NUL would end the address for the C library and not for us.
    guard text.allSatisfy({ (0x20...0x7E).contains($0) }), ["TCP4", "TCP6"].contains(family),
      words.count == 5,
      words[3...].allSatisfy(isPort),
      let source = SocketAddress.Host(literal: String(decoding: words[1], as: UTF8.self)),
      let destination = SocketAddress.Host(literal: String(decoding: words[2], as: UTF8.self)),
      source.isV4 == (family == "TCP4"), destination.isV4 == source.isV4
    else { throw .line }
    return source
  }

  /// 0 to 65535 in decimal, without zeros in front.
  private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
    guard (1...5).contains(text.count), text.allSatisfy({ (0x30...0x39).contains($0) }),
      text.count == 1 || text.first != 0x30
    else { return false }
    return text.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 65535
  }
}

// Version 2: a block (section 2.2).
extension ProxyHeader {
  /// The addresses and the TLVs that proxies add (names, certificates' subjects, ids) take some hundred bytes; others that
  /// read the protocol stop at 4 KiB as well.
  package static let longestBlock = 4096
  private static let fixedLength = 16

  private static func block(_ bytes: RawSpan) throws(Malformed) -> ProxyHeader? {
    // As soon as a byte is wrong the connection can end.
    if bytes.byteCount > 12, bytes[12] >> 4 != 2 { throw .version(bytes[12] >> 4) }
    if bytes.byteCount > 12, bytes[12] & 0xF > 1 { throw .command(bytes[12] & 0xF) }
    guard bytes.byteCount >= fixedLength else { return nil }
    let isLocal = bytes[12] & 0xF == 0
    let rest = Int(bytes[14]) << 8 | Int(bytes[15])
    let length = fixedLength + rest
    guard length <= longestBlock else { throw .length(length) }
    // LOCAL's family is ignored, whatever it says.
    let family = isLocal ? .unspecified : try Family(bytes[13])
    guard rest >= family.addressLength else { throw .length(length) }
    guard bytes.byteCount >= length else { return nil }
    return ProxyHeader(source: source(family, in: bytes), length: length)
  }

  private static func source(_ family: Family, in bytes: RawSpan) -> SocketAddress.Host? {
    switch family {
    case .unspecified, .withoutAddress: nil
    case .tcp4: .v4(UInt32(truncatingIfNeeded: number(4, in: bytes, from: fixedLength)))
    case .tcp6:
      .v6(number(8, in: bytes, from: fixedLength), number(8, in: bytes, from: fixedLength + 8), scope: 0)
    }
  }

  /// In network order.
  private static func number(_ count: Int, in bytes: RawSpan, from start: Int) -> UInt64 {
    (start..<start + count).reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) }
  }

  private enum Family {
    case unspecified, tcp4, tcp6
    /// What the protocol has and a TCP listener does not get addresses of (UDP, UNIX): as unspecified, says section 2.2.
    case withoutAddress(length: Int)

    init(_ byte: UInt8) throws(Malformed) {
      switch byte {
      case 0x00: self = .unspecified
      case 0x11: self = .tcp4
      case 0x21: self = .tcp6
      case 0x12: self = .withoutAddress(length: 12)
      case 0x22: self = .withoutAddress(length: 36)
      case 0x31, 0x32: self = .withoutAddress(length: 216)
      default: throw .family(byte)
      }
    }

    var addressLength: Int {
      switch self {
      case .unspecified: 0
      case .tcp4: 12
      case .tcp6: 36
      case .withoutAddress(let length): length
      }
    }
  }
}

extension RawSpan {
  fileprivate subscript(index: Int) -> UInt8 { unsafeLoad(fromByteOffset: index, as: UInt8.self) }
}

extension SocketAddress.Host {
  fileprivate var isV4: Bool {
    if case .v4 = self { true } else { false }
  }
}
