import HTTPWire
import Testing

@testable import Gateway

/// Upstream's answer as the pool would give it.
func upstreamAnswer(_ status: Int, fields: String = "", body: String = "") throws -> UpstreamAnswer {
  let text = "HTTP/1.1 \(status) X\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  var parser = ResponseParser(limits: HTTPLimits())
  Array(text.utf8).withUnsafeBytes { parser.receive($0) }
  guard case .response(let message) = try parser.next() else { throw IncompleteAnswer() }
  return UpstreamAnswer(message)
}

private struct IncompleteAnswer: Error {}
