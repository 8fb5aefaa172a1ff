internal import Primitives

/// `method SP request-target SP HTTP-version` (RFC 9112 section 3), with exactly these two spaces.
struct RequestLine: StartLine {
  let method: ByteSlice
  let path: ByteSlice
  let query: ByteSlice?
  let minorVersion: UInt8

  init(_ line: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) {
    let methodEnd = bytes.first(.space, from: line.lowerBound, to: line.upperBound)
    let method = line.lowerBound..<methodEnd
    guard bytes.isToken(method) else { throw .badMethod }
    guard methodEnd < line.upperBound else { throw .malformedRequestLine }
    let targetEnd = bytes.first(.space, from: methodEnd + 1, to: line.upperBound)
    let target = methodEnd + 1..<targetEnd
    guard line.upperBound - targetEnd == 1 + HTTPVersion.length, !target.isEmpty else {
      throw .malformedRequestLine
    }
    minorVersion = try HTTPVersion.minor(at: targetEnd + 1, in: bytes, malformed: .malformedRequestLine)
    let parts = try RequestTarget(target, in: bytes)
    self.method = ByteSlice(method)
    path = ByteSlice(parts.path)
    query = parts.query.map { ByteSlice($0) }
  }
}
