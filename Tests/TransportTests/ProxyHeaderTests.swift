import Testing

@testable import Transport

/// Against section 2 of HAProxy's specification of the PROXY protocol.
@Suite struct ProxyHeaderTests {
  typealias Row = (name: String, bytes: [UInt8], source: String?)

  static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
  static let tcp4: [UInt8] = [203, 0, 113, 7, 198, 51, 100, 1, 0xC8, 0x22, 0x01, 0xBB]
  static let tcp6: [UInt8] =
    [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7] + [UInt8](repeating: 0, count: 15) + [1]
    + [0xC8, 0x22, 0x01, 0xBB]

  static func block(_ command: UInt8, _ family: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
    let length = length ?? rest.count
    return signature + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + rest
  }

  static let accepted: [Row] = [
    ("IPv4", Array("PROXY TCP4 203.0.113.7 198.51.100.1 51234 443\r\n".utf8), "203.0.113.7"),
    ("bounds", Array("PROXY TCP4 255.255.255.255 255.255.255.255 65535 0\r\n".utf8), "255.255.255.255"),
    ("IPv6", Array("PROXY TCP6 2001:DB8:0:0:0:0:0:7 2001:db8::1 51234 443\r\n".utf8), "2001:db8::7"),
    (
      "longest IPv6",
      Array(
        "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"
          .utf8), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    ),
    ("one group of zeros", Array("PROXY TCP6 2001:db8:0:1:1:1:1:1 ::1 1 2\r\n".utf8), "2001:db8:0:1:1:1:1:1"),
    ("the first of two gaps", Array("PROXY TCP6 2001:db8:0:0:1:0:0:1 ::1 1 2\r\n".utf8), "2001:db8::1:0:0:1"),
    ("low bits without dots", Array("PROXY TCP6 ::1:2 ::1 1 2\r\n".utf8), "::1:2"),
    ("mapped", Array("PROXY TCP6 ::ffff:203.0.113.7 ::ffff:198.51.100.1 1 2\r\n".utf8), "203.0.113.7"),
    ("unknown, short", Array("PROXY UNKNOWN\r\n".utf8), nil),
    ("unknown, with more", Array("PROXY UNKNOWN whatever 1 2 \u{7} 3 4 5\r\n".utf8), nil),
    ("unknown, longest", Array("PROXY UNKNOWN \(String(repeating: "f", count: 91))\r\n".utf8), nil),
    ("v2 IPv4", block(0x21, 0x11, tcp4), "203.0.113.7"),
    ("v2 IPv6", block(0x21, 0x21, tcp6), "2001:db8::7"),
    ("v2 with TLVs", block(0x21, 0x11, tcp4 + [0x04, 0, 3, 1, 2, 3]), "203.0.113.7"),
    ("v2 with what is no TLV", block(0x21, 0x11, tcp4 + [0xFF, 0xFF]), "203.0.113.7"),
    (
      "v2 at its bound", block(0x21, 0x11, tcp4 + [UInt8](repeating: 4, count: 4096 - 16 - 12)), "203.0.113.7"
    ),
    ("v2 local", block(0x20, 0x00, []), nil),
    ("v2 local with addresses", block(0x20, 0x11, tcp4), nil),
    ("v2 local of a family that is none", block(0x20, 0xFF, [1, 2, 3]), nil),
    ("v2 unspecified", block(0x21, 0x00, []), nil),
    ("v2 UDP", block(0x21, 0x12, tcp4), nil),
    ("v2 UDP over IPv6", block(0x21, 0x22, tcp6), nil),
    ("v2 UNIX", block(0x21, 0x31, [UInt8](repeating: 0x2F, count: 216)), nil),
    ("v2 UNIX datagram", block(0x21, 0x32, [UInt8](repeating: 0x2F, count: 216)), nil),
  ]

  @Test(arguments: accepted) func acceptsWholeAndNothingBehindIt(_ row: Row) throws {
    for rest in [[], Array("GET / HTTP/1.1\r\n".utf8), [0x16, 0x03, 0x01], row.bytes] {
      let header = try #require(try read(row.bytes + rest))
      #expect(header.length == row.bytes.count, "\(row.name)")
      #expect(header.source?.description == row.source, "\(row.name)")
    }
  }

