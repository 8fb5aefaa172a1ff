import Primitives
import StrictJSON
import Testing

@Suite struct JSONDocumentTests {
  static func parse(_ text: String) throws -> JSONDocument { try JSONDocument(parsing: Array(text.utf8)) }

  @Test func membersAndElementsComeInTheirOrder() throws {
    let document = try Self.parse(#"{"b":[1,[2,{"x":3}],"s"],"a":{"k":{}},"\u0063":null}"#)
    #expect(document.kind(document.root) == .object)
    #expect(document.members(document.root).map { document.text($0.key) } == ["b", "a", "c"])
    #expect(document.members(document.root).map { document.kind($0.value) } == [.array, .object, .null])
    let list = try #require(document.member("b", of: document.root))
    #expect(document.elements(list).map { document.kind($0) } == [.integer, .array, .string])
    #expect(document.elements(list).count == 3)
    #expect(document.members(list).isEmpty)
    #expect(document.elements(document.root).isEmpty)
    #expect(document.member("c", of: document.root) != nil)
    #expect(document.member("d", of: document.root) == nil)
    #expect(document.member("b", of: list) == nil)
  }

  @Test func aValueKeepsItsSource() throws {
    let text = #" { "a" : [ 1 , "é\n" ] , "b":-2.50e1 } "#
    let document = try Self.parse(text)
    func source(_ node: JSONNode) -> String {
      String(decoding: document.bytes[document.source(node)], as: UTF8.self)
    }
    #expect(source(document.root) == text.dropFirst().dropLast())
    let members = Array(document.members(document.root))
    #expect(members.map { source($0.key) } == [#""a""#, #""b""#])
    #expect(members.map { source($0.value) } == [#"[ 1 , "é\n" ]"#, "-2.50e1"])
    #expect(document.position(ofOffset: document.source(members[1].value).lowerBound).column == 30)
  }

  @Test func oneThatTakesAnotherTextSaysWhatANewOneWould() throws {
    var document = JSONDocument()
    let long = "[\(Array(repeating: "7", count: 9000).joined(separator: ","))]"
    for text in [#"{"a":1}"#, long, #"["b"]"#, "[1,", long, "{}", "x", #"{"a":[true]}"#] {
      let bytes = Array(text.utf8)
      // Whoever has a copy keeps it.
      let copy = document
      let before = copy.bytes
      let expected = Result { () throws(JSONSyntaxError) in try JSONDocument(parsing: bytes) }
      let result = Result { () throws(JSONSyntaxError) in try document.parse(bytes, in: 0..<bytes.count) }
      #expect(copy.bytes == before)
      switch (expected, result) {
      case (.success(let expected), .success):
        let (found, wanted) = (document.elements(document.root), expected.elements(expected.root))
        #expect(found.count == wanted.count && document.source(document.root) == 0..<bytes.count)
      case (.failure(let expected), .failure(let error)): #expect(error == expected)
      default: Issue.record("\(text.prefix(20)) is read by one of them only")
      }
      document.removeAll()
      #expect(document.bytes.isEmpty)
    }
  }

  @Test func scalarsAreReadAsTheirKindOnly() throws {
    let document = try Self.parse(#"[0,-0,-7,9223372036854775807,1.0,1e2,true,false,null,"5"]"#)
    let nodes = Array(document.elements(document.root))
    #expect(nodes.map(document.integer) == [0, 0, -7, .max, nil, nil, nil, nil, nil, nil])
    #expect(nodes.map(document.real) == [0, 0, -7, 9.223372036854775807e18, 1, 100, nil, nil, nil, nil])
    #expect(nodes.map(document.boolean) == [nil, nil, nil, nil, nil, nil, true, false, nil, nil])
    #expect(nodes.map(document.text) == [nil, nil, nil, nil, nil, nil, nil, nil, nil, "5"])
    #expect(document.kind(nodes[8]) == .null)
  }

  @Test func escapesAreUndone() throws {
    let document = try Self.parse(#"["\"\\\/\b\f\n\r\t","\u00e9\u6F22\uD83D\uDE00x","plain é漢😀",""]"#)
    let nodes = Array(document.elements(document.root))
    let expected: [Text] = ["\"\\/\u{8}\u{C}\n\r\t", "é漢😀x", "plain é漢😀", ""]
    for (node, text) in zip(nodes, expected) {
      #expect(document.text(node) == text)
      #expect(document.utf8(node).map(Array.init) == text.utf8)
      #expect(document.isText(node, text))
      #expect(!document.isText(node, text + "x"))
      #expect(!document.isText(node, "other"))
    }
    #expect(!document.isText(document.root, ""))
  }

  @Test func escapesAreUndoneIntoABuffer() throws {
    let document = try Self.parse(#"["plain","\u0061\"long enough to be copied eight at a time\n","",7]"#)
    var buffer = ByteBuffer(Array("before ".utf8))
    var written: [[UInt8]?] = []
    for node in document.elements(document.root) {
      let slice = document.appendUnescaped(node, to: &buffer)
      written.append(slice.map { buffer.span[$0].array })
    }
    let long = Array("a\"long enough to be copied eight at a time\n".utf8)
    #expect(written == [Array("plain".utf8), long, [], nil])
    #expect(buffer.array == Array("before plain".utf8) + long)
  }

  @Test func everyPlaceOfAnEscapeIsUndone() throws {
    // Before, between and behind the eight bytes that are copied together.
    for length in 0..<40 {
      for place in 0...length {
        for (escape, meaning) in [
          (#"\n"#, "\n"), (#"\u00e9"#, "é"), (#"\uD83D\uDE00"#, "😀"), (#"\\\/"#, "\\/"),
        ] {
          let before = String(repeating: "b", count: place)
          let behind = String(repeating: "é", count: length - place)
          let document = try Self.parse("\"\(before)\(escape)\(behind)\"")
          let expected = Text(before + meaning + behind)
          var buffer = ByteBuffer()
          document.appendUnescaped(document.root, to: &buffer)
          let isTheText = document.isText(document.root, expected.utf8.span)
          #expect(buffer.array == expected.utf8)
          #expect(document.text(document.root) == expected)
          #expect(isTheText)
        }
      }
    }
  }

  @Test func aPlainStringIsLent() throws {
    let document = try Self.parse(#"["plain","esc\n",1]"#)
    let nodes = Array(document.elements(document.root))
    let lent = nodes.map { document.plainSpan($0)?.array }
    #expect(lent == [Array("plain".utf8), nil, nil])
    #expect(document.isText(nodes[1], "esc\n"))
  }

  @Test func aWalkGoesThroughMembersAndElements() throws {
    let document = try Self.parse(#"{"a":[1,2,3],"b":{}}"#)
    var members = document.memberWalk(document.root)
    let first = try #require(document.next(&members))
    var elements = document.elementWalk(first.value)
    var numbers: [Int?] = []
    while let element = document.next(&elements) { numbers.append(document.integer(element)) }
    #expect(numbers == [1, 2, 3])
    let second = try #require(document.next(&members))
    #expect(document.isText(second.key, "b"))
    #expect(document.memberWalk(second.value).isAtEnd)
    #expect(document.elementWalk(second.value).isAtEnd)
    #expect(document.next(&members)?.key == nil)
    #expect(members.isAtEnd)
  }

  @Test(arguments: [
    ("[" + String(repeating: "1,", count: 5000) + "1]", 5001),
    (String(repeating: "[", count: 32) + String(repeating: "]", count: 32), 1),
    ("[" + String(repeating: "[],", count: 300) + "{}]", 301), ("[7]", 1),
  ])
  func aTextMayHaveAValueForEveryOtherByte(_ text: String, _ count: Int) throws {
    let document = try Self.parse(text)
    #expect(document.elements(document.root).count == count)
  }

  @Test func textIsComparedByItsBytes() throws {
    let document = try Self.parse("{\"\u{E9}\":1,\"e\u{301}\":2}")
    #expect(document.member("\u{E9}", of: document.root).flatMap(document.integer) == 1)
    #expect(document.member("e\u{301}", of: document.root).flatMap(document.integer) == 2)
  }

  @Test func aDuplicateKeyIsNamedWhereItComesAgain() {
    let error = #expect(throws: JSONSyntaxError.self) {
      try Self.parse(#"{"Name":1,"x":{"Name":2},"N\u0061me":3}"#)
    }
    #expect(error?.offset == 25)
    #expect(error?.message == #"duplicate key "N\u0061me""#)
  }

  @Test func aLongDuplicateKeyIsNotRepeatedInFull() {
    let key = String(repeating: "é", count: 5000)
    let error = #expect(throws: JSONSyntaxError.self) { try Self.parse("{\"\(key)\":1,\"\(key)\":2}") }
    #expect((error?.message.utf8.count ?? .max) < 100)
  }

  @Test func everyEscapedScalarIsTheScalar() throws {
    for value in stride(from: UInt32(1), through: 0x10FFFF, by: 97) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let escaped = String(scalar).utf16.map { unit in
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }.joined()
      let document = try Self.parse("\"\(escaped)\"")
      #expect(document.text(document.root) == Text(String(scalar)))
    }
  }

  @Test func twoAndThreeByteSequencesAreTakenOrRefusedAsTheStandardLibraryDoes() {
    // Every pair, and what bytes at the edges of RFC 3629's table make of three and four.
    let edges: [UInt8] = [
      0x20, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
      0xEF, 0xF0,
      0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ]
    var contents: [[UInt8]] = (0x80...0xFF).flatMap { lead in (0x20...0xFF).map { [lead, $0] } }
    for first in edges {
      for second in edges {
        for third in edges {
          contents.append([first, second, third])
          if first >= 0xF0 { contents += edges.map { [first, second, third, $0] } }
        }
      }
    }
    for content in contents where !content.contains(0x22) && !content.contains(0x5C) {
      let isValid = String(validating: content, as: UTF8.self) != nil
      let quoted = [0x22] + content + [0x22]
      if ((try? JSONDocument(parsing: quoted)) != nil) != isValid { Issue.record("\(Hex.encode(content))") }
    }
  }

  @Test func manyMembersCostLinearTime() throws {
    // Forty thousand members fit into a body; comparing every pair of them would take seconds.
    let members = (0..<40_000).map { "\"\($0)\":0" }.joined(separator: ",")
    let document = try Self.parse("{\(members)}")
    #expect(document.members(document.root).count == 40_000)
  }
}
