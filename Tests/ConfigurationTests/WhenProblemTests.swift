import Configuration
import Testing

/// What is wrong with a `when` is said with its place.
@Suite struct WhenProblemTests {
  /// Each row follows `"when":`, from column 23 on.
  @Test(arguments: conditions)
  func problemsAreNamedWithTheirPlace(_ row: ExtraLine) {
    var files = goodFiles()
    files.contents["policies/baseline.json"] = #"{"policy":"p", "when":\#(row.line), "rules":{}}"#
    let (_, problems) = load(files)
    #expect(problems == row.problems.map { "policies/baseline.json:" + $0 })
  }

  static let conditions: [ExtraLine] = [
    .init(#"{"tags.a.b c":["x"],"tenant.labels.x":{"present":false},"any":[{"name":["a"]}]}"#),
    .init(#"[]"#, #"1:23: error: expected an object of conditions, found an array"#),
    .init(#"{}"#, #"1:23: error: expected at least one condition, found none"#),
    .init(#"{"not":{}}"#, #"1:30: error: expected at least one condition, found none"#),
    .init(
      #"{"all":[]}"#, #"1:30: error: expected a list of at least one object of conditions, found an array"#),
    .init(
      #"{"nmae":["a"],"tag.Env":["a"],"tags.":["a"]}"#,
      #"1:24: error: unknown condition "nmae"; did you mean "name"?"#,
      #"1:37: error: unknown condition "tag.Env"; did you mean "tags.KEY"?"#,
      #"1:53: error: unknown condition "tags."; did you mean "tags.KEY"?"#),
    .init(#"{"name":[]}"#, #"1:31: error: expected a list of at least one glob, found an empty list"#),
    .init(
      #"{"name":"a"}"#,
      #"1:31: error: expected a list of globs, {"pattern": …} or {"present": …}, found "a""#),
    .init(#"{"name":{}}"#, #"1:31: error: missing key: one of "pattern", "present""#),
    .init(
      #"{"name":{"pattern":"(","presence":true}}"#,
      #"1:42: error: invalid pattern at character 2: missing closing parenthesis"#,
      #"1:46: error: unknown key "presence"; did you mean "present"?"#),
    .init(
      #"{"expirationDays":["30"]}"#,
      #"1:41: error: expected an object with "min" and "max", or "present", found an array"#),
    .init(#"{"expirationDays":{"min":5,"max":4}}"#, #"1:48: error: "min" 5 is more than "max" 4"#),
    .init(
      #"{"expirationDays":{"min":5,"present":true}}"#,
      #"1:60: error: "present" stands alone, without "min" and "max""#),
    .init(#"{"expirationDays":{}}"#, #"1:41: error: missing key: "min", "max" or "present""#),
    .init(
      #"{"tags.Env":["x"]}, "mutable":["Env","Enf"]"#,
      #"1:54: warning: "Env" may be changed after creation, and with it whether this policy holds for the user"#,
      #"1:60: error: "Enf" is no key that "when" asks for; did you mean "Env"?"#),
    .init(
      String(repeating: #"{"not":"#, count: 17) + #"{"name":["a"]}"# + String(repeating: "}", count: 17),
      #"1:135: error: conditions stand in each other more than 16 deep"#),
  ]
}
