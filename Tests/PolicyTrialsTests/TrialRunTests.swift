import Primitives
import StrictJSON
import Testing

@testable import PolicyTrials

@Suite struct TrialRunTests {
  static let rules = policy(
    ##""name":{"maxLength":9,"trimmed":true},"expiration":{"required":true,"defaultDays":9}"##)

  @Test func coverageListsEachRuleThatNoCaseMakesFail() throws {
    let run = try run([Self.rules], [create(#"{"violations":["name.length"]}"#, user: "Alice Example")])
    #expect(run.isSuccess)
    // A required expiration with a default cannot be missing, so it is nothing to be covered.
    #expect(run.rules.map(\.rule) == ["name.length", "name.trimmed"])
    #expect(run.uncovered.map(\.rule) == ["name.trimmed"])
    #expect(
      run.summary(TextStyle(isColoured: false)) == [
        "Coverage: 1 of 2 rules; no test makes these fail:", "    p: name.trimmed",
        "\u{2714} 1 test: 1 passed, 0 failed",
      ])
  }

  @Test func aWarnPolicysChangesCountAsItsRules() throws {
    let warn = policy(#""expiration":{"required":true,"defaultDays":9}"#, mode: "warn")
    let run = try run([warn], [create(#"{"warnings":["expiration.required"]}"#)])
    #expect(run.rules.map(\.rule) == ["expiration.required"] && run.uncovered.isEmpty && run.isSuccess)
  }

  @Test func aRunOfNothingIsNoSuccess() throws {
    #expect(TrialRun([], unreadable: [], policies: try policySet([])).isSuccess == false)
  }

  @Test func nothingOfAFileReachesATerminalRaw() throws {
    let one = create(#"{"changes":{"Tags.\u001b[2J":"\u001b[2J"}}"#, name: #"a\u001b[31mb\u202e\nc"#)
    for line in try run([], [one]).results[0].lines(TextStyle(isColoured: false)) {
      #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{202E}" })
    }
  }

  /// That it is well-formed is judged by Python's parser in Tests/EndToEnd/test_policy_tests.py.
  @Test func junitHasASuiteForEachFileAndEscapesNames() throws {
    let cases = [
      create(#"{"decision":"allowed"}"#, name: #"<&\">\u0001\n"#),
      create(#"{"decision":"denied"}"#, name: "b"),
    ]
    #expect(
      try run([], cases).junit() == """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="gatehouse test" tests="2" failures="1" errors="0">
          <testsuite name="t.test.json" tests="2" failures="1" errors="0">
            <testcase name="&lt;&amp;&quot;&gt;\u{FFFD}&#10;" classname="t.test.json"/>
            <testcase name="b" classname="t.test.json">
              <failure message="decision: expected denied, got allowed" type="expectation">\
        t.test.json:3&#10;decision: expected denied, got allowed</failure>
            </testcase>
          </testsuite>
        </testsuites>

        """)
  }

  @Test func jsonHasOneObjectACaseAndASummary() throws {
    let run = try run([Self.rules], [create(#"{"decision":"denied"}"#, name: "x")])
    let result = try parseLocated(run.results[0].json())
    #expect(result["name"]?.string == "x" && result["passed"]?.boolean == false)
    #expect(result["decision"]?.string == "allowed")
    #expect(result["failures"]?.array?.compactMap(\.string) == ["decision: expected denied, got allowed"])
    let summary = try parseLocated(run.summaryJSON())["summary"]
    #expect(summary?["tests"]?.integer == 1 && summary?["failed"]?.integer == 1)
    #expect(summary?["coverage"]?["uncovered"]?.array?.count == 2)
  }
}
