/// A status line and its fields, checked against RFC 9112: positions in the bytes that they arrived in.
@usableFromInline package final class ResponseHead: MessageHead, @unchecked Sendable {
  /// 200–599: interim answers are not handed out.
  package private(set) var status = 0
  /// Whether the connection can carry another exchange (RFC 9112 section 9.3). `false` when the content
  /// was delimited by the connection's end.
  package private(set) var keepAlive = false

  init() { super.init() }

  /// The connection's end delimited the content.
  func willNotPersist() { keepAlive = false }
}

extension ResponseHead: ReadHead {
  func replaceStart(with line: StatusLine, _ framing: FramingFields) {
    status = line.status
    keepAlive = framing.persists(minorVersion: line.minorVersion)
  }
}

/// `HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112 section 4). The second space may be missing
/// where no reason follows, as some servers write it; nothing else can be read into that.
struct StatusLine: StartLine {
  let minorVersion: UInt8
  let status: Int

  init(_ line: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) {
    let statusStart = line.lowerBound + HTTPVersion.length + 1
    let statusEnd = statusStart + 3
    guard statusEnd <= line.upperBound, bytes.byte(statusStart - 1) == .space else {
      throw .malformedStatusLine
    }
    minorVersion = try HTTPVersion.minor(at: line.lowerBound, in: bytes, malformed: .malformedStatusLine)
    var status = 0
    for index in statusStart..<statusEnd {
      let digit = bytes.byte(index) &- UInt8(ascii: "0")
      guard digit < 10 else { throw .malformedStatusLine }
      status = status * 10 + Int(digit)
    }
    guard (100...599).contains(status) else { throw .badStatusCode }
    guard statusEnd == line.upperBound || bytes.byte(statusEnd) == .space else { throw .malformedStatusLine }
    self.status = status
  }
}
