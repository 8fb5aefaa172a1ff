/// The fields the gateway looks up, recognised once while parsing (case-insensitively, RFC 9110 section 5.1).
@usableFromInline package enum FieldName: UInt8, BitwiseCopyable, Sendable, Hashable {
  case other
  case host, connection, keepAlive, contentLength, transferEncoding, expect, te, trailer, upgrade
  case proxyConnection, proxyAuthorization, proxyAuthenticate
  case authorization, contentType, accept, userAgent, date
  case amzDate, amzSecurityToken, amzContentSHA256, amzTraceId
  case forwarded, traceparent, tracestate, retryAfter
  /// Any other name that begins with `x-forwarded-`, `x-amz-`, `x-gatehouse-`, `amz-sdk-`, `x-amzn-`.
  case xForwardedPrefix, xAmzPrefix, xGatehousePrefix, amzSdkPrefix, xAmznPrefix
  case gatehouseActor
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
    case 2: return bytes.matches(name, token: "te") ? .te : nil
    case 4:
      if bytes.matches(name, token: "host") { return .host }
      return bytes.matches(name, token: "date") ? .date : nil
    case 6:
      if bytes.matches(name, token: "accept") { return .accept }
      return bytes.matches(name, token: "expect") ? .expect : nil
    case 7:
      if bytes.matches(name, token: "trailer") { return .trailer }
      return bytes.matches(name, token: "upgrade") ? .upgrade : nil
    case 9: return bytes.matches(name, token: "forwarded") ? .forwarded : nil
    case 10:
      if bytes.matches(name, token: "x-amz-date") { return .amzDate }
      if bytes.matches(name, token: "user-agent") { return .userAgent }
      if bytes.matches(name, token: "connection") { return .connection }
      if bytes.matches(name, token: "keep-alive") { return .keepAlive }
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
      return bytes.matches(name, token: "x-amzn-trace-id") ? .amzTraceId : nil
    case 16: return bytes.matches(name, token: "proxy-connection") ? .proxyConnection : nil
    case 17:
      if bytes.matches(name, token: "x-gatehouse-actor") { return .gatehouseActor }
      return bytes.matches(name, token: "transfer-encoding") ? .transferEncoding : nil
    case 18: return bytes.matches(name, token: "proxy-authenticate") ? .proxyAuthenticate : nil
    case 19: return bytes.matches(name, token: "proxy-authorization") ? .proxyAuthorization : nil
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
      } else if bytes.matches(name.prefix(12), token: "x-forwarded-") {
        .xForwardedPrefix
      } else if bytes.matches(name.prefix(12), token: "x-gatehouse-") {
        .xGatehousePrefix
      } else {
        .other
      }
  }
}
