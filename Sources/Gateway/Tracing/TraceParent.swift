internal import Primitives

/// The field `traceparent` (W3C Trace Context, section 3.2): to which trace a request belongs, and to which span in it.
struct TraceParent: Hashable, Sendable {
  let trace: TraceID
  let span: UInt64
  /// Whether whoever called records the trace.
  let isSampled: Bool

  /// `nil` when it is not well-formed; then it is as if there were none.
  init?(_ text: Span<UInt8>) {
    // 00-<32 digits>-<16 digits>-<2 digits>; a later version may have more behind that.
    guard text.count >= 55, let version = Self.number(text, 0..<2), version != 0xFF,
      version != 0 || text.count == 55, text.count == 55 || text[55] == UInt8(ascii: "-"),
      text[2] == UInt8(ascii: "-"), text[35] == UInt8(ascii: "-"), text[52] == UInt8(ascii: "-"),
      let high = Self.number(text, 3..<19), let low = Self.number(text, 19..<35),
      let span = Self.number(text, 36..<52), let flags = Self.number(text, 53..<55),
      high | low != 0, span != 0
    else { return nil }
    trace = TraceID(high: high, low: low)
    self.span = span
    isSampled = flags & 1 == 1
  }

  /// Of lower-case hexadecimal digits.
  private static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
    var number: UInt64 = 0
    for index in range {
      guard let digit = Hex.value(of: text[index]), !(0x41...0x46).contains(text[index]) else { return nil }
      number = number << 4 | UInt64(digit)
    }
    return number
  }
}

struct TraceID: Hashable, Sendable {
  let high: UInt64
  let low: UInt64

  var text: String { Self.hex(high) + Self.hex(low) }

  static func hex(_ number: UInt64) -> String {
    Hex.encode((0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * (7 - $0))) })
  }
}
