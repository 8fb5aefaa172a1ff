internal import Primitives

/// The checks on a request target: origin-form (RFC 9112 section 3.2.1), made of what RFC 3986 lets stand
/// in a path and a query, the path in normal form.
///
/// Encoded slashes and colons are normal here: botocore writes an ARN in a path as `arn%3Aaws%3A…%2F…`.
/// They still end a segment when dot segments are looked for, since whoever decodes first would see one.
struct RequestTarget {
  let path: Range<Int>
  let query: Range<Int>?

  init(_ target: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) {
    guard !target.isEmpty, bytes.byte(target.lowerBound) == UInt8(ascii: "/") else {
      throw .targetNotOriginForm
    }
    let pathEnd = try Self.checkPath(target, in: bytes)
    path = target.lowerBound..<pathEnd
    if pathEnd < target.upperBound {
      let inside = pathEnd + 1..<target.upperBound
      try Self.checkQuery(inside, in: bytes)
      query = inside
    } else {
      query = nil
    }
  }

  /// Returns where the path ends: at the `?` or at the end of the target.
  private static func checkPath(_ target: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) -> Int {
    var segment = Segment()
    var decoded = DoubleEncoding()
    var index = target.lowerBound
    while index < target.upperBound {
      let byte = bytes.byte(index)
      // What most of a path is made of.
      if !decoded.hasBegun, ByteSet.plainPath.contains(byte) {
        segment.noteOther()
        index += 1
        continue
      }
      switch byte {
      case UInt8(ascii: "/"):
        if index > target.lowerBound, bytes.byte(index - 1) == byte { throw .targetNotNormal(.emptySegment) }
        try segment.end()
        decoded.note(byte, encoded: false)
      case UInt8(ascii: "%"):
        let value = try percentEncoded(at: index, end: target.upperBound, in: bytes)
        if value == UInt8(ascii: "/") || value == UInt8(ascii: "\\") {
          try segment.end()
        } else {
          segment.note(value)
        }
        decoded.note(value, encoded: true)
        index += 2
      case UInt8(ascii: "?"):
        try segment.end()
        return index
      default:
        guard ByteSet.path.contains(byte) else { throw .badTargetByte(byte) }
        segment.note(byte)
        decoded.note(byte, encoded: false)
      }
      if decoded.found { throw .targetNotNormal(.doublePercentEncoding) }
      index += 1
    }
    try segment.end()
    return index
  }

  private static func checkQuery(_ query: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) {
    var index = query.lowerBound
    while index < query.upperBound {
      let byte = bytes.byte(index)
      if byte == UInt8(ascii: "%") {
        _ = try percentEncoded(at: index, end: query.upperBound, in: bytes)
        index += 3
      } else {
        guard ByteSet.query.contains(byte) else { throw .badTargetByte(byte) }
        index += 1
      }
    }
  }

  /// The value of the `%XX` at `index`.
  private static func percentEncoded(
    at index: Int, end: Int, in bytes: RawSpan
  ) throws(HTTPViolation) -> UInt8 {
    guard index + 2 < end, let high = Hex.value(of: bytes.byte(index + 1)),
      let low = Hex.value(of: bytes.byte(index + 2))
    else { throw .targetNotNormal(.malformedPercentEncoding) }
    let value = high << 4 | low
    guard value != 0, value != .carriageReturn, value != .lineFeed else {
      throw .targetNotNormal(.encodedControl)
    }
    return value
  }

  /// The decoded characters of the segment at hand, as far as dot segments go.
  private struct Segment {
    private var dots = 0
    private var others = false

    mutating func note(_ byte: UInt8) {
      if byte == UInt8(ascii: ".") { dots += 1 } else { others = true }
    }

    mutating func noteOther() { others = true }

    mutating func end() throws(HTTPViolation) {
      if !others, dots == 1 || dots == 2 { throw .targetNotNormal(.dotSegment) }
      self = Segment()
    }
  }

  /// Looks for an encoded `%` that two hexadecimal digits follow, themselves encoded or not.
  private struct DoubleEncoding {
    private var matched = 0
    var hasBegun: Bool { matched > 0 }
    var found: Bool { matched == 3 }

    mutating func note(_ byte: UInt8, encoded: Bool) {
      if encoded, byte == UInt8(ascii: "%") {
        matched = 1
      } else if matched > 0 {
        matched = Hex.value(of: byte) == nil ? 0 : matched + 1
      }
    }
  }
}
