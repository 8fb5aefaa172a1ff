import Primitives
import RedisWire
import Testing

@Suite("Replies of a Redis server")
struct RedisReplyReaderTests {
  static let replies: [(String, RedisReply)] = [
    ("+OK\r\n", .status(Array("OK".utf8))),
    ("+\r\n", .status([])),
    ("-ERR unknown command\r\n", .error(RedisError(Array("ERR unknown command".utf8)))),
    (":0\r\n", .integer(0)), (":-12\r\n", .integer(-12)),
    (":9223372036854775807\r\n", .integer(.max)), (":-9223372036854775808\r\n", .integer(.min)),
    ("$0\r\n\r\n", .bulk([])), ("$4\r\na\r\nb\r\n", .bulk(Array("a\r\nb".utf8))),
    ("*2\r\n:1\r\n:-7\r\n", .integers([1, -7])),
    ("*2\r\n:1\r\n+y\r\n", .array([.integer(1), .status([0x79])])),
    ("*2\r\n:1\r\n*1\r\n:2\r\n", .array([.integer(1), .integers([2])])),
    ("$-1\r\n", .null), ("*-1\r\n", .null), ("*0\r\n", .array([])),
    (
      "*3\r\n:1\r\n$1\r\nx\r\n*1\r\n+y\r\n",
      .array([.integer(1), .bulk([0x78]), .array([.status([0x79])])])
    ),
  ]

  @Test("are read whole, byte by byte, and with others behind them", arguments: replies)
  func readAsTheyAre(_ bytes: String, _ expected: RedisReply) throws {
    #expect(try read([Array(bytes.utf8)]) == [expected])
    #expect(try read(bytes.utf8.map { [$0] }) == [expected])
    #expect(try read([Array((bytes + bytes + "+t").utf8)]) == [expected, expected])
    for end in 1..<bytes.utf8.count {
      var reader = RedisReplyReader()
      reader.add(Array(bytes.utf8.prefix(end)).span.bytes)
      #expect(try reader.next() == nil)
    }
  }

  @Test(
    "that are none are refused",
    arguments: [
      ("OK\r\n", RedisViolation.unknownType(0x4F)), ("%1\r\n", .unknownType(0x25)),
      ("+OK\n", .lineEnd), ("+OK\rx", .lineEnd), ("$2\r\nabc\r\n", .lineEnd), ("$1\r\na\rb", .lineEnd),
      (":\r\n", .number), (":+1\r\n", .number), (":1 \r\n", .number), (":-\r\n", .number),
      (":9223372036854775808\r\n", .number), ("$-2\r\n", .number), ("*x\r\n", .number),
      ("$65537\r\n", .tooLong), ("*4097\r\n", .tooLong),
      ("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", .tooDeep),
    ])
  func refused(_ bytes: String, _ expected: RedisViolation) throws {
    #expect(throws: expected) { try read([Array(bytes.utf8)]) }
    #expect(throws: expected) { try read(bytes.utf8.map { [$0] }) }
  }

  @Test("that never end are refused before they fill memory")
  func endless() throws {
    #expect(throws: RedisViolation.tooLong) {
      try read([Array("+".utf8), [UInt8](repeating: 0x61, count: 9000)])
    }
    let element = Array("$60000\r\n".utf8) + [UInt8](repeating: 0x61, count: 60_000) + [0x0D, 0x0A]
    #expect(throws: RedisViolation.tooLong) {
      try read([Array("*100\r\n".utf8)] + [[UInt8]](repeating: element, count: 6))
    }
  }

  @Test("say what an error is, and no more than a line of it")
  func errors() {
    let error = RedisError(Array("READONLY You can't write\u{1B}[31m".utf8))
    #expect(error.code == "READONLY")
    #expect(error.shown == "READONLY You can't write?[31m")
  }

  private func read(_ pieces: [[UInt8]]) throws(RedisViolation) -> [RedisReply] {
    var reader = RedisReplyReader()
    var replies: [RedisReply] = []
    for piece in pieces {
      reader.add(piece.span.bytes)
      while let reply = try reader.next() { replies.append(reply) }
    }
    return replies
  }
}
