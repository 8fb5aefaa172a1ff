import HTTPWire
import TestSupport
import Testing

@Suite("Limits and stages")
struct LimitTests {
  static let limits = HTTPLimits(headerBytes: 100, bodyBytes: 10)

  /// A GET whose head is `count` bytes long.
  static func head(of count: Int) -> [UInt8] {
    let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
    return Array(start.utf8) + [UInt8](repeating: 0x61, count: count - start.utf8.count - 4)
      + Array("\r\n\r\n".utf8)
  }

  static func read(_ bytes: [UInt8]) -> RequestReading {
    let whole = readRequests(bytes, limits: limits)
    for cuts in everyCut(of: bytes.count) {
      #expect(readRequests(bytes, cuts: cuts, limits: limits) == whole, "cut at \(cuts)")
    }
    return whole
  }

  @Test("a head of exactly the limit is read, one byte more is 431")
  func headLimit() {
    #expect(Self.read(Self.head(of: 100)).messages.count == 1)
    let excess = Self.read(Self.head(of: 101))
    #expect(excess.violation == .headTooLarge)
    #expect(excess.violation?.status == .headerTooLarge)
    #expect(Self.read([UInt8](repeating: 0x41, count: 101)).violation == .headTooLarge)
    #expect(Self.read([UInt8](repeating: 0x41, count: 100)).stage == .head)
  }

  @Test("content of exactly the limit is read, one byte more is 413 before it comes")
  func bodyLimit() {
    let post = "POST / HTTP/1.1\r\nHost: a\r\n"
    #expect(Self.read(Array("\(post)Content-Length: 10\r\n\r\n0123456789".utf8)).messages.count == 1)
    let excess = Self.read(Array("\(post)Content-Length: 11\r\n\r\n".utf8))
    #expect(excess.violation == .bodyTooLarge)
    #expect(excess.violation?.status == .bodyTooLarge)
    let chunked = "\(post)Transfer-Encoding: chunked\r\n\r\n"
    #expect(Self.read(Array("\(chunked)5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n".utf8)).messages.count == 1)
    #expect(Self.read(Array("\(chunked)5\r\n01234\r\n6\r\n".utf8)).violation == .bodyTooLarge)
  }

  @Test("extensions and trailers together are bounded by the head's limit")
  func trailerLimit() {
    let start = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    let extensions = String(repeating: "1;\(String(repeating: "e", count: 19))\r\nx\r\n", count: 5)
    #expect(Self.read(Array("\(start)\(extensions)0\r\n\r\n".utf8)).messages.count == 1)
    #expect(Self.read(Array("\(start)\(extensions)0;e\r\n\r\n".utf8)).violation == .trailersTooLarge)
    #expect(Self.read(Array("\(start)\(extensions)0\r\nX: y\r\n\r\n".utf8)).violation == .trailersTooLarge)
    let endless = "\(start)0\r\nX: \(String(repeating: "y", count: 200))"
    #expect(Self.read(Array(endless.utf8)).violation == .trailersTooLarge)
    #expect(HTTPViolation.trailersTooLarge.status == .headerTooLarge)
  }

  @Test("the stage says what the connection waits for")
  func stages() throws {
    var parser = RequestParser(limits: HTTPLimits())
    /// Whether there is a request now.
    func feed(_ text: String) throws -> Bool {
      if case .request = try parser.next(adding: Array(text.utf8).span.bytes) { true } else { false }
    }
    func stage() -> RequestParser.Stage { parser.stage }
    #expect(stage() == .idle)
    #expect(try !feed("\r\n"))
    #expect(stage() == .idle)
    #expect(try !feed("P"))
    #expect(stage() == .head)
    #expect(try !feed("OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"))
    #expect(stage() == .body)
    #expect(try feed("ab"))
    #expect(stage() == .idle)
    #expect(try !feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"))
    #expect(stage() == .body)
    #expect(try feed("0\r\n\r\nG"))
    #expect(stage() == .head)
    let isIdle = parser.isIdle
    #expect(!isIdle)
  }

  @Test("continue is asked for once, and only before any content has come")
  func continues() throws {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
    for framing in ["Content-Length: 2\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"] {
      #expect(try continuations(of: [head + framing]) == [true, false])
      let first = framing.hasPrefix("C") ? "a" : "1"
      #expect(try continuations(of: [head + framing + first]) == [false, false])
      #expect(try continuations(of: [head, framing, first]) == [false, false, true, false, false, false])
    }
    #expect(try continuations(of: [head + "Content-Length: 0\r\n\r\n"]) == [])
    #expect(try continuations(of: [head + "\r\n"]) == [])
    let old = "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    #expect(try continuations(of: [old]) == [false, false])
  }

  /// For each piece, two steps: whether each asked for a continuation; a request ends the list.
  private func continuations(of pieces: [String]) throws -> [Bool] {
    var parser = RequestParser(limits: HTTPLimits())
    var asked: [Bool] = []
    for piece in pieces {
      let bytes = Array(piece.utf8)
      for step in 0..<2 {
        switch step == 0 ? try parser.next(adding: bytes.span.bytes) : try parser.next() {
        case .continueExpected: asked.append(true)
        case .needsMore: asked.append(false)
        case .request: return asked
        }
      }
    }
    return asked
  }
}
