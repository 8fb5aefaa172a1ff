/// Percent-encoding (RFC 3986 section 2.1).
@usableFromInline package enum PercentCoding {
  /// RFC 3986 unreserved characters: letters, digits, `-`, `.`, `_`, `~`.
  @inlinable package static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
    default: false
    }
  }

  /// Appends `bytes` as SigV4 encodes them: all but unreserved characters (and `keeping`) become
  /// `%XX` in upper case.
  @inlinable package static func encode(
    _ bytes: some Sequence<UInt8>, keeping kept: UInt8? = nil, into out: inout [UInt8]
  ) {
    for byte in bytes {
      if isUnreserved(byte) || byte == kept {
        out.append(byte)
      } else {
        out.append(0x25)
        out.append(upperDigit(byte >> 4))
        out.append(upperDigit(byte & 15))
      }
    }
  }

  /// `nil` when a `%` is not followed by two hexadecimal digits.
  @inlinable package static func decode(_ bytes: some Collection<UInt8>) -> [UInt8]? {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var iterator = bytes.makeIterator()
    while let byte = iterator.next() {
      guard byte == 0x25 else {
        out.append(byte)
        continue
      }
      guard let first = iterator.next(), let second = iterator.next(),
        let high = Hex.value(of: first), let low = Hex.value(of: second)
      else { return nil }
      out.append(high << 4 | low)
    }
    return out
  }

  /// The upper-case digit for a value below 16.
  @inlinable package static func upperDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? 0x30 &+ value : 0x37 &+ value
  }
}
