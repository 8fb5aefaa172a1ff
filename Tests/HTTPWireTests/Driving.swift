import HTTPWire
import Primitives

/// What a parser made of some bytes: the messages it read, and how it ended.
struct RequestReading: Equatable, CustomStringConvertible {
  struct Message: Equatable {
    let head: [UInt8]
    let body: [UInt8]
    let path: ByteSlice
    let fieldCount: Int
    let keepAlive: Bool
  }

  var messages: [Message] = []
  var violation: HTTPViolation?
  /// The stage after the last byte, when nothing was refused.
  var stage: RequestParser.Stage?

  var description: String {
    "\(messages.count) messages, \(violation.map { "refused: \($0)" } ?? "stage \(stage.map { "\($0)" } ?? "?")")"
  }
}

struct ResponseReading: Equatable, CustomStringConvertible {
  struct Message: Equatable {
    let head: [UInt8]
    let status: Int
    let body: [UInt8]
    let keepAlive: Bool
  }

  var messages: [Message] = []
  var violation: HTTPViolation?

  var description: String { "\(messages.count) messages, refused: \(violation.map { "\($0)" } ?? "no")" }
}

/// Feeds `bytes` in the pieces that end at `cuts` and at the end.
func readRequests(_ bytes: [UInt8], cuts: [Int] = [], limits: HTTPLimits = HTTPLimits()) -> RequestReading {
  var parser = RequestParser(limits: limits)
  var reading = RequestReading()
  var start = 0
  for end in cuts + [bytes.count] {
    bytes[start..<end].withUnsafeBytes { parser.receive($0) }
    start = end
    do throws(HTTPViolation) {
      loop: while true {
        switch try parser.next() {
        case .needsMore: break loop
        case .continueExpected: continue
        case .request(let message):
          reading.messages.append(
            .init(
              head: Array(message.head.bytes[..<message.body.lowerBound]), body: message.bodyArray,
              path: message.head.path,
              fieldCount: message.head.fields.count, keepAlive: message.head.keepAlive))
        }
      }
    } catch {
      reading.violation = error
    }
  }
  if reading.violation == nil { reading.stage = parser.stage }
  return reading
}

/// Feeds `bytes` likewise to a response parser, and then says that the peer closed when `closing`.
func readResponses(
  _ bytes: [UInt8], cuts: [Int] = [], closing: Bool = true, toHEAD: Bool = false,
  limits: HTTPLimits = HTTPLimits()
) -> ResponseReading {
  var parser = ResponseParser(limits: limits)
  var reading = ResponseReading()
  func note(_ message: ResponseMessage) {
    reading.messages.append(
      .init(
        head: Array(message.head.bytes[..<message.body.lowerBound]), status: message.head.status,
        body: message.bodyArray,
        keepAlive: message.head.keepAlive))
  }
  var start = 0
  do throws(HTTPViolation) {
    for end in cuts + [bytes.count] {
      bytes[start..<end].withUnsafeBytes { parser.receive($0) }
      start = end
      while case .response(let message) = try parser.next(requestMethodIsHEAD: toHEAD) { note(message) }
    }
    if closing, let last = try parser.finish() { note(last) }
  } catch {
    reading.violation = error
  }
  return reading
}

/// Every way of cutting that the tests use: whole, byte by byte, and once at each position.
func everyCut(of count: Int) -> [[Int]] {
  [[], Array(1..<max(count, 1))] + (0...count).map { [$0] }
}
