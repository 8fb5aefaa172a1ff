/// The fields the gateway looks up, recognised once while parsing (case-insensitively, RFC 9110 section 5.1).
package enum FieldName: UInt8, Sendable, Hashable {
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
  /// Recognises the token at `range`.
  init(recognising range: Range<Int>, in bytes: RawSpan) {
    self = Self.whole(range, in: bytes) ?? Self.byPrefix(range, in: bytes)
  }

  private static func whole(_ range: Range<Int>, in bytes: RawSpan) -> FieldName? {
    func named(_ name: StaticString) -> Bool { bytes.matches(range, token: name) }
    switch range.count {
    case 2: return named("te") ? .te : nil
    case 4: return named("host") ? .host : named("date") ? .date : nil
    case 6: return named("accept") ? .accept : named("expect") ? .expect : nil
    case 7: return named("trailer") ? .trailer : named("upgrade") ? .upgrade : nil
    case 9: return named("forwarded") ? .forwarded : nil
    case 10:
      if named("x-amz-date") { return .amzDate }
      if named("user-agent") { return .userAgent }
      if named("connection") { return .connection }
      if named("keep-alive") { return .keepAlive }
      return named("tracestate") ? .tracestate : nil
    case 11:
      return named("traceparent") ? .traceparent : named("retry-after") ? .retryAfter : nil
    case 12: return named("content-type") ? .contentType : nil
    case 13: return named("authorization") ? .authorization : nil
    case 14: return named("content-length") ? .contentLength : nil
    case 15: return named("x-amzn-trace-id") ? .amzTraceId : nil
    case 16: return named("proxy-connection") ? .proxyConnection : nil
    case 17:
      if named("x-gatehouse-actor") { return .gatehouseActor }
      return named("transfer-encoding") ? .transferEncoding : nil
    case 18: return named("proxy-authenticate") ? .proxyAuthenticate : nil
    case 19: return named("proxy-authorization") ? .proxyAuthorization : nil
    case 20:
      if named("x-amz-content-sha256") { return .amzContentSHA256 }
      return named("x-amz-security-token") ? .amzSecurityToken : nil
    default: return nil
    }
  }

  private static func byPrefix(_ range: Range<Int>, in bytes: RawSpan) -> FieldName {
    func begins(_ prefix: StaticString) -> Bool {
      let count = prefix.utf8CodeUnitCount
      return range.count >= count
        && bytes.matches(range.lowerBound..<range.lowerBound + count, token: prefix)
    }
    // Two first letters cover all five.
    if begins("x-") {
      if begins("x-amz-") { return .xAmzPrefix }
      if begins("x-amzn-") { return .xAmznPrefix }
      if begins("x-forwarded-") { return .xForwardedPrefix }
      return begins("x-gatehouse-") ? .xGatehousePrefix : .other
    }
    return begins("amz-sdk-") ? .amzSdkPrefix : .other
  }
}
