/// `method SP request-target SP HTTP-version` (RFC 9112 section 3), with exactly these two spaces.
struct RequestLine: StartLine {
  let method: Range<Int>
  let target: Range<Int>
  let path: Range<Int>
  let query: Range<Int>?
  let minorVersion: UInt8

  init(_ line: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) {
    var index = line.lowerBound
    while index < line.upperBound, ByteSet.token.contains(bytes.byte(index)) { index += 1 }
    method = line.lowerBound..<index
    guard !method.isEmpty else { throw .badMethod }
    guard index < line.upperBound else { throw .malformedRequestLine }
    guard bytes.byte(index) == .space else { throw .badMethod }
    let start = index + 1
    index = start
    while index < line.upperBound, bytes.byte(index) != .space { index += 1 }
    target = start..<index
    guard line.upperBound - index == 1 + HTTPVersion.length, !target.isEmpty else {
      throw .malformedRequestLine
    }
    minorVersion = try HTTPVersion.minor(at: index + 1, in: bytes, malformed: .malformedRequestLine)
    let parts = try RequestTarget(target, in: bytes)
    path = parts.path
    query = parts.query
  }
}
