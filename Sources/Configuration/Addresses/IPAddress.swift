/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) is the IPv4 address.
package struct IPAddress: Hashable, Sendable {
  /// The 128 bits in network order; IPv4 in its mapped form.
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package init(ipv4 bits: UInt32) {
    self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(bits))
  }

  package var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }
  /// `0.0.0.0` or `::`, which stand for every address of their family.
  package var isUnspecified: Bool { low == (isIPv4 ? 0xFFFF_0000_0000 : 0) && high == 0 }
  package var isLoopback: Bool { isIPv4 ? low >> 24 & 0xFF == 127 : high == 0 && low == 1 }

  /// Reads dotted IPv4 (RFC 6943 section 3.1.1, strict form) or IPv6 (RFC 4291 section 2.2) without a zone.
  package init?(parsing bytes: some Collection<UInt8>) {
    let text = Array(bytes)
    if text.contains(UInt8(ascii: ":")) {
      guard let (high, low) = Self.ipv6(text[...]) else { return nil }
      self.init(high: high, low: low)
    } else {
      guard let bits = Self.ipv4(text[...]) else { return nil }
      self.init(ipv4: bits)
    }
  }

  private static func ipv4(_ text: ArraySlice<UInt8>) -> UInt32? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bits: UInt32 = 0
    for part in parts {
      // A leading zero means octal to some readers, so it means nothing here.
      guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else {
        return nil
      }
      var value: UInt32 = 0
      for byte in part {
        guard (0x30...0x39).contains(byte) else { return nil }
        value = value * 10 + UInt32(byte - 0x30)
      }
      guard value <= 255 else { return nil }
      bits = bits << 8 | value
    }
    return bits
  }

  private static func ipv6(_ text: ArraySlice<UInt8>) -> (UInt64, UInt64)? {
    guard let gap = firstGap(in: text) else {
      guard let groups = groups(text), groups.count == 8 else { return nil }
      return pack(groups)
    }
    let before = text[..<gap]
    let after = text[(gap + 2)...]
    guard firstGap(in: after) == nil, let head = before.isEmpty ? [] : groups(before, mayEndInIPv4: false),
      let tail = after.isEmpty ? [] : groups(after), head.count + tail.count <= 7
    else { return nil }
    return pack(head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail)
  }

  /// Where `::` begins.
  private static func firstGap(in text: ArraySlice<UInt8>) -> Int? {
    text.indices.dropLast().first { text[$0] == UInt8(ascii: ":") && text[$0 + 1] == UInt8(ascii: ":") }
  }

  private static func groups(_ text: ArraySlice<UInt8>, mayEndInIPv4: Bool = true) -> [UInt16]? {
    let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    var groups: [UInt16] = []
    for (index, part) in parts.enumerated() {
      if part.contains(UInt8(ascii: ".")) {
        guard mayEndInIPv4, index == parts.count - 1, let bits = ipv4(part) else { return nil }
        groups += [UInt16(bits >> 16), UInt16(bits & 0xFFFF)]
      } else {
        guard (1...4).contains(part.count),
          part.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }),
          let value = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
        else { return nil }
        groups.append(value)
      }
    }
    return groups.count <= 8 ? groups : nil
  }

  private static func pack(_ groups: [UInt16]) -> (UInt64, UInt64) {
    let high = groups[..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
    return (high, groups[4...].reduce(UInt64(0)) { $0 << 16 | UInt64($1) })
  }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted, or as RFC 5952 writes IPv6.
  package var description: String {
    if isIPv4 {
      return [24, 16, 8, 0].map { String(low >> UInt64($0) & 0xFF) }.joined(separator: ".")
    }
    let groups =
      [48, 32, 16, 0].map { high >> UInt64($0) & 0xFFFF }
      + [48, 32, 16, 0].map { low >> UInt64($0) & 0xFFFF }
    let run = Self.longestZeroRun(groups)
    let words = groups.map { String($0, radix: 16) }
    guard run.count > 1 else { return words.joined(separator: ":") }
    return words[..<run.lowerBound].joined(separator: ":") + "::"
      + words[run.upperBound...].joined(separator: ":")
  }

  private static func longestZeroRun(_ groups: [UInt64]) -> Range<Int> {
    var best = 0..<0
    var start = 0
    for (index, group) in groups.enumerated() {
      if group != 0 {
        start = index + 1
      } else if index + 1 - start > best.count {
        best = start..<index + 1
      }
    }
    return best
  }
}

/// Addresses with a common prefix: `10.0.0.0/8`, `2001:db8::/32`, or a single one.
package struct AddressBlock: Hashable, Sendable {
  package let address: IPAddress
  /// Of the 128 bits.
  package let prefixLength: Int

  package init?(parsing text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = IPAddress(parsing: parts[0]) else { return nil }
    self.address = address
    let width = address.isIPv4 ? 32 : 128
    guard parts.count == 2 else {
      prefixLength = 128
      return
    }
    guard (1...3).contains(parts[1].count), parts[1].allSatisfy({ (0x30...0x39).contains($0) }),
      let length = Int(Substring(parts[1])), length <= width
    else { return nil }
    prefixLength = 128 - width + length
  }

  package func contains(_ other: IPAddress) -> Bool {
    guard other.isIPv4 == address.isIPv4 else { return false }
    let highMask = Self.mask(prefixLength)
    let lowMask = Self.mask(prefixLength - 64)
    return other.high & highMask == address.high & highMask && other.low & lowMask == address.low & lowMask
  }

  /// The first `length` bits of 64.
  private static func mask(_ length: Int) -> UInt64 {
    length <= 0 ? 0 : length >= 64 ? .max : ~(UInt64.max >> UInt64(length))
  }
}
