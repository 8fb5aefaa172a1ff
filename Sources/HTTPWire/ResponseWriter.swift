package import Primitives

/// Writes answers. Their fields are the caller's to write, between start and end.
package enum ResponseWriter {
  package static var continueExpected: StaticString { "HTTP/1.1 100 Continue\r\n\r\n" }

  /// Appends status line, Date and Connection.
  ///
  /// - Parameters:
  ///   - keepAlive: written out either way, since an HTTP/1.0 caller must be told (RFC 9112 section 9.3).
  ///   - date: the Date field's line.
  package static func appendStart(
    status: Int, keepAlive: Bool, date: borrowing HTTPDateLine, into out: inout ByteBuffer
  ) {
    out.append("HTTP/1.1 ")
    out.append(decimal: status, width: 3)
    out.append(.space)
    out.append(reason(status))
    out.append("\r\n")
    out.append(date.bytes)
    if keepAlive { out.append("connection: keep-alive\r\n") } else { out.append("connection: close\r\n") }
  }

  /// Appends Content-Length, the empty line and the body.
  ///
  /// 1xx, 204 and 304 get neither Content-Length nor a body (RFC 9110 section 8.6); an answer to HEAD gets the length
  /// only.
  package static func appendEnd(
    status: Int, body: Span<UInt8>, toHEAD: Bool = false, into out: inout ByteBuffer
  ) {
    let hasContent = status >= 200 && status != 204 && status != 304
    if hasContent { out.append(field: "content-length", decimal: body.count) }
    out.append("\r\n")
    if hasContent, !toHEAD { out.append(body) }
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
    case 303: "See Other"
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

/// The line of the Date field (RFC 9110 section 6.6.1), written anew once a second.
package struct HTTPDateLine: ~Copyable {
  private var second: Int64
  private var line = ByteBuffer(capacity: 40)

  package init(_ time: WallClockTime) {
    second = time.seconds
    write(time)
  }

  /// With its CRLF.
  package var bytes: Span<UInt8> {
    @_lifetime(borrow self) get { line.span }
  }

  package mutating func update(to time: WallClockTime) {
    guard second != time.seconds else { return }
    second = time.seconds
    write(time)
  }

  private mutating func write(_ time: WallClockTime) {
    var value: [UInt8] = []
    time.appendHTTPDate(to: &value)
    line.removeAll()
    line.append("date: ")
    line.append(value)
    line.append("\r\n")
  }
}
