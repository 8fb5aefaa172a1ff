import Primitives
import Testing

@testable import HTTPWire

@Suite struct PendingHeadTests {
  private static let head = "POST /a?b=c HTTP/1.1\r\nHost: h\r\nX-Some: thing\r\n"

  /// What is known once `text` has come byte by byte.
  private func pending(_ text: String, at once: Bool = false) throws -> (head: RequestHead?, announced: Int?)
  {
    var parser = RequestParser(limits: HTTPLimits())
    let bytes = Array(text.utf8)
    for part in once ? [bytes[...]] : bytes.indices.map({ bytes[$0...$0] }) {
      if case .request = try parser.next(adding: Array(part).span.bytes) { Issue.record("it is whole") }
    }
    return (parser.pendingHead, parser.announcedContent)
  }

  @Test(arguments: [true, false]) func headOfSizedContentIsThere(atOnce: Bool) throws {
    let found = try pending(Self.head + "Content-Length: 10\r\n\r\nabc", at: atOnce)
    let head = try #require(found.head)
    #expect(found.announced == 10)
    #expect(head.equals(head.path, "/a") && head.equals(head.method, "POST"))
    #expect(head.first(named: "x-some").map { head.equals($0, "thing") } == true)
  }

  @Test(arguments: [true, false]) func headOfChunkedContentIsThere(atOnce: Bool) throws {
    let found = try pending(Self.head + "Transfer-Encoding: chunked\r\n\r\n5\r\nab", at: atOnce)
    let head = try #require(found.head)
    #expect(found.announced == HTTPLimits().bodyBytes)
    #expect(head.equals(head.path, "/a"))
  }

  @Test func thereIsNoneBeforeItIsWholeAndAfterTheContent() throws {
    let before = try pending(Self.head)
    #expect(before.head == nil && before.announced == nil)
    var parser = RequestParser(limits: HTTPLimits())
    let whole = Array((Self.head + "Content-Length: 1\r\n\r\na").utf8)
    guard case .request = try parser.next(adding: whole.span.bytes) else {
      Issue.record("it is not whole")
      return
    }
    #expect(parser.pendingHead == nil && parser.announcedContent == nil)
  }

  @Test func lookingAtTheHeadChangesNothing() throws {
    var parser = RequestParser(limits: HTTPLimits())
    let start = Array((Self.head + "Content-Length: 3\r\n\r\na").utf8)
    _ = try parser.next(adding: start.span.bytes)
    #expect(parser.pendingHead != nil)
    guard case .request(let message) = try parser.next(adding: Array("bc".utf8).span.bytes) else {
      Issue.record("it is not whole")
      return
    }
    #expect(message.bodyArray == Array("abc".utf8))
  }
}
