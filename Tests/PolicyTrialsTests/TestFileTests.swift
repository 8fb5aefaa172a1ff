import Configuration
import Testing

@testable import PolicyTrials

@Suite struct TestFileTests {
  static let good = #"{"name":"n","tenant":{"id":"crm"},"expect":{"decision":"allowed"}}"#

  @Test(arguments: [
    (
      #"{"cases":[]}"#, #"t.test.json:1:10: error: expected a list of at least one case, found an empty list"#
    ),
    (#"{"case":[]}"#, #"t.test.json:1:2: error: unknown key "case"; did you mean "cases"?"#),
    (
      good.replacing(#""expect""#, with: #""expects""#),
      #"t.test.json:1:45: error: unknown key "expects"; did you mean "expect"?"#
    ),
    (
      good.replacing(#""allowed""#, with: #""allow""#),
      #"t.test.json:1:66: error: expected one of "allowed", "denied", "invalid", found "allow"; did you mean "allowed"?"#
    ),
    (
      good.replacing(#""decision":"allowed""#, with: #""violations":["tags.requierd"]"#),
      #"t.test.json:1:69: error: unknown rule "tags.requierd"; did you mean "tags.required"?"#
    ),
    (
      good.replacing(#""decision":"allowed""#, with: ""),
      #"t.test.json:1:54: error: nothing is expected; give at least one of "decision", "violations", "warnings", "rules", "changes""#
    ),
    (
      good.replacing(#""expect""#, with: #""operation":"CreateAppInstanceUsr","expect""#),
      #"t.test.json:1:57: error: unknown operation "CreateAppInstanceUsr"; did you mean "CreateAppInstanceUser"?"#
    ),
    (
      good.replacing(#""expect""#, with: #""request":[],"expect""#),
      #"t.test.json:1:55: error: expected an object, or the body as a string, found an array"#
    ),
  ])
  func whatIsWrongIsSaidWithItsPlace(_ text: String, _ line: String) {
    let file = text.hasPrefix(#"{"case"#) ? text : #"{"cases":[\#(text)]}"#
    #expect(problems(of: file).contains(line), "\(problems(of: file))")
  }

  @Test func aNameGivenTwiceIsAWarning() {
    let lines = problems(of: #"{"cases":[\#(Self.good),\#(Self.good)]}"#)
    #expect(lines.count == 1 && lines[0].contains(#"warning: another case of this file has the name "n""#))
  }

  @Test func testFilesAreFoundInFoldersButNotInOtherSets() throws {
    let files = loader([
      "p/a.json": "", "p/b.test.json": "", "p/tests/c.test.json": "", "p/tests/deep/d.test.json": "",
      "p/strict/s.json": "", "p/strict/s.test.json": "", "p/.hidden.test.json": "", "p/notes.txt": "",
    ])
    let found = try files.testFiles(at: "p", policies: "p")
    #expect(found.files == ["p/b.test.json", "p/tests/c.test.json", "p/tests/deep/d.test.json"])
    #expect(found.skipped.map(\.folder) == ["p/strict"])
    #expect(found.skipped.first?.reason == #"it holds "s.json", and so is a set of policies of its own"#)
    #expect(try files.testFiles(at: "p/strict", policies: "p").files == ["p/strict/s.test.json"])
    #expect(try files.testFiles(at: "p/a.json", policies: "p").files == ["p/a.json"])
    #expect(throws: FileFault.missing) { try files.testFiles(at: "nowhere", policies: "p") }
  }

  @Test func thePoliciesUnderTestAreLookedIntoWhereverTheyLie() throws {
    let files = loader([
      "etc/gatehouse.json": "", "etc/policies/a.json": "", "etc/policies/a.test.json": "",
      "etc/others/b.json": "", "etc/others/b.test.json": "",
    ])
    let found = try files.testFiles(at: "etc", policies: "etc/policies")
    #expect(found.files == ["etc/policies/a.test.json"])
    #expect(found.skipped.map(\.folder) == ["etc/others"])
  }
}
