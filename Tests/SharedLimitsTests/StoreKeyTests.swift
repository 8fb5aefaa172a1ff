import Primitives
import SharedLimits
import Testing

@Suite("Names in the store")
struct StoreKeyTests {
  let keys = StoreKeys(prefix: "gatehouse:")

  @Test("begin with the prefix and have one hash tag")
  func prefixed() {
    for key in [keys.name("tenant", ["crm"]), keys.name("budget", ["us-east-1"])] {
      #expect(text(key).hasPrefix("gatehouse:{limits}:"))
      #expect(text(key).filter { "{}".contains($0) } == "{}")
    }
    #expect(text(keys.name("tenant", ["crm", "read"])) == "gatehouse:{limits}:tenant:crm:read")
  }

  @Test("of strangers' choice neither collide nor end the tag")
  func encoded() {
    let names: [[Text]] = [
      ["a:b"], ["a", "b"], ["a%3Ab"], ["a}b"], ["{a}"], ["a\r\nb"], ["é"], [""], ["", ""], ["A"], ["a"],
      ["::ffff:10.0.0.1"], ["2001:db8::/64"],
    ]
    let all = names.map { keys.name("source", $0) }
    #expect(Set(all).count == all.count)
    for key in all {
      #expect(key.allSatisfy { $0 > 0x20 && $0 < 0x7F })
      #expect(key.filter { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }.count == 2)
    }
    #expect(text(keys.name("source", ["a:b}"])) == "gatehouse:{limits}:source:a%3Ab%7D")
  }

  private func text(_ key: [UInt8]) -> String { String(decoding: key, as: UTF8.self) }
}
