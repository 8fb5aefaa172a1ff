internal import Primitives

/// The field lines of one head, and what they say about framing and persistence.
struct FieldSection: Sendable {
  private(set) var lines: [FieldLine] = []
  private(set) var framing = Framing()

  /// Facts gathered while reading, so that nothing is looked up afterwards.
  struct Framing: Sendable {
    var contentLength: Int?
    var isChunked = false
    var hosts = 0
    var saysClose = false
    var saysKeepAlive = false
    var expectsContinue = false
  }

  /// Reads one field line (RFC 9112 section 5): `name ":" OWS value OWS`.
  @inline(__always)
  mutating func read(_ line: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) {
    let field = try Self.parse(line, in: bytes)
    if lines.isEmpty { lines.reserveCapacity(16) }
    lines.append(field)
    try note(field, in: bytes)
  }

  @inline(__always)
  static func parse(_ line: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) -> FieldLine {
    let colon = bytes.first(UInt8(ascii: ":"), from: line.lowerBound, to: line.upperBound)
    let name = line.lowerBound..<colon
    // A name that is known needs no look at its characters.
    let known = FieldName(recognisingWhole: name, in: bytes)
    guard colon < line.upperBound, known != nil || bytes.isToken(name) else {
      throw whyNotAName(line, in: bytes)
    }
    var start = colon + 1
    var end = line.upperBound
    while start < end, bytes.byte(start).isBlank { start += 1 }
    while end > start, bytes.byte(end - 1).isBlank { end -= 1 }
    return FieldLine(
      name: name, value: start..<end, known: known ?? FieldName(recognisingPrefixOf: name, in: bytes))
  }

  private static func whyNotAName(_ line: Range<Int>, in bytes: RawSpan) -> HTTPViolation {
    var index = line.lowerBound
    while index < line.upperBound, ByteSet.token.contains(bytes.byte(index)) { index += 1 }
    guard index < line.upperBound else { return .missingColon }
    if index == line.lowerBound {
      if bytes.byte(index).isBlank { return .obsFold }
      return bytes.byte(index) == UInt8(ascii: ":") ? .emptyFieldName : .badFieldName
    }
    return bytes.byte(index).isBlank ? .spaceBeforeColon : .badFieldName
  }

  @inline(__always)
  private mutating func note(_ field: FieldLine, in bytes: RawSpan) throws(HTTPViolation) {
    switch field.known {
    case .host:
      framing.hosts += 1
      guard framing.hosts == 1 else { throw .duplicateHost }
      guard HostField.isValid(field.value.range, in: bytes) else { throw .badHost }
    case .contentLength:
      guard framing.contentLength == nil else { throw .conflictingLength }
      framing.contentLength = try Self.decimal(field.value.range, in: bytes)
    case .transferEncoding:
      guard !framing.isChunked, bytes.matches(field.value.range, token: "chunked") else {
        throw .unsupportedTransferEncoding
      }
      framing.isChunked = true
    case .connection:
      noteConnectionOptions(field.value.range, in: bytes)
    case .expect:
      guard bytes.matches(field.value.range, token: "100-continue") else { throw .unsupportedExpectation }
      framing.expectsContinue = true
    default: break
    }
  }

  /// `Content-Length = 1*DIGIT` and nothing else: no sign, no list, no value beyond `Int`.
  private static func decimal(_ digits: Range<Int>, in bytes: RawSpan) throws(HTTPViolation) -> Int {
    guard !digits.isEmpty else { throw .badContentLength }
    var value = 0
    for index in digits {
      let digit = bytes.byte(index) &- UInt8(ascii: "0")
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(digit))
      guard digit < 10, !overflow, !carry else { throw .badContentLength }
      value = sum
    }
    return value
  }

  /// `Connection = #connection-option` (RFC 9110 section 7.6.1). Options other than these two ask for
  /// nothing here: an upgrade is never made.
  private mutating func noteConnectionOptions(_ value: Range<Int>, in bytes: RawSpan) {
    var index = value.lowerBound
    while index < value.upperBound {
      let start = index
      while index < value.upperBound, ByteSet.token.contains(bytes.byte(index)) { index += 1 }
      if bytes.matches(start..<index, token: "close") { framing.saysClose = true }
      if bytes.matches(start..<index, token: "keep-alive") { framing.saysKeepAlive = true }
      if index == start { index += 1 }
    }
  }

  /// Whether the connection persists (RFC 9112 section 9.3).
  func persists(minorVersion: UInt8) -> Bool {
    if framing.saysClose { return false }
    return minorVersion > 0 || framing.saysKeepAlive
  }

  /// How the content is delimited, the rules that requests and answers share (RFC 9112 section 6.3).
  func checkFraming(minorVersion: UInt8) throws(HTTPViolation) {
    guard framing.isChunked else { return }
    guard framing.contentLength == nil else { throw .contentLengthWithTransferEncoding }
    guard minorVersion > 0 else { throw .transferEncodingInHTTP10 }
  }
}
