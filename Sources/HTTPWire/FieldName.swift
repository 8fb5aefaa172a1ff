/// The fields the gateway looks up, recognised once while parsing (case-insensitively, RFC 9110 section 5.1).
@usableFromInline package enum FieldName: UInt8, BitwiseCopyable, Sendable, Hashable {
  case other
  // Framing and persistence.
  case host, connection, contentLength, transferEncoding, expect
  // Who calls, and with what.
  case authorization, contentType, accept, userAgent, xForwardedFor, gatehouseActor
  case amzDate, amzSecurityToken, amzContentSHA256
  // Passed on.
  case amzTraceId, traceparent, tracestate
  // Of answers.
  case retryAfter, amznRequestId, amznErrorType
  /// Any other name that begins with `x-amz-`, `x-amzn-`, `amz-sdk-`.
  case xAmzPrefix, xAmznPrefix, amzSdkPrefix
}

extension FieldName {
  /// Recognises a whole name. Only tokens are recognised; the names that SDKs send with every request are
  /// among them even where the gateway has no use for them.
  @inline(__always)
  init?(recognisingWhole range: Range<Int>, in bytes: RawSpan) {
    guard let name = Self.whole(range, in: bytes) else { return nil }
    self = name
  }

  private static func whole(_ name: Range<Int>, in bytes: RawSpan) -> FieldName? {
    switch name.count {
    case 4:
      if bytes.matches(name, token: "host") { return .host }
      return bytes.matches(name, token: "date") ? .other : nil
    case 6:
      if bytes.matches(name, token: "accept") { return .accept }
      return bytes.matches(name, token: "expect") ? .expect : nil
    case 10:
      if bytes.matches(name, token: "x-amz-date") { return .amzDate }
      if bytes.matches(name, token: "user-agent") { return .userAgent }
      if bytes.matches(name, token: "connection") { return .connection }
      return bytes.matches(name, token: "tracestate") ? .tracestate : nil
    case 11:
      if bytes.matches(name, token: "traceparent") { return .traceparent }
      return bytes.matches(name, token: "retry-after") ? .retryAfter : nil
    case 12: return bytes.matches(name, token: "content-type") ? .contentType : nil
    case 13: return bytes.matches(name, token: "authorization") ? .authorization : nil
    case 14: return bytes.matches(name, token: "content-length") ? .contentLength : nil
    case 15:
      if bytes.matches(name, token: "accept-encoding") { return .other }
      if bytes.matches(name, token: "amz-sdk-request") { return .amzSdkPrefix }
      if bytes.matches(name, token: "x-amzn-trace-id") { return .amzTraceId }
      return bytes.matches(name, token: "x-forwarded-for") ? .xForwardedFor : nil
    case 16:
      if bytes.matches(name, token: "x-amzn-requestid") { return .amznRequestId }
      return bytes.matches(name, token: "x-amzn-errortype") ? .amznErrorType : nil
    case 17:
      if bytes.matches(name, token: "x-gatehouse-actor") { return .gatehouseActor }
      return bytes.matches(name, token: "transfer-encoding") ? .transferEncoding : nil
    case 20:
      if bytes.matches(name, token: "x-amz-content-sha256") { return .amzContentSHA256 }
      return bytes.matches(name, token: "x-amz-security-token") ? .amzSecurityToken : nil
    case 21: return bytes.matches(name, token: "amz-sdk-invocation-id") ? .amzSdkPrefix : nil
    default: return nil
    }
  }

  /// The family of a name that is not known as a whole.
  init(recognisingPrefixOf name: Range<Int>, in bytes: RawSpan) {
    self =
      if bytes.matches(name.prefix(6), token: "x-amz-") {
        .xAmzPrefix
      } else if bytes.matches(name.prefix(8), token: "amz-sdk-") {
        .amzSdkPrefix
      } else if bytes.matches(name.prefix(7), token: "x-amzn-") {
        .xAmznPrefix
      } else {
        .other
      }
  }
}
