import Configuration
import Testing

/// What is wrong with an exception file is said with its place.
@Suite struct ExceptionProblemTests {
  @Test(arguments: documents)
  func problemsAreNamedWithTheirPlace(_ row: ExtraLine) {
    var files = goodFiles()
    files.contents["policies/x.exception.json"] = row.line
    let (_, problems) = load(files)
    #expect(problems == row.problems.map { "policies/x.exception.json:" + $0 })
  }

  static let documents: [ExtraLine] = [
    .init(
      #"{"exception":"a.b-1","reason":"r","owner":"o","until":"2028-02-29","policies":["baseline"],"rules":["name.*"],"match":{"tenants":["crm"]},"when":{"name":["a"]}}"#
    ),
    .init(
      #"{}"#,
      #"1:1: error: missing key "exception": a name of 1 to 128 letters, digits and . _ -"#,
      #"1:1: error: missing key "reason": the reason, one line of 1 to 512 characters"#,
      #"1:1: error: missing key "until": a day such as "2027-01-31""#,
      #"1:1: error: missing key "policies": a list of at least one name of a policy"#),
    .init(
      #"{"exception":"a b","reason":"","until":"2027-02-29","policies":[],"rule":["x"]}"#,
      #"1:14: error: expected a name of 1 to 128 letters, digits and . _ -, found "a b""#,
      #"1:29: error: expected the reason, one line of 1 to 512 characters, found """#,
      #"1:40: error: expected a day such as "2027-01-31", found "2027-02-29""#,
      #"1:64: error: expected a list of at least one name of a policy, found an empty list"#,
      #"1:67: error: unknown key "rule"; did you mean "rules"?"#),
  ]

  @Test func twoExceptionsWithOneNameAreAProblemOfTheSecond() {
    var files = goodFiles()
    let text = #"{"exception":"a","reason":"r","until":"2027-01-31","policies":["baseline"]}"#
    files.contents["policies/x.exception.json"] = text
    files.contents["policies/y.exception.json"] = text
    #expect(
      load(files).1 == [
        #"policies/y.exception.json:1:14: error: the exception in "policies/x.exception.json" has the name "a" too"#
      ])
  }
}
