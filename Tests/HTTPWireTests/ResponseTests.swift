import HTTPWire
import TestSupport
import Testing

struct ReadResponse: Sendable, CustomTestStringConvertible {
  let text: String
  var statuses: [Int] = [200]
  var body = ""
  var keepAlive = true
  var toHEAD = false

  var testDescription: String { text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined() }

  static let all: [ReadResponse] = [
    .init(text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", body: "ok"),
    .init(text: "HTTP/1.1 201 \r\nContent-Length: 0\r\n\r\n", statuses: [201]),
    .init(text: "HTTP/1.1 201\r\nContent-Length: 0\r\n\r\n", statuses: [201]),
    .init(text: "HTTP/1.1 200 Tout va bien: é\r\nContent-Length: 0\r\n\r\n"),
    .init(
      text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n", body: "ok"),
    .init(text: "HTTP/1.1 204 No Content\r\n\r\n", statuses: [204]),
    .init(text: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", statuses: [204]),
    .init(text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", statuses: [304]),
    .init(text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", toHEAD: true),
    .init(text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", toHEAD: true),
    .init(text: "HTTP/1.1 200 OK\r\n\r\nuntil the end", body: "until the end", keepAlive: false),
    .init(text: "HTTP/1.0 200 OK\r\n\r\n", keepAlive: false),
    .init(text: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", body: "ok", keepAlive: false),
    .init(
      text: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", body: "ok"),
    .init(text: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", keepAlive: false),
    .init(
      text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", body: "ok"),
    .init(
      text: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
      statuses: [200, 404]),
    .init(text: "", statuses: []),
  ]
}

struct RefusedResponse: Sendable, CustomTestStringConvertible {
  let text: String
  let reason: HTTPViolation

  init(_ text: String, _ reason: HTTPViolation) {
    self.text = text
    self.reason = reason
  }

  static func fields(_ fields: String, _ reason: HTTPViolation) -> RefusedResponse {
    .init("HTTP/1.1 200 OK\r\n" + fields + "\r\n", reason)
  }

  var testDescription: String { text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined() }

  static let all: [RefusedResponse] = [
    .init("HTTP/1.1 200 OK\nContent-Length: 0\n\n", .bareLF),
    .init("HTTP/1.1  200 OK\r\n", .malformedStatusLine),
    .init("HTTP/1.1 20 OK\r\n", .malformedStatusLine),
    .init("HTTP/1.1 2000 OK\r\n", .malformedStatusLine),
    .init("HTTP/1.1 2x0 OK\r\n", .malformedStatusLine),
    .init("HTTP/1.1 +20 OK\r\n", .malformedStatusLine),
    .init("HTTP/1.1\r\n", .malformedStatusLine),
    .init("\r\nHTTP/1.1 200 OK\r\n\r\n", .malformedStatusLine),
    .init("ICY/1.1 200 OK\r\n", .malformedStatusLine),
    .init("http/1.1 200 OK\r\n", .malformedStatusLine),
    .init("HTTP/2.0 200 OK\r\n", .unsupportedVersion),
    .init("HTTP/1.1 099 OK\r\n", .badStatusCode),
    .init("HTTP/1.1 600 OK\r\n", .badStatusCode),
    .init("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", .unexpectedUpgrade),
    .init(
      String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 9) + "HTTP/1.1 200 OK\r\n\r\n",
      .tooManyInterimAnswers),
    .init("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", .unexpectedBody),
    .init("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .unexpectedBody),
    .init("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello", .unexpectedBody),
    .fields("Content-Length: 2\r\nContent-Length: 2\r\n", .conflictingLength),
    .fields("Content-Length: 2, 2\r\n", .badContentLength),
    .fields("Content-Length: -1\r\n", .badContentLength),
    .fields("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", .contentLengthWithTransferEncoding),
    .fields("Transfer-Encoding: gzip, chunked\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", .unsupportedTransferEncoding),
    .init("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .transferEncodingInHTTP10),
    .fields("X: a\r\n b\r\n", .obsFold),
    .fields("X : a\r\n", .spaceBeforeColon),
    .fields("X: a\0\r\n", .controlByte(0)),
    .fields("Content-Length: 262145\r\n", .bodyTooLarge),
    .init("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokX", .badChunkEnd),
    .init("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", .truncated),
    .init("HTTP/1.1 200 OK\r\nContent-Le", .truncated),
    .init("HTTP/1.1 100 Continue\r\n\r\n", .truncated),
    .init("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", .truncated),
    .init("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", .truncated),
  ]
}

@Suite("Answers")
struct ResponseTests {
  @Test("is read the same whole, byte by byte and cut anywhere", arguments: ReadResponse.all)
  func reads(_ expected: ReadResponse) {
    let bytes = Array(expected.text.utf8)
    let whole = readResponses(bytes, toHEAD: expected.toHEAD)
    #expect(whole.violation == nil)
    #expect(whole.messages.map(\.status) == expected.statuses)
    if let last = whole.messages.last {
      #expect(String(decoding: last.body, as: UTF8.self) == expected.body)
      #expect(last.keepAlive == expected.keepAlive)
    }
    for cuts in everyCut(of: bytes.count) {
      #expect(readResponses(bytes, cuts: cuts, toHEAD: expected.toHEAD) == whole, "cut at \(cuts)")
    }
  }

  @Test("is refused for its reason whole, byte by byte and cut anywhere", arguments: RefusedResponse.all)
  func refuses(_ refused: RefusedResponse) {
    let bytes = Array(refused.text.utf8)
    let whole = readResponses(bytes)
    #expect(whole.violation == refused.reason)
    #expect(whole.messages.isEmpty)
    for cuts in everyCut(of: bytes.count) {
      #expect(readResponses(bytes, cuts: cuts) == whole, "cut at \(cuts)")
    }
  }

  @Test("every truncation of an answer is refused, never handed out short")
  func truncations() {
    let answers = [
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ]
    for bytes in answers.map({ Array($0.utf8) }) {
      for count in 1..<bytes.count {
        let reading = readResponses(Array(bytes[..<count]))
        #expect(
          reading.violation == .truncated && reading.messages.isEmpty, "after \(count) bytes: \(reading)")
      }
    }
  }

  @Test("bytes nobody asked for are seen")
  func leftover() throws {
    var parser = ResponseParser(limits: HTTPLimits())
    let bytes = Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200".utf8)
    guard case .response(let message) = try parser.next(adding: bytes.span.bytes) else {
      Issue.record("no answer")
      return
    }
    #expect(message.bodyArray == Array("ok".utf8))
    let hasLeftover = parser.hasLeftover
    #expect(hasLeftover)
  }

  @Test("content that lasts until the close is bounded too")
  func boundedUntilClose() {
    let bytes = Array("HTTP/1.1 200 OK\r\n\r\n0123456789a".utf8)
    let limits = HTTPLimits(headerBytes: 100, bodyBytes: 10)
    #expect(readResponses(bytes, limits: limits).violation == .bodyTooLarge)
    #expect(readResponses(Array(bytes.dropLast()), limits: limits).messages.count == 1)
  }
}
