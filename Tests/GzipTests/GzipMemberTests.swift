import Gzip
import Testing

@Suite struct GzipMemberTests {
  /// Python 3: `zlib.compressobj(-1, zlib.DEFLATED, 31)` on an empty string.
  @Test func emptyContentIsAnEmptyMember() {
    #expect(
      GzipMember.compressing([]) == [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test func sameContentGivesTheSameBytesAndNoTime() throws {
    let content = Array(String(repeating: "{\"Records\":[]}", count: 5000).utf8)
    let first = try #require(GzipMember.compressing(content))
    #expect(first == GzipMember.compressing(content))
    #expect(first[4..<8] == [0, 0, 0, 0])
    #expect(first.count < content.count / 50)
    // The last four bytes are the length, low byte first (RFC 1952 section 2.3.1).
    let length = first.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(length == content.count)
  }

  @Test func whatWasCompressedComesBack() throws {
    for content in [[], Array("{\"Records\":[]}".utf8), [UInt8](repeating: 7, count: 100_000)] {
      let file = try #require(GzipMember.compressing(content))
      #expect(GzipMember.decompressing(file, limit: 100_000) == content)
      #expect(GzipMember.decompressing(Array(file.dropLast()), limit: 100_000) == nil)
      #expect(GzipMember.decompressing(file + [0], limit: 100_000) == nil)
    }
  }

  @Test func contentBeyondTheLimitIsRefused() throws {
    let file = try #require(GzipMember.compressing([UInt8](repeating: 7, count: 100_000)))
    #expect(GzipMember.decompressing(file, limit: 99_999) == nil)
    #expect(GzipMember.decompressing(Array("no gzip".utf8), limit: 100) == nil)
  }
}
