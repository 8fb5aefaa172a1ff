@testable import HTTPWire
import Primitives
import TestSupport
import Testing

@Suite("Writers")
struct WriterTests {
  /// RFC 9110 section 5.6.7's own example.
  static let time = WallClockTime(seconds: 784_111_777)

  static func text(_ write: (inout ByteBuffer) -> Void) -> String {
    var out = ByteBuffer()
    write(&out)
    return String(decoding: out.array, as: UTF8.self)
  }

  static func answer(
    _ status: Int, body: String = "", keepAlive: Bool = true, toHEAD: Bool = false,
    fields: (inout ByteBuffer) -> Void = { _ in }
  ) -> String {
    text { out in
      ResponseWriter.appendStart(status: status, keepAlive: keepAlive, date: HTTPDateLine(time), into: &out)
      fields(&out)
      ResponseWriter.appendEnd(status: status, body: Array(body.utf8).span, toHEAD: toHEAD, into: &out)
    }
  }

  @Test("an answer has date, persistence, length and body")
  func wholeAnswer() {
    #expect(
      Self.answer(201, body: "{}") { $0.append(field: "content-type", literal: "application/json") }
        == "HTTP/1.1 201 Created\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\nconnection: keep-alive\r\n"
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
    let text = Self.text { out in
      out.append(field: "x-a", Array("1\r\nx-b: 2\n3\0\u{7F}\t4é".utf8))
      out.append(fieldNamed: Array("x-c\r\nx-d".utf8).span, Array("5".utf8).span)
      out.append(fieldNamed: [UInt8]().span, Array("6".utf8).span)
      out.append(fieldNamed: Array("x-e".utf8).span, Array("7".utf8).span)
    }
    #expect(text == "x-a: 1  x-b: 2 3  \t4é\r\nx-e: 7\r\n")
  }

  @Test("a control byte becomes a space wherever it stands, and nothing else changes")
  func everyControlByte() {
    for byte in UInt8.min...UInt8.max {
      for position in 0..<20 {
        var value = [UInt8](repeating: 0x61, count: 20)
        value[position] = byte
        var out = ByteBuffer()
        out.append(field: "x", value)
        let isControl = byte < 0x20 && byte != 0x09 || byte == 0x7F
        value[position] = isControl ? 0x20 : byte
        let expected = Array("x: ".utf8) + value + Array("\r\n".utf8)
        // One `#expect` for each would take longer than all else here.
        if out.array != expected { Issue.record("byte \(byte) at \(position)") }
      }
    }
  }

  @Test("a field of a head is passed on as it was read")
  func passedOn() throws {
    let head = try head(of: "GET / HTTP/1.1\r\nHost:a\r\nX-Some:  v w\t \r\n\r\n")
    let text = Self.text { out in
      for field in head.lines.array { out.append(field, of: head) }
    }
    #expect(text == "Host: a\r\nX-Some: v w\r\n")
  }

  @Test("what is written is read back")
  func roundTrip() throws {
    let answer = Self.answer(409, body: "body") { $0.append(field: "x-amzn-errortype", Array("E".utf8)) }
    let reading = readResponses(Array(answer.utf8), closing: false)
    #expect(reading.messages.map(\.status) == [409])
    #expect(reading.messages.first?.keepAlive == true)

    let request = Self.text { out in
      RequestWriter.appendLine(
        method: Array("POST".utf8).span, path: Array("/a%3Ab".utf8).span, query: Array("c=d".utf8).span,
        into: &out)
      out.append(field: "host", Array("upstream.example".utf8))
      out.append(field: "content-length", decimal: 2)
      out.append("\r\n")
    }
    #expect(
      request == "POST /a%3Ab?c=d HTTP/1.1\r\nhost: upstream.example\r\ncontent-length: 2\r\n\r\n")
    #expect(readRequests(Array((request + "ab").utf8)).messages.first?.body == Array("ab".utf8))
  }

  @Test("a request line cannot be broken by its parts")
  func requestLine() {
    let text = Self.text { out in
      RequestWriter.appendLine(
        method: Array("G\r\nET ".utf8).span, path: Array("/a b\r\n".utf8).span, query: [UInt8]().span,
        into: &out)
    }
    #expect(text == "GET /a%20b%0D%0A HTTP/1.1\r\n")
  }

  @Test("a byte that could end a target is percent-encoded wherever it stands")
  func everyTargetByte() {
    let none: [UInt8] = []
    for byte in UInt8.min...UInt8.max {
      for position in 1..<20 {
        var path = [UInt8](repeating: 0x2F, count: 20)
        path[position] = byte
        var out = ByteBuffer()
        RequestWriter.appendLine(
          method: Array("GET".utf8).span, path: path.span, query: none.span, into: &out)
        let isVisible = byte > 0x20 && byte < 0x7F
        let hex = String(byte, radix: 16, uppercase: true)
        let escaped = isVisible ? [byte] : Array("%\(hex.count < 2 ? "0" : "")\(hex)".utf8)
        path.replaceSubrange(position...position, with: escaped)
        let expected = Array("GET ".utf8) + path + Array(" HTTP/1.1\r\n".utf8)
        if out.array != expected { Issue.record("byte \(byte) at \(position)") }
      }
    }
  }

  @Test("the date changes with the second")
  func dateLine() {
    var line = HTTPDateLine(Self.time)
    func text() -> String { String(decoding: line.bytes.array, as: UTF8.self) }
    #expect(text() == "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
    line.update(to: Self.time.advanced(byNanoseconds: 999_999_999))
    #expect(text() == "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n")
    line.update(to: Self.time.advanced(byNanoseconds: 1_000_000_000))
    #expect(text() == "date: Sun, 06 Nov 1994 08:49:38 GMT\r\n")
  }
}
