import Primitives
import StrictJSON
import TestSupport
import Testing

@Suite struct JSONWriterTests {
  static func write(pretty: Bool = false, _ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter(pretty: pretty)
    body(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  static func sample(_ writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("empty")
    writer.beginArray()
    writer.endArray()
    writer.key(text: "k\"é")
    writer.beginArray()
    writer.integer(-1)
    writer.string("a\nb" as String)
    writer.beginObject()
    writer.key("real")
    writer.real(12.3)
    writer.endObject()
    writer.beginObject()
    writer.endObject()
    writer.endArray()
    writer.key("raw")
    writer.raw(Array("[1,2]".utf8))
    writer.key("t")
    writer.boolean(true)
    writer.key("f")
    writer.boolean(false)
    writer.key("n")
    writer.null()
    writer.endObject()
  }

  @Test func compactHasNoSpace() {
    #expect(
      Self.write { Self.sample(&$0) }
        == #"{"empty":[],"k\"é":[-1,"a\nb",{"real":12.3},{}],"raw":[1,2],"t":true,"f":false,"n":null}"#)
  }

  @Test func prettyIsAsJqPrints() {
    let expected = #"""
      {
        "empty": [],
        "k\"é": [
          -1,
          "a\nb",
          {
            "real": 12.3
          },
          {}
        ],
        "raw": [1,2],
        "t": true,
        "f": false,
        "n": null
      }
      """#
    #expect(Self.write(pretty: true) { Self.sample(&$0) } == expected)
  }

  @Test func scalarsMayStandAlone() {
    #expect(Self.write { $0.string("" as Text) } == "\"\"")
    #expect(Self.write(pretty: true) { $0.null() } == "null")
    #expect(Self.write { $0.integer(.min) } == "-9223372036854775808")
  }

  @Test func whatWasThereStays() {
    var writer = JSONWriter(into: ByteBuffer(Array("x".utf8)))
    writer.beginArray()
    writer.endArray()
    #expect(writer.bytes == Array("x[]".utf8))
    let buffer = writer.finish()
    #expect(buffer.array == Array("x[]".utf8))
  }

  @Test func everyControlIsEscaped() {
    // RFC 8259 section 7: two-character forms where there are some.
    let short = [8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"]
    for control in 0..<0x20 {
      let text = Text(uncheckedUTF8: [0x61, UInt8(control), 0x62])
      let expected = short[control] ?? "\\u00" + (control < 16 ? "0" : "") + String(control, radix: 16)
      #expect(Self.write { $0.string(text) } == "\"a\(expected)b\"")
    }
    #expect(Self.write { $0.string("\"\\/\u{7F}é😀\u{2028}" as Text) } == "\"\\\"\\\\/\u{7F}é😀\u{2028}\"")
  }

  @Test func realsReadBackAsTheyWere() throws {
    let values: [Double] = [
      0, 1, 0.1, 1e300, .leastNonzeroMagnitude, -1.7976931348623157e308, 1e16, 123456.789, 1 / 3,
    ]
    for value in values {
      let text = Self.write { $0.real(value) }
      let document = try JSONDocument(parsing: Array(text.utf8))
      #expect(document.real(document.root)?.bitPattern == value.bitPattern)
    }
    #expect(Self.write { $0.real(.nan) } == "null")
    #expect(Self.write { $0.real(-.infinity) } == "null")
  }

  @Test func everyPlaceOfAnEscapeIsWritten() {
    for length in 0..<40 {
      for place in 0...length {
        let before = String(repeating: "a", count: place)
        let behind = String(repeating: "z", count: length - place)
        #expect(Self.write { $0.string(Text(before + behind)) } == "\"\(before)\(behind)\"")
        #expect(Self.write { $0.string(Text(before + "\"" + behind)) } == "\"\(before)\\\"\(behind)\"")
        #expect(Self.write { $0.string(before + "\u{1}" + behind) } == "\"\(before)\\u0001\(behind)\"")
      }
    }
  }

  @Test func anyTextReadsBackAsItWas() throws {
    var generator = SeededGenerator(seed: 7)
    let alphabet: [Unicode.Scalar] = [
      "a", "b", "\"", "\\", "/", "\n", "\u{1}", "\u{1F}", "\u{7F}", "é", "漢", "😀", " ",
    ]
    for _ in 0..<3000 {
      var string = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...40, using: &generator) {
        // Mostly runs of plain text, so that escapes fall everywhere within the eight bytes looked at together.
        let isPlain = Int.random(in: 0..<4, using: &generator) > 0
        string.append(isPlain ? "x" : alphabet.randomElement(using: &generator) ?? "a")
      }
      let text = Text(String(string))
      var writer = JSONWriter()
      writer.beginObject()
      writer.key(text: text)
      writer.string(text.string)
      writer.endObject()
      let document = try JSONDocument(parsing: writer.bytes)
      let (key, value) = try #require(document.members(document.root).first { _ in true })
      #expect(document.text(key) == text)
      #expect(document.text(value) == text)
    }
  }
}
