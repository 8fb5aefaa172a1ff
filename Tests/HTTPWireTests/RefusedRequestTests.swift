import HTTPWire
import TestSupport
import Testing

/// What must be refused, and for which reason.
struct RefusedRequest: Sendable, CustomTestStringConvertible {
  let bytes: [UInt8]
  let reason: HTTPViolation

  init(_ text: String, _ reason: HTTPViolation) {
    bytes = Array(text.utf8)
    self.reason = reason
  }

  /// `fields` are whole lines.
  static func fields(_ fields: String, _ reason: HTTPViolation) -> RefusedRequest {
    .init("POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n", reason)
  }

  static func target(_ target: String, _ reason: HTTPViolation) -> RefusedRequest {
    .init("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n", reason)
  }

  static func host(_ value: String) -> RefusedRequest {
    .init("GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n", .badHost)
  }

  static func chunks(_ content: String, _ reason: HTTPViolation) -> RefusedRequest {
    .init("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + content, reason)
  }

  var testDescription: String {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
  }

  static let lines: [RefusedRequest] = [
    .init("GET / HTTP/1.1\nHost: a\n\n", .bareLF),
    .init("GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLF),
    .init("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLF),
    .init("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
    .init("GET / HTTP/1.1\rHost: a\r\n\r\n", .bareCR),
    .init("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", .bareCR),
    .init("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", .bareCR),
    .init("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
    .init("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareCR),
    .init("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", .controlByte(0)),
    .init("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{7F}b\r\n\r\n", .controlByte(0x7F)),
    .init("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{1B}b\r\n\r\n", .controlByte(0x1B)),
    .init("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{B}b\r\n\r\n", .controlByte(0x0B)),
  ]

  static let requestLines: [RefusedRequest] = [
    .init(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
    .init("\tGET / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
    .init("\u{16}\u{3}\u{1}\u{2}", .tlsHandshake),
    .init("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
    .init("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
    .init("GÉT / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
    .init("GET\r\n", .malformedRequestLine),
    .init("GET /\r\n", .malformedRequestLine),
    .init("GET  / HTTP/1.1\r\n", .malformedRequestLine),
    .init("GET /  HTTP/1.1\r\n", .malformedRequestLine),
    .init("GET / HTTP/1.1 \r\n", .malformedRequestLine),
    .init("GET / a HTTP/1.1\r\n", .malformedRequestLine),
    .init("GET / http/1.1\r\n", .malformedRequestLine),
    .init("GET / HTTP/1,1\r\n", .malformedRequestLine),
    .init("GET / HTTP/11\r\n", .malformedRequestLine),
    .init("GET / HTTP/+.1\r\n", .malformedRequestLine),
    .init("GET / HTTP/1.1.1\r\n", .malformedRequestLine),
    .init("GET / HTTPS1.1\r\n", .malformedRequestLine),
    .init("GET / HTTP/1.2\r\n", .unsupportedVersion),
    .init("GET / HTTP/0.9\r\n", .unsupportedVersion),
    .init("GET / HTTP/2.0\r\n", .unsupportedVersion),
    .init("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
  ]

  static let targets: [RefusedRequest] = [
    .target("*", .targetNotOriginForm),
    .target("http://a/", .targetNotOriginForm),
    .target("a:80", .targetNotOriginForm),
    .target("a", .targetNotOriginForm),
    .target("?a", .targetNotOriginForm),
    .target("%2F", .targetNotOriginForm),
    .target("/a#b", .badTargetByte(0x23)),
    .target("/a?b#c", .badTargetByte(0x23)),
    .target("/a\\b", .badTargetByte(0x5C)),
    .target("/a\"b", .badTargetByte(0x22)),
    .target("/a<b", .badTargetByte(0x3C)),
    .target("/a?b|c", .badTargetByte(0x7C)),
    .target("/a?b[]", .badTargetByte(0x5B)),
    .target("/a?{b}", .badTargetByte(0x7B)),
    .target("/a\tb", .badTargetByte(0x09)),
    .target("/é", .badTargetByte(0xC3)),
    .target("/?é", .badTargetByte(0xC3)),
    .target("//", .targetNotNormal(.emptySegment)),
    .target("//a", .targetNotNormal(.emptySegment)),
    .target("/a//b", .targetNotNormal(.emptySegment)),
    .target("/a//?b", .targetNotNormal(.emptySegment)),
    .target("/.", .targetNotNormal(.dotSegment)),
    .target("/..", .targetNotNormal(.dotSegment)),
    .target("/./a", .targetNotNormal(.dotSegment)),
    .target("/a/../b", .targetNotNormal(.dotSegment)),
    .target("/a/..?b", .targetNotNormal(.dotSegment)),
    .target("/a/%2e", .targetNotNormal(.dotSegment)),
    .target("/a/%2E%2e/b", .targetNotNormal(.dotSegment)),
    .target("/a/.%2e/b", .targetNotNormal(.dotSegment)),
    .target("/a%2F..%2Fb", .targetNotNormal(.dotSegment)),
    .target("/a%2f%2e%2e", .targetNotNormal(.dotSegment)),
    .target("/a%5C..", .targetNotNormal(.dotSegment)),
    .target("/%", .targetNotNormal(.malformedPercentEncoding)),
    .target("/%4", .targetNotNormal(.malformedPercentEncoding)),
    .target("/%4g", .targetNotNormal(.malformedPercentEncoding)),
    .target("/%u0041", .targetNotNormal(.malformedPercentEncoding)),
    .target("/%4?a", .targetNotNormal(.malformedPercentEncoding)),
    .target("/a?b=%", .targetNotNormal(.malformedPercentEncoding)),
    .target("/a?b=%4x", .targetNotNormal(.malformedPercentEncoding)),
    .target("/%252F", .targetNotNormal(.doublePercentEncoding)),
    .target("/a%252e%252e", .targetNotNormal(.doublePercentEncoding)),
    .target("/%25%32%66", .targetNotNormal(.doublePercentEncoding)),
    .target("/%252%66", .targetNotNormal(.doublePercentEncoding)),
    .target("/%25%25ff", .targetNotNormal(.doublePercentEncoding)),
    .target("/a%00", .targetNotNormal(.encodedControl)),
    .target("/a%0d", .targetNotNormal(.encodedControl)),
    .target("/a%0A", .targetNotNormal(.encodedControl)),
    .target("/a?b=%0d%0aX:y", .targetNotNormal(.encodedControl)),
  ]

  static let fieldLines: [RefusedRequest] = [
    .fields(" folded\r\n", .obsFold),
    .fields("X: a\r\n b\r\n", .obsFold),
    .fields("X: a\r\n\tb\r\n", .obsFold),
    .init("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .obsFold),
    .fields("X\r\n", .missingColon),
    .fields(": a\r\n", .emptyFieldName),
    .fields("X : a\r\n", .spaceBeforeColon),
    .fields("X\t: a\r\n", .spaceBeforeColon),
    .fields("X Y: a\r\n", .spaceBeforeColon),
    .fields("X(: a\r\n", .badFieldName),
    .fields("\u{FEFF}X: a\r\n", .badFieldName),
    .fields("\"X\": a\r\n", .badFieldName),
    .init("GET / HTTP/1.1\r\n\r\n", .missingHost),
    .init("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .duplicateHost),
    .init("GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", .duplicateHost),
    .init("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .duplicateHost),
    .host(""), .host("a b"), .host("a,b"), .host("a:" + "b"), .host("a:80:80"), .host("a:123456"),
    .host("a:65536"), .host("u@a"), .host("a/b"), .host("http://a"), .host("[::1"), .host("[]"),
    .host("[::1]a"), .host("[a.example]"), .host(":80"), .host("a%2e"), .host("é"), .host("a:-1"),
    .fields("Expect: 200-ok\r\n", .unsupportedExpectation),
    .fields("Expect: 100-continue, x\r\n", .unsupportedExpectation),
    .fields("Expect:\r\n", .unsupportedExpectation),
  ]

  static let lengths: [RefusedRequest] = [
    "", "+1", "-1", " 1 2", "1,1", "1, 1", "1.0", "0x1", "1e1", "١", "1;", "9223372036854775808",
    "18446744073709551617", "99999999999999999999999999", "1\t1", "\"1\"",
  ].map { .fields("Content-Length: \($0)\r\n", .badContentLength) }

  /// The classics of request smuggling: what one parser reads as length and another as chunks.
  static let smuggling: [RefusedRequest] = [
    .fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", .contentLengthWithTransferEncoding),
    .fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", .contentLengthWithTransferEncoding),
    .fields("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", .contentLengthWithTransferEncoding),
    .fields("Content-Length: 3\r\nContent-Length: 4\r\n", .conflictingLength),
    .fields("Content-Length: 3\r\ncontent-length: 3\r\n", .conflictingLength),
    .fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: xchunked\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: chunkedx\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: identity\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding:\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: chunked, identity\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: identity, chunked\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: gzip, chunked\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: chunked, chunked\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: ,chunked\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: chunked;q=1\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: \"chunked\"\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: chun ked\r\n", .unsupportedTransferEncoding),
    .fields("Transfer-Encoding: \u{B}chunked\r\n", .controlByte(0x0B)),
    .fields("Transfer-Encoding : chunked\r\n", .spaceBeforeColon),
    .fields("Transfer-Encoding\t: chunked\r\n", .spaceBeforeColon),
    .fields("Transfer-Encoding:\r\n chunked\r\n", .unsupportedTransferEncoding),
    .fields(" Transfer-Encoding: chunked\r\n", .obsFold),
    .fields("X: y\r\n Transfer-Encoding: chunked\r\n", .obsFold),
    .fields("X: y\nTransfer-Encoding: chunked\r\n", .bareLF),
    .fields("X: y\rTransfer-Encoding: chunked\r\n", .bareCR),
    .fields("Transfer-Encoding: chunked\rX: y\r\n", .bareCR),
    .fields("Transfer_Encoding\u{0}: chunked\r\n", .controlByte(0)),
    .fields("Content-Length: 5\r\n Content-Length: 6\r\n", .obsFold),
    .fields("Content-Length : 5\r\n", .spaceBeforeColon),
    .init("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .transferEncodingInHTTP10),
  ]

  static let chunked: [RefusedRequest] = [
    .chunks("\r\n", .badChunkSize),
    .chunks(" 3\r\nabc\r\n0\r\n\r\n", .badChunkSize),
    .chunks("3 \r\nabc\r\n0\r\n\r\n", .badChunkSize),
    .chunks("3\t;a\r\nabc\r\n0\r\n\r\n", .badChunkSize),
    .chunks("+3\r\nabc\r\n0\r\n\r\n", .badChunkSize),
    .chunks("-3\r\nabc\r\n0\r\n\r\n", .badChunkSize),
    .chunks("0x3\r\nabc\r\n0\r\n\r\n", .badChunkSize),
    .chunks("3_\r\nabc\r\n0\r\n\r\n", .badChunkSize),
    .chunks("g\r\n", .badChunkSize),
    .chunks(";a\r\n", .badChunkSize),
    .chunks("10000000000000003\r\nabc\r\n0\r\n\r\n", .badChunkSize),
    .chunks("0000000000000000\r\n\r\n", .badChunkSize),
    .chunks("ffffffffffffffff\r\n", .badChunkSize),
    .chunks("fffffffffffffff\r\n", .bodyTooLarge),
    .chunks("40001\r\n", .bodyTooLarge),
    .chunks("3\nabc\r\n0\r\n\r\n", .bareLF),
    .chunks("3\rabc\r\n0\r\n\r\n", .bareCR),
    .chunks("3\r\nabcd\r\n0\r\n\r\n", .badChunkEnd),
    .chunks("3\r\nabc\n0\r\n\r\n", .badChunkEnd),
    .chunks("3\r\nabc\rx0\r\n\r\n", .badChunkEnd),
    .chunks("3\r\nabc0\r\n\r\n", .badChunkEnd),
    .chunks("3;\r\nabc\r\n0\r\n\r\n", .badChunkExtension),
    .chunks("3;a=\r\nabc\r\n0\r\n\r\n", .badChunkExtension),
    .chunks("3; a\r\nabc\r\n0\r\n\r\n", .badChunkExtension),
    .chunks("3;a =b\r\nabc\r\n0\r\n\r\n", .badChunkExtension),
    .chunks("3;a=\"b\r\nabc\r\n0\r\n\r\n", .badChunkExtension),
    .chunks("3;a=\"b\\\r\nabc\r\n0\r\n\r\n", .badChunkExtension),
    .chunks("3;a=\"b\"c\r\nabc\r\n0\r\n\r\n", .badChunkExtension),
    .chunks("3;a\nb\r\nabc\r\n0\r\n\r\n", .bareLF),
    .chunks("0\r\nX : y\r\n\r\n", .spaceBeforeColon),
    .chunks("0\r\n x\r\n\r\n", .obsFold),
    .chunks("0\r\nX: y\n\r\n", .bareLF),
    .chunks("0\r\nContent-Length: 3\r\n\r\n", .forbiddenTrailer),
    .chunks("0\r\nTransfer-Encoding: chunked\r\n\r\n", .forbiddenTrailer),
    .chunks("0\r\nHost: b\r\n\r\n", .forbiddenTrailer),
    .chunks("0\r\nGET / HTTP/1.1\r\n\r\n", .spaceBeforeColon),
  ]

  static let all = lines + requestLines + targets + fieldLines + lengths + smuggling + chunked
}

@Suite("Requests that are refused")
struct RefusedRequestTests {
  @Test(
    "is refused for its reason whole, byte by byte, cut anywhere, and before another one",
    arguments: RefusedRequest.all)
  func refuses(_ refused: RefusedRequest) {
    let next = Array("GET /next HTTP/1.1\r\nHost: b\r\n\r\n".utf8)
    for bytes in [refused.bytes, refused.bytes + next] {
      let whole = readRequests(bytes)
      #expect(whole.violation == refused.reason, "\(whole)")
      #expect(whole.messages.isEmpty)
      for cuts in everyCut(of: bytes.count) {
        #expect(readRequests(bytes, cuts: cuts) == whole, "cut at \(cuts)")
      }
    }
  }

  @Test("a refused request behind a good one does not undo the good one", arguments: RefusedRequest.all)
  func refusesTheSecond(_ refused: RefusedRequest) {
    let reading = readRequests(Array("GET /first HTTP/1.1\r\nHost: b\r\n\r\n".utf8) + refused.bytes)
    #expect(reading.messages.count == 1)
    #expect(reading.violation == refused.reason)
  }

  @Test("stays refused whatever follows")
  func staysFailed() {
    var parser = RequestParser(limits: HTTPLimits())
    var bytes = Array("GET / HTTP/3.0\r\n".utf8)
    for _ in 0..<3 {
      do throws(HTTPViolation) {
        _ = try parser.next(adding: bytes.span.bytes)
        Issue.record("went on after a violation")
      } catch {
        #expect(error == .unsupportedVersion)
      }
      bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    }
  }
}
