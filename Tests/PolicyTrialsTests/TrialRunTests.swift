import PolicyEngine
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
      run.summary.map(\.text) == [
        "Coverage: 1 of 2 rules; no test makes these fail:", "    p: name.trimmed",
        "\u{2714} 1 test: 1 passed, 0 failed",
      ])
  }

  @Test func whatAWarnPolicyWouldChangeIsNoRuleThatACaseCanBreak() throws {
    let warn = policy(#""expiration":{"required":true,"defaultDays":9},"name":{"maxLength":3}"#, mode: "warn")
    let run = try run([warn], [create(#"{"warnings":["name.length"],"rules":["name.length"]}"#)])
    #expect(run.rules.map(\.rule) == ["name.length"] && run.uncovered.isEmpty && run.isSuccess)
    #expect(run.results[0].outcome.wouldChange.map(\.rule) == ["expiration.required"])
  }

  /// The rules of policies, and those of the policy `p` that some request could break.
  static let breakable: [([String], [String])] = [
    // A key that is set never has another value on creation; TagResource may give it one.
    (
      [
        policy(
          #""tags":{"required":[{"key":"K","values":["a"],"pattern":"a"}],"set":{"K":"a"}}"#,
          on: "CreateAppInstanceUser")
      ],
      ["tags.keyCase", "tags.protected", "tags.maxCount"]
    ),
    (
      [policy(#""tags":{"required":[{"key":"K","values":["a"]}],"set":{"K":"a"}}"#)],
      ["tags.value", "tags.keyCase", "tags.maxCount", "tags.protected"]
    ),
    (
      [
        policy(
          #""tags":{"required":[{"key":"K","values":["crm"]}],"set":{"K":"${tenant.id}"}}"#,
          on: "CreateAppInstanceUser")
      ],
      ["tags.value", "tags.keyCase", "tags.protected", "tags.maxCount"]
    ),
    ([policy(#""tags":{"set":{"Via":"x"}}"#)], ["tags.keyCase", "tags.maxCount", "tags.protected"]),
    ([policy(#""tags":{"set":{"1":"x"}}"#)], ["tags.maxCount", "tags.protected"]),
    (
      [policy(#""tags":{"set":{"K":"${tenant.labels.x}"}}"#)],
      ["tags.required", "tags.keyCase", "tags.maxCount", "tags.protected"]
    ),
    (
      [policy(#""tags":{"required":[{"key":"K","default":"x"}]}"#)],
      ["tags.keyCase", "tags.maxCount", "tags.protected"]
    ),
    ([policy(#""tags":{"maxCount":50}"#)], []),
    ([policy(#""tags":{"maxCount":49}"#)], ["tags.maxCount"]),
    ([policy(#""tags":{"maxCount":50,"set":{"1":"x"}}"#)], ["tags.maxCount", "tags.protected"]),
    // What other policies put in counts too, and is only so much.
    (
      [policy(#""tags":{"maxCount":50}"#), policy(#""tags":{"set":{"K":"x"}}"#, name: "q")], ["tags.maxCount"]
    ),
    ([policy(#""tags":{"maxCount":51}"#), policy(#""tags":{"set":{"K":"x"}}"#, name: "q")], []),
    (
      [policy(#""tags":{"maxCount":50}"#), policy(#""tags":{"set":{"K":"x"}}"#, mode: "warn", name: "q")], []
    ),
    ([policy(#""metadata":{"maxBytes":4095}"#)], ["metadata.maxBytes"]),
    ([policy(#""metadata":{"maxBytes":4096}"#)], []),
    (
      [
        policy(
          #""name":{"maxLength":100},"appInstanceUserId":{"maxLength":64},"expiration":{"maxDays":5475}"#)
      ], []
    ),
  ]

  @Test(arguments: breakable)
  func coverageIsAboutRulesThatSomeRequestCanBreak(_ policies: [String], _ rules: [String]) throws {
    let breakable = try run(policies, [create(#"{"decision":"allowed"}"#)]).rules
    #expect(Set(breakable.filter { $0.policy == "p" }.map(\.rule)) == Set(rules))
  }

  @Test func rulesSaidToBeBreakableAreBroken() throws {
    let tags = (1...50).map { #"{"Key":"k\#($0)","Value":"x"}"# }.joined(separator: ",")
    let set = policy(#""tags":{"set":{"Via":"x"}}"#)
    let cases = [
      create(#"{"violations":["tags.keyCase"]}"#, more: #","Tags":[{"Key":"via","Value":"x"}]"#),
      create(#"{"violations":["tags.maxCount"]}"#, name: "m", more: #","Tags":[\#(tags)]"#),
      #"{"name":"t","tenant":{"id":"crm"},"operation":"TagResource","request":{"ResourceARN":"\#(appInstance)/user/a","#
        + #""Tags":[{"Key":"Via","Value":"y"}]},"expect":{"violations":["tags.protected"]}}"#,
    ]
    let run = try run([set], cases)
    #expect(run.results.flatMap(\.failures) == [])
    #expect(run.uncovered.isEmpty)
  }

  @Test func aRunOfNothingIsNoSuccess() throws {
    #expect(TrialRun([], unreadable: [], policies: try policySet([])).isSuccess == false)
  }

  @Test func nothingOfAFileReachesATerminalRaw() throws {
    let one = create(#"{"changes":{"Tags.\u001b[2J":"\u001b[2J"}}"#, name: #"a\u001b[31mb\u202e\nc"#)
    for line in try run([], [one]).results[0].lines {
      #expect(line.text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{202E}" })
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
