@testable import HTTPWire
import Primitives
import Testing

@testable import Gateway

/// Upstream's answer as the pool would give it.
func upstreamAnswer(
  _ status: Int, fields: String = "", body: String = "", to id: RequestID = RequestID(from: OneNumber())
) throws -> UpstreamAnswer {
  let text = "HTTP/1.1 \(status) X\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  var parser = ResponseParser(limits: HTTPLimits())
  guard case .response(let message) = try parser.next(adding: Array(text.utf8).span.bytes) else {
    throw IncompleteAnswer()
  }
  return UpstreamAnswer(message, to: id)
}

extension UpstreamAnswer {
  var body: [UInt8] { message.bodyArray }

  func text(_ slice: ByteSlice?) -> String? {
    slice.map { String(decoding: message.head.bytes[$0.range], as: UTF8.self) }
  }

  var fieldLines: [UInt8] {
    var lines = ByteBuffer()
    appendFieldLines(to: &lines)
    return lines.array
  }
}

struct OneNumber: Entropy {
  func next() -> UInt64 { 0x0123_4567_89AB_CDEF }
}

private struct IncompleteAnswer: Error {}
