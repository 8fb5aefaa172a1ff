import HTTPWire
import Primitives
import Testing

@Suite("Writers")
struct WriterTests {
  static let date = Array("Mon, 23 Nov 2026 13:00:00 GMT".utf8)

  static func answer(
    _ status: Int, _ fields: [OutgoingField] = [], body: String = "", keepAlive: Bool = true,
    toHEAD: Bool = false
  ) -> String {
    var out: [UInt8] = []
    ResponseWriter.append(
      status: status, fields: fields, body: Array(body.utf8), keepAlive: keepAlive, date: date,
      toHEAD: toHEAD, into: &out)
    return String(decoding: out, as: UTF8.self)
  }

  @Test("an answer has date, persistence, length and body")
  func wholeAnswer() {
    #expect(
      Self.answer(201, [OutgoingField("content-type", string: "application/json")], body: "{}")
        == "HTTP/1.1 201 Created\r\ndate: Mon, 23 Nov 2026 13:00:00 GMT\r\nconnection: keep-alive\r\n"
        + "content-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
    #expect(Self.answer(400, keepAlive: false).contains("\r\nconnection: close\r\n"))
    #expect(Self.answer(299).hasPrefix("HTTP/1.1 299 \r\n"))
  }

  @Test("204 and 304 have neither length nor body; HEAD has the length", arguments: [204, 304])
  func withoutContent(status: Int) {
    let text = Self.answer(status, body: "x")
    #expect(!text.contains("content-length"))
    #expect(text.hasSuffix("\r\n\r\n"))
    let head = Self.answer(404, body: "xy", toHEAD: true)
    #expect(head.contains("content-length: 2\r\n") && head.hasSuffix("\r\n\r\n"))
  }

  @Test("no value or name can end its line")
  func injection() {
    let fields = [
      OutgoingField("x-a", string: "1\r\nx-b: 2\n3\0\u{7F}\t4é"),
      OutgoingField(bytes: Array("x-c\r\nx-d".utf8), Array("5".utf8)),
      OutgoingField(bytes: [], Array("6".utf8)),
      OutgoingField(bytes: Array("x-e".utf8), Array("7".utf8)),
    ]
    let text = Self.answer(204, fields)
    #expect(text.contains("\r\nx-a: 1  x-b: 2 3  \t4é\r\nx-e: 7\r\n\r\n"))
  }

  @Test("what is written is read back")
  func roundTrip() throws {
    let bytes = Array(Self.answer(409, [OutgoingField("x-amzn-errortype", string: "E")], body: "body").utf8)
    let reading = readResponses(bytes, closing: false)
    #expect(reading.messages.map(\.status) == [409])
    #expect(reading.messages.first?.keepAlive == true)

    var out: [UInt8] = []
    RequestWriter.append(
      method: Array("POST".utf8), path: Array("/a%3Ab".utf8), query: Array("c=d".utf8),
      fields: [OutgoingField("host", string: "upstream.example")], contentLength: 2, into: &out)
    #expect(
      String(decoding: out, as: UTF8.self)
        == "POST /a%3Ab?c=d HTTP/1.1\r\nhost: upstream.example\r\ncontent-length: 2\r\n\r\n")
    #expect(readRequests(out + Array("ab".utf8)).messages.first?.body == Array("ab".utf8))
  }

  @Test("a request line cannot be broken by its parts")
  func requestLine() {
    var out: [UInt8] = []
    RequestWriter.append(
      method: Array("G\r\nET ".utf8), path: Array("/a b\r\n".utf8), query: [], fields: [OutgoingField](),
      contentLength: nil, into: &out)
    #expect(String(decoding: out, as: UTF8.self) == "GET /a%20b%0D%0A HTTP/1.1\r\n\r\n")
  }

  @Test("the date changes with the second")
  func dateCache() {
    var cache = HTTPDateCache()
    // RFC 9110 section 5.6.7's own example.
    let time = WallClockTime(seconds: 784_111_777)
    #expect(cache.value(at: time) == Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8))
    #expect(cache.value(at: time.advanced(byNanoseconds: 999_999_999)).suffix(5).first == UInt8(ascii: "7"))
    #expect(cache.value(at: time.advanced(byNanoseconds: 1_000_000_000)).suffix(5).first != UInt8(ascii: "7"))
  }
}
