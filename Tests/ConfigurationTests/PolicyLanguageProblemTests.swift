import Configuration
import Testing

/// What `check` says of the parts of the language that say where, how and to whom a policy speaks.
@Suite struct PolicyLanguageProblemTests {
  /// Each row is a whole policy but for its braces and its name, from column 16 on.
  @Test(arguments: documents)
  func problemsAreNamedWithTheirPlace(_ row: ExtraLine) {
    var files = goodFiles()
    files.contents["policies/baseline.json"] = #"{"policy":"p", \#(row.line)}"#
    let (_, problems) = load(files)
    #expect(problems == row.problems.map { "policies/baseline.json:" + $0 })
  }

  static let documents: [ExtraLine] = [
    .init(
      #""owner":"a@b.example", "severity":"critical", "help":"https://x.example/a?b#c", "rules":{"name":{"mode":"off","message":"é!","help":"https://x.example"}}"#
    ),
    .init(
      #""severity":"hi", "rules":{}"#,
      #"1:27: error: expected one of "low", "medium", "high", "critical", found "hi"; did you mean "high"?"#),
    .init(
      #""help":"http://x.example", "owner":"", "rules":{}"#,
      #"1:23: error: expected an https URL of printable ASCII, found "http://x.example""#,
      #"1:51: error: expected a person or a team, one line of 1 to 512 characters, found """#),
    .init(
      #""rules":{"name":{"message":"a\u0007b","modes":"warn"}}"#,
      #"1:43: error: expected a line for the caller, one line of 1 to 512 characters, found "a\u0007b""#,
      #"1:54: error: unknown key "modes"; did you mean "mode"?"#),
    .init(
      #""mode":"warn","rules":{"name":{"mode":"enforce"},"tags":{"mode":"off","required":[{"key":"K","mode":"warn"}]}}"#,
      #"1:54: warning: "enforce" does nothing here: the weakest mode holds, and above it stands "warn""#,
      #"1:116: warning: "warn" does nothing here: the weakest mode holds, and above it stands "off""#),
    .init(
      #""rules":{}, "match":{"exclude":{"tenants":["a"],"tenantLabels":{"env":["dev*"]}},"tenantLabels":{"env":["x"]}}"#
    ),
    .init(
      #""rules":{}, "match":{"exclude":{}}"#,
      #"1:47: warning: nothing stands in "exclude", so it excludes every request"#),
    .init(
      #""rules":{}, "match":{"exclude":{"tenant":["a"]}}"#,
      #"1:47: warning: nothing stands in "exclude", so it excludes every request"#,
      #"1:48: error: unknown key "tenant"; did you mean "tenants"?"#),
    .init(
      #""rules":{}, "match":{"tenantLabels":{"env":[],"zone":"a"},"exclude":{"operations":["Creat"]}}"#,
      #"1:53: warning: no value of the label "env" is listed, so this policy never applies"#,
      #"1:69: error: expected a list of globs, found "a""#,
      #"1:99: error: unknown operation "Creat""#),
  ]
}
