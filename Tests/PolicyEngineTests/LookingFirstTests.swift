import ChimeIdentity
import Patterns
import Primitives
import TestSupport
import Testing

@testable import PolicyEngine

/// What is looked at first, so that nearly all requests need no more, beside what it stands for.
@Suite struct LookingFirstTests {
  @Test func aListOfGlobsMatchesWhatOneOfThemDoes() {
    var generator = SeededGenerator(seed: 11)
    func text(_ alphabet: [String], _ most: Int) -> Text {
      Text(
        (0..<Int.random(in: 0...most, using: &generator)).map { _ in
          alphabet.randomElement(using: &generator) ?? ""
        }.joined())
    }
    for _ in 0..<3000 {
      let globs = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
        generator.happens(20)
          ? Glob(parts: [.literal(text(["a", "*", "?"], 3)), .glob(text(["a", "b", "*"], 9))])
          : Glob(text(["a", "b", "ab", "é", "*", "?"], 12))
      }
      let list = GlobList(globs)
      for _ in 0..<8 {
        let value = text(["a", "b", "*", "?", "é"], 12)
        #expect(list.matches(value) == globs.anyMatches(value), "\(value) in \(globs.map(\.source))")
      }
    }
  }

  @Test func keysThatDifferOnlyInCaseHaveOneFingerprint() {
    var prints: [UInt64: Text] = [:]
    for length in 0..<40 {
      for byte in UInt8.min...0x7F {
        // Around the letters, at every place within a word.
        let key = Array("Owner-of-the-Key-\(length)-".utf8).prefix(length) + [byte]
        let lower = key.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        let (text, folded) = (Text(uncheckedUTF8: Array(key)), Text(uncheckedUTF8: lower))
        let print = FoldedKey.fingerprint(of: text)
        #expect(print == FoldedKey.fingerprint(of: folded))
        #expect(prints.updateValue(folded, forKey: print).map { $0 == folded } ?? true, "\(text)")
      }
    }
    #expect(FoldedKey.fingerprint(of: "Größe\u{212A}Owner") == FoldedKey.fingerprint(of: "GRÖSSEkoWNER"))
  }

  @Test func aFewTextsAndManyAreFoundAlike() {
    for count in [0, 1, 4, 5, 40] {
      let texts = (0..<count).map { Text("Key-\($0)") }
      let table = KeyTable(texts)
      for number in 0..<50 {
        let (text, other) = (Text("Key-\(number)"), Text("key-\(number)"))
        let (isHeld, isOtherHeld) = (table.holds(text.utf8.span), table.holds(other.utf8.span))
        #expect(isHeld == (number < count) && !isOtherHeld)
      }
    }
  }

  static let exact = "arn:aws:chime:us-east-1:123456789012:app-instance/aaaa-0001"

  @Test(arguments: [
    (exact, exact.utf8.count - 9), ("\(exact)x", nil), (String(exact.dropLast()), nil), ("", nil),
    ("\(exact)/user/alice", nil),
  ])
  func onlyAnAppInstanceThatIsWrittenOutIsKnown(_ arn: String, _ idStart: Int?) {
    let known = KnownAppInstances(
      [
        "*", "\(Self.exact)*", "arn:aws:chime:us-east-1:123456789012:app-instance/?",
        "\(Self.exact)/user/alice", Self.exact,
      ]
      .map { Glob(Text($0)) })
    let bytes = Array(arn.utf8)
    let (id, none) = (known.id(in: bytes.span), KnownAppInstances(nil).id(in: bytes.span))
    #expect(id?.lowerBound == idStart && none == nil)
  }

  @Test(arguments: [
    createBody(), createBody(appInstanceArn: exact), createBody(appInstanceArn: "\(exact)/user/alice"),
    createBody(appInstanceArn: exact).replacing("app-instance", with: #"app\u002dinstance"#),
    #"{"AppInstanceArn":null}"#, #"{"AppInstanceArn":7}"#, #"{"Name":"x"}"#, "[]", "{",
    #"{"ResourceARN":"\#(exact)/user/alice","AppInstanceArn":"\#(exact)"}"#,
    #"{"AppInstanceArn":"\#(exact)","ResourceARN":"\#(exact)/user/alice"}"#,
  ])
  func knowingTheTenantChangesNothingThatIsReadOrRefused(_ body: String) throws {
    let call = try Operation.identify(
      method: Array("POST".utf8)[...], path: Array("/app-instance-users".utf8)[...], query: nil)
    let bytes = Array(body.utf8)
    for globs in [[Self.exact], ["*"], ["*/other"], [appInstance]] {
      let facts = TenantFacts(id: "crm", appInstances: globs.map { Glob(Text($0)) })
      let tenant = try compile([], tenants: [facts]).0.policies(for: facts)
      // The same AppInstances, none of them written out.
      let vague = TenantFacts(id: "crm", appInstances: globs.map { Glob(Text("\($0)*")) })
      let unknowing = try compile([], tenants: [vague]).0.policies(for: vague)
      let (one, other) = (
        JudgedRequest(call, in: bytes, body: 0..<bytes.count, by: tenant),
        JudgedRequest(call, in: bytes, body: 0..<bytes.count)
      )
      #expect("\(PlainFacts(one.facts))" == "\(PlainFacts(other.facts))")
      #expect(Self.isConfined(one, tenant) == Self.isConfined(other, unknowing))
    }
  }

  private static func isConfined(_ judged: JudgedRequest, _ tenant: TenantPolicies) -> Bool {
    do throws(JudgementRefusal) {
      _ = try judged.confine(to: tenant)
      return true
    } catch {
      return false
    }
  }
}
