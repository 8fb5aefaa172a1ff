@testable import HTTPWire
import Primitives
import TestSupport
import Testing

/// What must be read, and read the same in whatever pieces it comes.
struct AcceptedRequest: Sendable, CustomTestStringConvertible {
  let name: String
  let text: String
  var path = "/"
  var query: String?
  var body = ""
  var keepAlive = true
  /// Ignored bytes before the head.
  var skipped = 0

  var testDescription: String { name }

  static let all: [AcceptedRequest] = [
    .init(name: "smallest", text: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    .init(name: "host with port", text: "GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n"),
    .init(name: "IPv6 host", text: "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
    .init(
      name: "content", text: "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", path: "/x",
      body: "abc"),
    .init(name: "length zero", text: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
    .init(
      name: "content that looks like a head",
      text: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n",
      body: "GET / HTTP/1.1\r\n\r\n"),
    .init(
      name: "chunked",
      text: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      body: "abc"),
    .init(
      name: "chunked in capitals, extensions, trailers",
      text: "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: CHUNKED\r\n\r\n"
        + "2;a=b;c\r\nab\r\n00A;q=\"x;\\\"y\"\r\n0123456789\r\n0;last\r\nX-Sum: 1\r\n\r\n",
      body: "ab0123456789"),
    .init(
      name: "chunked, empty",
      text: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    .init(name: "query", text: "GET /a?b=c&d HTTP/1.1\r\nHost: a\r\n\r\n", path: "/a", query: "b=c&d"),
    .init(name: "empty query", text: "GET /a? HTTP/1.1\r\nHost: a\r\n\r\n", path: "/a", query: ""),
    .init(
      name: "question marks and slashes in the query", text: "GET /a?b/../c??//d HTTP/1.1\r\nHost: a\r\n\r\n",
      path: "/a", query: "b/../c??//d"),
    .init(
      name: "ARN in the path as botocore encodes it",
      text:
        "GET /app-instance-users/arn%3Aaws%3Achime%3Aus-east-1%3A123456789012%3Aapp-instance%2Fx%2Fuser%2Fy "
        + "HTTP/1.1\r\nHost: a\r\n\r\n",
      path: "/app-instance-users/arn%3Aaws%3Achime%3Aus-east-1%3A123456789012%3Aapp-instance%2Fx%2Fuser%2Fy"),
    .init(
      name: "dots inside segments", text: "GET /a.b/..c/d../... HTTP/1.1\r\nHost: a\r\n\r\n",
      path: "/a.b/..c/d../..."),
    .init(name: "trailing slash", text: "GET /a/ HTTP/1.1\r\nHost: a\r\n\r\n", path: "/a/"),
    .init(
      name: "encoded percent, not twice", text: "GET /a%25/b%25z HTTP/1.1\r\nHost: a\r\n\r\n",
      path: "/a%25/b%25z"),
    .init(
      name: "doubly encoded query, which is a value's own business",
      text: "GET /a?t=%252F HTTP/1.1\r\nHost: a\r\n\r\n", path: "/a", query: "t=%252F"),
    .init(name: "HTTP/1.0 without Host", text: "GET / HTTP/1.0\r\n\r\n", keepAlive: false),
    .init(name: "HTTP/1.0 persistent", text: "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
    .init(
      name: "HTTP/1.0 with an expectation",
      text: "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", body: "x",
      keepAlive: false),
    .init(name: "close", text: "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", keepAlive: false),
    .init(
      name: "close in a list", text: "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-y , CLOSE\r\n\r\n",
      keepAlive: false),
    .init(
      name: "close wins", text: "GET / HTTP/1.0\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n",
      keepAlive: false),
    .init(
      name: "not the option close", text: "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed, x-close\r\n\r\n"),
    .init(
      name: "upgrade, ignored",
      text:
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n"
    ),
    .init(
      name: "expectation",
      text: "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx", body: "x"),
    .init(name: "blanks around a value", text: "GET / HTTP/1.1\r\nHost:\t a \t\r\nX:\r\nY: \r\n\r\n"),
    .init(name: "tab and obs-text in a value", text: "GET / HTTP/1.1\r\nHost: a\r\nX: a\tb é\r\n\r\n"),
    .init(name: "any token as a method", text: "!#$%&'*+-.^_`|~9az / HTTP/1.1\r\nHost: a\r\n\r\n"),
    .init(name: "an empty line before", text: "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", skipped: 2),
    .init(
      name: "leading zeros in a length",
      text: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0003\r\n\r\nabc",
      body: "abc"),
  ]
}

@Suite("Requests that are read")
struct AcceptedRequestTests {
  @Test(
    "is read the same whole, byte by byte, cut anywhere, and before another one",
    arguments: AcceptedRequest.all)
  func readsInAnyPieces(_ accepted: AcceptedRequest) throws {
    let bytes = Array(accepted.text.utf8)
    let next = Array("GET /next HTTP/1.1\r\nHost: b\r\n\r\n".utf8)
    let alone = readRequests(bytes)
    try #require(alone.violation == nil, "\(alone)")
    let message = try #require(alone.messages.first)
    #expect(alone.messages.count == 1)
    #expect(alone.stage == .idle)
    #expect(String(decoding: message.body, as: UTF8.self) == accepted.body)
    #expect(message.keepAlive == accepted.keepAlive)
    #expect(bytes.dropFirst(accepted.skipped).starts(with: message.head))
    for cuts in everyCut(of: bytes.count) {
      #expect(readRequests(bytes, cuts: cuts) == alone, "cut at \(cuts)")
    }
    let two = bytes + next
    let both = readRequests(two)
    #expect(both.messages.first == message)
    #expect(both.messages.dropFirst().map(\.path.count) == [5])
    for cuts in everyCut(of: two.count) {
      #expect(readRequests(two, cuts: cuts) == both, "cut at \(cuts)")
    }
  }

  @Test("offsets name path, query and fields", arguments: AcceptedRequest.all)
  func offsets(_ accepted: AcceptedRequest) throws {
    var parser = RequestParser(limits: HTTPLimits())
    guard case .request(let message) = try parser.next(adding: Array(accepted.text.utf8).span.bytes) else {
      Issue.record("no request")
      return
    }
    let head = message.head
    func text(_ range: ByteSlice) -> String { String(decoding: head.bytes[range], as: UTF8.self) }
    #expect(text(head.path) == accepted.path)
    #expect(head.query.map(text) == accepted.query)
    for field in head.lines.array {
      #expect(head.bytes[field.name.upperBound] == UInt8(ascii: ":"))
      #expect(!text(field.value).hasPrefix(" ") && !text(field.value).hasSuffix(" "))
    }
  }
}
