import HTTPWire
import Testing

@testable import Gateway

/// Upstream's answer as the pool would give it.
func upstreamAnswer(_ status: Int, fields: String = "", body: String = "") throws -> UpstreamAnswer {
  let text = "HTTP/1.1 \(status) X\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  var parser = ResponseParser(limits: HTTPLimits())
  guard case .response(let message) = try parser.next(adding: Array(text.utf8).span.bytes) else {
    throw IncompleteAnswer()
  }
  return UpstreamAnswer(message)
}

private struct IncompleteAnswer: Error {}
