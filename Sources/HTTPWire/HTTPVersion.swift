/// Reading `HTTP/1.0` and `HTTP/1.1` (RFC 9112 section 2.3).
enum HTTPVersion {
  static let length = 8

  /// The minor version of the eight bytes at `start`; `malformed` when they are no version at all.
  @inline(__always)
  static func minor(
    at start: Int, in bytes: RawSpan, malformed: HTTPViolation
  ) throws(HTTPViolation) -> UInt8 {
    let letters: [4 of UInt8] = [0x48, 0x54, 0x54, 0x50]
    for index in 0..<4 where bytes.byte(start + index) != letters[index] { throw malformed }
    let major = bytes.byte(start + 5) &- UInt8(ascii: "0")
    let minor = bytes.byte(start + 7) &- UInt8(ascii: "0")
    guard bytes.byte(start + 4) == UInt8(ascii: "/"), bytes.byte(start + 6) == UInt8(ascii: "."), major < 10,
      minor < 10
    else { throw malformed }
    guard major == 1, minor <= 1 else { throw .unsupportedVersion }
    return minor
  }
}
