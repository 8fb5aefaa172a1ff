/// Reading `HTTP/1.0` and `HTTP/1.1` (RFC 9112 section 2.3).
enum HTTPVersion {
  static let length = 8

  /// The minor version of the eight bytes at `start`; `malformed` when they are no version at all.
  @inline(__always)
  static func minor(
    at start: Int, in bytes: RawSpan, malformed: HTTPViolation
  ) throws(HTTPViolation) -> UInt8 {
    let version = start..<start + length
    if bytes.equals(version, "HTTP/1.1") { return 1 }
    if bytes.equals(version, "HTTP/1.0") { return 0 }
    // Another version, or none?
    let major = bytes.byte(start + 5) &- UInt8(ascii: "0")
    let minor = bytes.byte(start + 7) &- UInt8(ascii: "0")
    guard bytes.equals(start..<start + 5, "HTTP/"), bytes.byte(start + 6) == UInt8(ascii: "."), major < 10,
      minor < 10
    else { throw malformed }
    throw .unsupportedVersion
  }
}
