/// The id of one request: a random UUID (RFC 9562 version 4), as AWS's request ids are.
package struct RequestID: Hashable, Sendable {
  package let high: UInt64
  package let low: UInt64

  package init(from entropy: some Entropy) {
    high = entropy.next() & ~0xF000 | 0x4000
    low = entropy.next() & ~(0b11 << 62) | (0b10 << 62)
  }

  /// One that was made before.
  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Appends the 36 characters of the UUID's text form.
  package func append(to out: inout [UInt8]) {
    for (index, shift) in stride(from: 60, through: 0, by: -4).enumerated() {
      if index == 8 || index == 12 { out.append(UInt8(ascii: "-")) }
      out.append(Hex.digit(UInt8(high >> UInt64(shift) & 15)))
    }
    for (index, shift) in stride(from: 60, through: 0, by: -4).enumerated() {
      if index == 0 || index == 4 { out.append(UInt8(ascii: "-")) }
      out.append(Hex.digit(UInt8(low >> UInt64(shift) & 15)))
    }
  }

  package var text: Text {
    var out: [UInt8] = []
    out.reserveCapacity(36)
    append(to: &out)
    return Text(uncheckedUTF8: out)
  }
}
