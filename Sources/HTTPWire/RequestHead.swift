/// One header field line: where its name and its value (without surrounding whitespace) stand in
/// the head's bytes.
package struct FieldLine: Sendable, Hashable {
  package let name: Range<Int>
  package let value: Range<Int>
  /// What the gateway looks up by; `other` for names it has no use for.
  package let known: FieldName
}

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

/// A request line and its fields, checked against RFC 9112. It owns its bytes and keeps offsets.
package struct RequestHead: Sendable {
  /// From the first byte of the request line to the empty line's CRLF.
  package let bytes: [UInt8]
  package let method: Range<Int>
  /// The request target as it came (origin-form), never normalised.
  package let target: Range<Int>
  package let path: Range<Int>
  /// Without the `?`; `nil` when there is none.
  package let query: Range<Int>?
  /// In the order of arrival.
  package let fields: [FieldLine]
  /// 0 or 1.
  package let minorVersion: UInt8
  /// Whether the connection persists after this exchange (RFC 9112 section 9.3).
  package let keepAlive: Bool
  package let expectsContinue: Bool
}
