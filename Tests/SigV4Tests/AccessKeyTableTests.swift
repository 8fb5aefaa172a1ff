import OpenSSLCrypto
import Primitives
import TestSupport
import Testing

@testable import SigV4

@Suite("The table of access keys")
struct AccessKeyTableTests {
  private func find(_ id: String, in table: AccessKeyTable) -> VerificationKey? {
    let bytes = Array(id.utf8)
    return table.key(bytes.span)
  }

  @Test("finds every key of many and no other")
  func finds() {
    let keys = (0..<1000).map { number in
      VerificationKey(id: Text("GHAK\(number / 20)X\(number % 20)"), secret: Secret([1]), owner: number)
    }
    let table = AccessKeyTable(keys)
    for key in keys { #expect(find(key.id.string, in: table) === key) }
    for id in ["", "GHAK", "GHAK0X20", "ghak0x0", "GHAK50X0"] { #expect(find(id, in: table) == nil) }
    #expect(find("x", in: AccessKeyTable([])) == nil)
  }

  @Test("finds the first of those with one id")
  func first() {
    let keys = (0..<3).map { VerificationKey(id: "A", secret: Secret([1]), owner: $0) }
    #expect(find("A", in: AccessKeyTable(keys))?.owner == 0)
  }
}

@Suite("Dates of requests")
struct AmzDateReaderTests {
  @Test("are read alike whatever was read before", arguments: [1, 2] as [UInt64])
  func remembers(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let texts = [
      "19700101T000000Z", "20261123T130000Z", "20261123T130001Z", "20260230T130000Z", "20261123T130000z",
      String(repeating: "\0", count: 16), "", "20261123T130000", "20261231T235959Z",
    ]
    var reader = AmzDateReader()
    for _ in 0..<500 {
      let bytes = Array((texts.randomElement(using: &random) ?? "").utf8)
      let read = reader.read(bytes.span)
      #expect(read?.time == WallClockTime(amzDate: bytes))
      if let read { #expect(read.day == CivilDate(read.time).scopeDay) }
    }
  }
}
