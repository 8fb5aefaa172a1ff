internal import Primitives

/// What a head's fields say about framing and persistence, gathered while they are read, so that nothing is looked up
/// afterwards.
struct FramingFields: BitwiseCopyable, Sendable {
  private(set) var contentLength: Int?
  private(set) var isChunked = false
  private(set) var hosts = 0
  private var saysClose = false
  private var saysKeepAlive = false
  private(set) var expectsContinue = false

  @inline(__always)
  mutating func note(_ field: FieldLine, in bytes: RawSpan) throws(HTTPViolation) {
    switch field.known {
    case .host:
      hosts += 1
      guard hosts == 1 else { throw .duplicateHost }
      guard HostField.isValid(field.value.range, in: bytes) else { throw .badHost }
    case .contentLength:
      guard contentLength == nil else { throw .conflictingLength }
      contentLength = try Self.decimal(field.value.range, in: bytes)
    case .transferEncoding:
      guard !isChunked, bytes.matches(field.value.range, token: "chunked") else {
        throw .unsupportedTransferEncoding
      }
      isChunked = true
    case .connection:
      noteConnectionOptions(field.value.range, in: bytes)
    case .expect:
      guard bytes.matches(field.value.range, token: "100-continue") else { throw .unsupportedExpectation }
      expectsContinue = true
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
      if bytes.matches(start..<index, token: "close") { saysClose = true }
      if bytes.matches(start..<index, token: "keep-alive") { saysKeepAlive = true }
      if index == start { index += 1 }
    }
  }

  /// Whether the connection persists (RFC 9112 section 9.3).
  func persists(minorVersion: UInt8) -> Bool {
    if saysClose { return false }
    return minorVersion > 0 || saysKeepAlive
  }

  /// The rules that requests and answers share (RFC 9112 section 6.3).
  func check(minorVersion: UInt8) throws(HTTPViolation) {
    guard isChunked else { return }
    guard contentLength == nil else { throw .contentLengthWithTransferEncoding }
    guard minorVersion > 0 else { throw .transferEncodingInHTTP10 }
  }
}