  @Test(arguments: accepted) func waitsForEachByte(_ row: Row) throws {
    for count in 0..<row.bytes.count {
      let header = try read(Array(row.bytes.prefix(count)))
      #expect(header == nil, "\(row.name), \(count) bytes")
    }
  }

  @Test(arguments: [
    "GET / HTTP/1.1\r\n", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY\r\n",
    "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY \r\n", "PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY UNKNOWNS\r\n", "PROXY unknown\r\n",
    "PROXY TCP4\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rX",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n",
    "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
    "PROXY TCP4 256.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY TCP4 1.2.3.4\u{0}x 1.2.3.4 1 2\r\n", "PROXY TCP4 0x7f.1.1.1 1.2.3.4 1 2\r\n",
    "PROXY TCP4 ::1 ::1 1 2\r\n",
    "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP6 ::1 1.2.3.4 1 2\r\n",
    "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
    "PROXY TCP6 1::2::3 ::1 1 2\r\n", "PROXY TCP6 [::1] ::1 1 2\r\n", "PROXY TCP6 12345::1 ::1 1 2\r\n",
    "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY STCP4 1.2.3.4 1.2.3.4 1 2\r\n",
  ]) func refusesOtherLines(_ line: String) {
    #expect(throws: ProxyHeader.Malformed.self) { try read(Array(line.utf8)) }
  }

  /// 107 bytes with CRLF are the most; without CRLF they are enough to refuse.
  @Test func lineHasABound() throws {
    let start = "PROXY UNKNOWN "
    let long = Array((start + String(repeating: "x", count: 92)).utf8)
    #expect(long.count == 106)
    #expect(try read(long) == nil)
    for end in ["\r", "\r\n", "x"] {
      #expect(throws: ProxyHeader.Malformed.length(107)) { try read(long + Array(end.utf8)) }
    }
    #expect(throws: ProxyHeader.Malformed.length(107)) {
      try read(Array(start.utf8) + [UInt8](repeating: 0x78, count: 5000))
    }
  }

  @Test func refusesOtherBlocks() {
    let rows: [([UInt8], ProxyHeader.Malformed)] = [
      (Self.signature + [0x11], .version(1)), (Self.signature + [0x31], .version(3)),
      (Self.signature + [0x22], .command(2)), (Self.signature + [0x2F], .command(15)),
      (Self.block(0x21, 0x10, Self.tcp4), .family(0x10)), (Self.block(0x21, 0x01, Self.tcp4), .family(0x01)),
      (Self.block(0x21, 0x41, Self.tcp4), .family(0x41)), (Self.block(0x21, 0x13, Self.tcp4), .family(0x13)),
      (Self.block(0x21, 0x11, Array(Self.tcp4.dropLast())), .length(27)),
      (Self.block(0x21, 0x21, Array(Self.tcp6.dropLast())), .length(51)),
      (Self.block(0x21, 0x31, [UInt8](repeating: 1, count: 215)), .length(231)),
      // Known from the first sixteen bytes: nobody waits for more.
      (Self.block(0x21, 0x11, [], length: 4081), .length(4097)),
      (Self.block(0x20, 0x00, [], length: 0xFFFF), .length(65551)),
    ]
    for (bytes, fault) in rows { #expect(throws: fault) { try read(bytes) } }
  }

  /// A byte that cannot belong to either version is refused as soon as it is here.
  @Test func refusesAtTheFirstWrongByte() throws {
    for good in [Array("PROXY ".utf8), Self.signature] {
      for index in good.indices {
        #expect(throws: ProxyHeader.Malformed.signature) {
          try read(good[..<index] + [good[index] ^ 0x20])
        }
      }
    }
  }

  private func read(_ bytes: [UInt8]) throws(ProxyHeader.Malformed) -> ProxyHeader? {
    try ProxyHeader.read(bytes.span.bytes)
  }
}
