package import HTTPWire
package import Primitives

/// What a parser made of some bytes: the messages it read, and how it ended.
package struct RequestReading: Equatable, CustomStringConvertible {
  package struct Message: Equatable {
    package let head: [UInt8]
    package let body: [UInt8]
    package let method: ByteSlice
    package let path: ByteSlice
    package let query: ByteSlice?
    package let fields: [FieldLine]
    package let keepAlive: Bool
  }

  package var messages: [Message] = []
  package var violation: HTTPViolation?
  /// The stage after the last byte, when nothing was refused.
  package var stage: RequestParser.Stage?

  package var description: String {
    "\(messages.count) messages, \(violation.map { "refused: \($0)" } ?? "stage \(stage.map { "\($0)" } ?? "?")")"
  }
}

package struct ResponseReading: Equatable, CustomStringConvertible {
  package struct Message: Equatable {
    package let head: [UInt8]
    package let status: Int
    package let body: [UInt8]
    package let fields: [FieldLine]
    package let keepAlive: Bool
  }

  package var messages: [Message] = []
  package var violation: HTTPViolation?

  package var description: String {
    "\(messages.count) messages, refused: \(violation.map { "\($0)" } ?? "no")"
  }
}

/// Feeds `bytes` in the pieces that end at `cuts` and at the end.
package func readRequests(_ bytes: [UInt8], cuts: [Int] = [], limits: HTTPLimits = HTTPLimits())
  -> RequestReading
{
  var parser = RequestParser(limits: limits)
  var reading = RequestReading()
  var start = 0
  for end in cuts + [bytes.count] {
    let piece = Array(bytes[start..<end])
    start = end
    do throws(HTTPViolation) {
      var event = try parser.next(adding: piece.span.bytes)
      loop: while true {
        switch event {
        case .needsMore: break loop
        case .continueExpected: break
        case .request(let message):
          reading.messages.append(
            .init(
              head: Array(message.head.bytes[..<message.body.lowerBound]), body: message.bodyArray,
              method: message.head.method, path: message.head.path, query: message.head.query,
              fields: fields(of: message.head), keepAlive: message.head.keepAlive))
        }
        event = try parser.next()
      }
    } catch {
      reading.violation = error
    }
  }
  if reading.violation == nil { reading.stage = parser.stage }
  return reading
}

/// The head of one request without content.
package func head(of text: String) throws -> RequestHead {
  var parser = RequestParser(limits: HTTPLimits())
  guard case .request(let message) = try parser.next(adding: Array(text.utf8).span.bytes) else {
    throw HTTPViolation.truncated
  }
  return message.head
}

/// Feeds `bytes` likewise to a response parser, and then says that the peer closed when `closing`.
package func readResponses(
  _ bytes: [UInt8], cuts: [Int] = [], closing: Bool = true, toHEAD: Bool = false,
  limits: HTTPLimits = HTTPLimits()
) -> ResponseReading {
  var parser = ResponseParser(limits: limits)
  var reading = ResponseReading()
  func note(_ message: ResponseMessage) {
    reading.messages.append(
      .init(
        head: Array(message.head.bytes[..<message.body.lowerBound]), status: message.head.status,
        body: message.bodyArray, fields: fields(of: message.head), keepAlive: message.head.keepAlive))
  }
  var start = 0
  do throws(HTTPViolation) {
    for end in cuts + [bytes.count] {
      let piece = Array(bytes[start..<end])
      start = end
      var event = try parser.next(adding: piece.span.bytes, requestMethodIsHEAD: toHEAD)
      while case .response(let message) = event {
        note(message)
        event = try parser.next(requestMethodIsHEAD: toHEAD)
      }
    }
    if closing, let last = try parser.finish() { note(last) }
  } catch {
    reading.violation = error
  }
  return reading
}

/// Every way of cutting that the tests use: whole, byte by byte, and once at each position.
package func everyCut(of count: Int) -> [[Int]] {
  [[], Array(1..<max(count, 1))] + (0...count).map { [$0] }
}

package func fields(of head: MessageHead) -> [FieldLine] {
  let fields = head.fields
  return fields.indices.map { fields[$0] }
}
