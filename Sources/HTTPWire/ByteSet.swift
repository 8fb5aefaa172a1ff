/// A set of ASCII bytes as two words, so that membership is a shift and a mask.
///
/// The words are spelt out because a computed table would be built behind a lazy initialiser that every
/// lookup checks; the tests compare each set with the grammar's own listing.
struct ByteSet: Sendable {
  let low: UInt64
  let high: UInt64

  @inline(__always)
  func contains(_ byte: UInt8) -> Bool {
    let word = byte < 64 ? low : high
    return byte < 128 && word >> UInt64(byte & 63) & 1 != 0
  }

  /// `tchar` (RFC 9110 section 5.6.2).
  static var token: ByteSet { ByteSet(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }

  /// `pchar` without `%` (RFC 3986 section 3.3).
  static var path: ByteSet { ByteSet(low: 0x2FFF_7FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF) }

  /// `path` without `.`.
  static var plainPath: ByteSet { ByteSet(low: 0x2FFF_3FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF) }

  /// `pchar` without `%`, `/` and `?` (RFC 3986 section 3.4).
  static var query: ByteSet { ByteSet(low: 0xAFFF_FFD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF) }

  /// The unreserved characters (RFC 3986 section 2.3).
  static var unreserved: ByteSet { ByteSet(low: 0x03FF_6000_0000_0000, high: 0x47FF_FFFE_87FF_FFFE) }

  /// What stands between the brackets of an IPv6 address (RFC 3986 section 3.2.2).
  static var ipv6: ByteSet { ByteSet(low: 0x07FF_4000_0000_0000, high: 0x0000_007E_0000_007E) }
}

extension RawSpan {
  /// Whether `range` holds a token (RFC 9110 section 5.6.2).
  func isToken(_ range: Range<Int>) -> Bool {
    for index in range where !ByteSet.token.contains(byte(index)) { return false }
    return !range.isEmpty
  }
}

extension UInt8 {
  static var horizontalTab: UInt8 { 0x09 }
  static var lineFeed: UInt8 { 0x0A }
  static var carriageReturn: UInt8 { 0x0D }
  static var space: UInt8 { 0x20 }

  /// `OWS` is made of these (RFC 9110 section 5.6.3).
  @inline(__always)
  var isBlank: Bool { self == .space || self == .horizontalTab }

  /// A control byte that no field value may hold: all but the tab, and DEL.
  @inline(__always)
  var isForbiddenControl: Bool { self < 0x20 && self != .horizontalTab || self == 0x7F }

  @inline(__always)
  var asciiLowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
}
