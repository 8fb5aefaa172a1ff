import Testing

@testable import SigV4

@Suite("Names of fields")
struct FieldMatchingTests {
  /// As RFC 9110 section 5.1 has it: ASCII letters in either case.
  private func isSame(listed: [UInt8], _ name: [UInt8]) -> Bool {
    listed == name.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
  }

  private func matches(listed: [UInt8], _ name: [UInt8]) -> Bool {
    let bytes = [1, 2, 3] + listed + [4] + name + [5]
    return FieldMatching.isSame(
      listed: 3..<3 + listed.count, 4 + listed.count..<4 + listed.count + name.count, in: bytes.span)
  }

  @Test("match as letters do, byte by byte, wherever in a word")
  func everyPair() {
    let listable = (UInt8(0x21)...0x7E).filter { FieldMatching.isListable($0) }
    for position in [0, 3, 7, 9] {
      for left in listable {
        for right in UInt8.min ... .max {
          var (listed, name) = (Array("x-amz-date".utf8), Array("X-AMZ-date".utf8))
          listed[position] = left
          name[position] = right
          #expect(matches(listed: listed, name) == isSame(listed: listed, name))
        }
      }
    }
  }

  @Test("match whole only", arguments: ["", "h", "host", "content-type", "x-amz-security-token"])
  func lengths(name: String) {
    let bytes = Array(name.utf8)
    #expect(matches(listed: bytes, Array(name.uppercased().utf8)))
    #expect(!matches(listed: bytes, bytes + [0x61]))
    #expect(bytes.isEmpty || !matches(listed: bytes, Array(bytes.dropLast())))
  }

  @Test("are found in a range, or its end is", arguments: 0...40)
  func finding(place: Int) {
    var bytes = [UInt8](repeating: 0x61, count: 40)
    if place < 40 { bytes[place] = 0x2C }
    for start in 0...40 {
      for end in start...40 {
        let expected = (start..<end).first { bytes[$0] == 0x2C } ?? end
        let found = bytes.span.first(0x2C, in: start..<end)
        #expect(found == expected)
      }
    }
  }
}
