package import Primitives

/// Writes answers.
package enum ResponseWriter {
  package static let continueExpected = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

  /// Appends a whole answer: status line, Date, `fields`, Connection, Content-Length and the body.
  ///
  /// 1xx, 204 and 304 get neither Content-Length nor a body (RFC 9110 section 8.6); an answer to HEAD gets
  /// the length only.
  /// - Parameters:
  ///   - keepAlive: written out either way, since an HTTP/1.0 caller must be told (RFC 9112 section 9.3).
  ///   - date: an IMF-fixdate, as `HTTPDateCache` gives it.
  package static func append(
    status: Int, fields: some Sequence<OutgoingField>, body: [UInt8], keepAlive: Bool, date: [UInt8],
    toHEAD: Bool = false, into out: inout [UInt8]
  ) {
    appendStart(status: status, keepAlive: keepAlive, date: date, into: &out)
    for field in fields { out.append(field) }
    appendEnd(status: status, body: body, toHEAD: toHEAD, into: &out)
  }

  /// Appends status line, Date and Connection, for callers that write their fields one by one.
  package static func appendStart(status: Int, keepAlive: Bool, date: [UInt8], into out: inout [UInt8]) {
    out.append("HTTP/1.1 ")
    out.append(decimal: status, width: 3)
    out.append(.space)
    out.append(reason(status))
    out.append("\r\n")
    out.append(field: "date", date)
    out.append(field: "connection", literal: keepAlive ? "keep-alive" : "close")
  }

  /// Appends Content-Length, the empty line and the body.
  package static func appendEnd(
    status: Int, body: some Collection<UInt8>, toHEAD: Bool = false, into out: inout [UInt8]
  ) {
    let hasContent = status >= 200 && status != 204 && status != 304
    if hasContent { out.append(field: "content-length", decimal: body.count) }
    out.append("\r\n")
    if hasContent, !toHEAD { out.append(contentsOf: body) }
  }

  /// The reason phrases of RFC 9110 and RFC 6585 for what the gateway and its upstream answer; empty for
  /// others, which the grammar allows.
  package static func reason(_ status: Int) -> StaticString {
    switch status {
    case 100: "Continue"
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 304: "Not Modified"
    case 307: "Temporary Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 415: "Unsupported Media Type"
    case 421: "Misdirected Request"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    default: ""
    }
  }
}

/// The Date field's value, written anew once a second.
package struct HTTPDateCache: Sendable {
  private var second: Int64?
  private var value: [UInt8] = []

  package init() {}

  package mutating func value(at time: WallClockTime) -> [UInt8] {
    if second != time.seconds {
      second = time.seconds
      value = []
      time.appendHTTPDate(to: &value)
    }
    return value
  }
}
