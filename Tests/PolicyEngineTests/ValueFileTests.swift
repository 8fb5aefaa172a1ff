import ChimeIdentity
import Configuration
import OpenSSLCrypto
import Primitives
import Testing

@testable import PolicyEngine

/// `valuesFrom` and `forbiddenFrom`.
@Suite struct ValueFileTests {
  private func load(_ rules: String, _ files: [String: String]) throws -> (PolicySet, [Problem]) {
    let all = files.merging(["p.json": policy(rules)]) { first, _ in first }
    let loader = ConfigurationLoader(
      files: PolicyFolder(files: all), environment: [:], knownOperations: Operation.allCases.map(\.name))
    let (loaded, problems) = loader.policies(inFolder: "policies")
    guard let loaded else { throw BadFixture(problems: problems.map(\.line)) }
    let (set, found) = PolicySet.compile(documents: loaded.documents, tenants: [crm])
    return (set, problems + found)
  }

  private func violations(_ rules: String, _ files: [String: String], _ body: String) throws -> [Violation] {
    var facts = try request(body)
    return try load(rules, files).0.policies(for: crm).decide(&facts).violations
  }

  static let list = "\u{FEFF}# centres\n\n4711\r\n48*\n  \n#4712\n${tenant.id}\n"
  static let centre = #""tags":{"required":[{"key":"C","valuesFrom":"c.txt"}]}"#

  @Test(arguments: [
    ("4711", true), ("48*", true), ("4812", false), ("#4712", false), ("${tenant.id}", true), ("crm", false),
    ("4711\r", false), ("471", false),
  ])
  func linesAreTakenLiterally(_ value: String, _ isAccepted: Bool) throws {
    let found = try violations(Self.centre, ["c.txt": Self.list], createBody(tags: [("C", value)]))
    #expect(found.map(\.rule) == (isAccepted ? [] : ["tags.value"]))
    #expect(
      found.allSatisfy { $0.message.contains("accepted: a value that is one of the lines of `c.txt`") })
  }

  @Test func valuesAndLinesAreBothAccepted() throws {
    let rules = #""tags":{"required":[{"key":"C","values":["9*"],"valuesFrom":"c.txt"}]}"#
    for (value, isAccepted) in [("4711", true), ("99", true), ("8", false)] {
      let found = try violations(rules, ["c.txt": Self.list], createBody(tags: [("C", value)]))
      #expect(found.isEmpty == isAccepted, "\(value)")
    }
  }

  @Test func aLineIsForbiddenAnywhere() throws {
    let rules = #"""
      "name":{"forbiddenFrom":"w.txt"},"appInstanceUserId":{"forbiddenFrom":"w.txt"},
      "metadata":{"forbiddenFrom":"w.txt"}
      """#
    let body = createBody(id: "crm-foo", name: "a b.d c", metadata: "xfoo")
    let found = try violations(rules, ["w.txt": "b.d\nfoo\n"], body)
    #expect(found.map(\.rule) == ["appInstanceUserId.forbidden", "name.forbidden", "metadata.forbidden"])
    #expect(found[1].message == "the value contains `b.d`; accepted: a value without any line of `w.txt`")
    #expect(!found[2].message.contains("foo"))
    #expect(try violations(rules, ["w.txt": "b.d\nfoo\n"], createBody(name: "bad", metadata: "fo")).isEmpty)
  }

  @Test func anEmptyFileAcceptsNothingAndForbidsNothing() throws {
    #expect(try violations(Self.centre, ["c.txt": "# none\n"], createBody(tags: [("C", "1")])).count == 1)
    #expect(try violations(#""name":{"forbiddenFrom":"c.txt"}"#, ["c.txt": ""], createBody()).isEmpty)
    let problems = try load(Self.centre, ["c.txt": "# none\n"]).1.map(\.line)
    #expect(problems == ["policies/c.txt:1:1: warning: no value stands in the file"])
  }

  @Test func problemsOfTheFileAreSaidWithTheirPlace() throws {
    #expect(throws: BadFixture.self) { try load(Self.centre, [:]) }
    #expect(throws: BadFixture.self) { try load(Self.centre, ["c.txt": "a\0b"]) }
    let problems = try load(Self.centre, ["c.txt": "a\nb \n"]).1.map(\.line)
    #expect(
      problems == [
        "policies/c.txt:2:1: warning: the line begins or ends with white space, which belongs to the value"
      ])
  }

  @Test func aDefaultThatIsNoLineIsTheAuthorsError() throws {
    let rules = #""tags":{"required":[{"key":"C","valuesFrom":"c.txt","default":"DEFAULT"}]}"#
    let wrong = try load(rules.replacing("DEFAULT", with: "1"), ["c.txt": "4711"]).1
    #expect(wrong.contains { $0.severity == .error })
    let right = try load(rules.replacing("DEFAULT", with: "4711"), ["c.txt": "4711"]).1
    #expect(right.isEmpty, "\(right.map(\.line))")
  }
}
