import Configuration
import Patterns
import Primitives
import Testing

@Suite struct TagPolicyProblemTests {
  /// Each row is what stands under `tags`, at line 1, column 11.
  @Test(arguments: rows)
  func problemsAreNamedWithTheirPlace(_ row: ExtraLine) {
    var files = goodFiles()
    files.contents["policies/org.tag-policy.json"] = #"{ "tags": "# + row.line + " }"
    let (loaded, problems) = load(files)
    #expect(problems == row.problems.map { "policies/org.tag-policy.json:" + $0 })
    #expect((loaded == nil) == row.problems.contains { $0.contains(": error: ") })
  }

  static let rows: [ExtraLine] = [
    .init(#"{}"#),
    .init(#"{ "A": {} }"#),
    .init(#"[]"#, #"1:11: error: expected an object of tag keys, found an array"#),
    .init(
      #"{ "A": { "tag_keys": {} } }"#, #"1:20: error: unknown key "tag_keys"; did you mean "tag_key"?"#),
    .init(
      #"{ "A": { "tag_key": 1, "tag_value": "x", "enforced_for": { "chime:*": 1 } } }"#,
      #"1:31: error: expected a tag key, found 1"#,
      #"1:47: error: expected a list of tag values, found "x""#,
      #"1:70: error: unknown key "chime:*"; known: "@@assign", "@@append", "@@remove", "@@operators_allowed_for_child_policies""#
    ),
    .init(#"{ "A": { "tag_key": "A", "tag_value": ["x"], "enforced_for": ["chime:*"] } }"#),
    .init(#"{ "A": { "tag_value": { "@@assign": [], "@@remove": ["x"] } } }"#),
    .init(
      #"{ "A": { "tag_key": { "@@append": ["A"] } } }"#,
      #"1:33: error: unknown key "@@append"; known: "@@assign", "@@operators_allowed_for_child_policies""#),
    .init(
      #"{ "A": { "tag_key": { "@@assign": "B" } } }"#,
      #"1:45: error: the tag key "B" must be the policy key "A", in whatever case"#),
    .init(
      #"{ "A": {}, "a": {} }"#,
      #"1:22: error: the policy key "a" stands there twice: case does not count"#),
    .init(
      #"{ "@@assign": {} }"#,
      #"1:13: error: unknown operator "@@assign"; known: "@@operators_allowed_for_child_policies""#),
    .init(
      #"{ "A": { "tag_value": { "@@asign": ["x"] } } }"#,
      #"1:35: error: unknown key "@@asign"; did you mean "@@assign"?"#),
    .init(
      #"{ "A": { "tag_value": { "@@assign": ["*@*.com", "*@x", 3] } } }"#,
      #"1:48: error: a tag value may have one wildcard, and "*@*.com" has more"#,
      #"1:66: error: expected a tag value, found 3"#),
    .init(
      #"{ "A": { "enforced_for": { "@@assign": ["chime:app-instance-usr"] } } }"#,
      #"1:51: error: unknown resource type "chime:app-instance-usr"; did you mean "chime:app-instance-user"?"#
    ),
    .init(
      #"{ "A": { "enforced_for": { "@@assign": ["*", "*:x", "Chime:*"] } } }"#,
      #"1:51: error: expected a resource type such as "chime:app-instance-user" or "chime:*", found "*""#,
      #"1:56: error: expected a resource type such as "chime:app-instance-user" or "chime:*", found "*:x""#,
      #"1:63: error: unknown resource type "Chime:*"; did you mean "chime:*"?"#),
    .init(
      #"{ "A": { "enforced_for": { "@@assign": ["chmie:*", "chimes:app-instance-user", "chime:app-instnce-user"] } } }"#,
      #"1:51: error: unknown service in "chmie:*"; did you mean "chime"?"#,
      #"1:62: error: unknown service in "chimes:app-instance-user"; did you mean "chime"?"#,
      #"1:90: error: unknown resource type "chime:app-instnce-user"; did you mean "chime:app-instance-user"?"#
    ),
    .init(
      #"{ "A": { "enforced_for": { "@@assign": ["ec3:instance", "secretmanager:*", "something-of-tomorrow:x"] } } }"#,
      #"1:51: warning: unknown service in "ec3:instance"; did you mean "ec2"?"#,
      #"1:67: warning: unknown service in "secretmanager:*"; did you mean "secretsmanager"?"#,
      #"1:86: warning: unknown service in "something-of-tomorrow:x""#),
    .init(
      #"{ "A": { "enforced_for": { "@@assign": ["chime:app-instance/user", "chime:app-instance/bot", "chime:vc", "cognito-idp:userpool", "bugbust:event", "acm-pca:*", "elasticloadbalancing:listener/app"] } } }"#
    ),
    .init(
      #"{ "A": { "enforced_for": { "@@assign": ["ec2:instance", "secretsmanager:*", "chime:meeting", "chime:ALL_SUPPORTED"] } } }"#
    ),
    .init(
      #"{ "A": { "tag_value": { "@@operators_allowed_for_child_policies": ["@@apend"] } } }"#,
      #"1:78: error: unknown operator "@@apend"; did you mean "@@append"?"#),
    .init(
      #"{ "A": { "tag_value": { "@@operators_allowed_for_child_policies": ["@@none", "@@append"] } } }"#,
      #"1:77: error: "@@all" and "@@none" can only stand alone"#),
    .init(
      #"{ "A": { "tag_value": { "enforced_for": { "@@assign": ["chime:*"] } } } }"#,
      #"1:51: warning: "enforced_for" belongs beside "tag_value" and is taken as if it stood there"#),
    .init(
      #"{ "A": { "tag_value": { "@@assign": ["x"], "@@remove": ["x"] } } }"#,
      #"1:66: warning: no value of "A" is left, and so any is accepted, as with AWS"#),
  ]

  /// Everybody who has a tag policy gets it from the AWS CLI, which prints it inside of something.
  @Test(arguments: [
    (#"{ "Policy": { "PolicySummary": {}, "Content": "{}" } }"#, "describe-policy", "Policy.Content"),
    (#"{ "PolicySummary": { "Id": "p-1" }, "Content": "{}" }"#, "describe-policy", "Policy.Content"),
    (
      #"{ "EffectivePolicy": { "PolicyType": "TAG_POLICY", "PolicyContent": "{}" } }"#,
      "describe-effective-policy", "EffectivePolicy.PolicyContent"
    ),
  ])
  func whatTheAWSCLIPrintsIsRecognised(_ text: String, _ command: String, _ query: String) throws {
    var files = goodFiles()
    files.contents["policies/org.tag-policy.json"] = text
    let (loaded, problems) = load(files)
    #expect(loaded == nil)
    #expect(problems.count == 1)
    let problem = try #require(problems.first)
    #expect(problem.hasPrefix("policies/org.tag-policy.json:1:1: error: this is what the AWS CLI prints"))
    #expect(problem.contains("aws organizations \(command) ") && problem.contains("--query \(query) "))
  }

  @Test func aFileMustHaveTagsAndBeJSON() {
    var files = goodFiles()
    files.contents["policies/a.tag-policy.json"] = "{}"
    files.contents["policies/b.tag-policy.json"] = "{"
    let (loaded, problems) = load(files)
    #expect(loaded == nil)
    #expect(
      problems.first == #"policies/a.tag-policy.json:1:1: error: missing key "tags": an object of tag keys"#)
    #expect(problems.last?.hasPrefix("policies/b.tag-policy.json:1:") == true)
  }

  @Test func anOperatorThatTheParentDoesNotAllowIsWarnedAbout() {
    var files = goodFiles()
    files.contents["policies/00.tag-policy.json"] = #"""
      { "tags": { "A": {
        "tag_key": { "@@assign": "A", "@@operators_allowed_for_child_policies": ["@@none"] },
        "tag_value": { "@@assign": ["x"], "@@operators_allowed_for_child_policies": ["@@append", "@@remove"] }
      } } }
      """#
    files.contents["policies/10.tag-policy.json"] = #"""
      { "tags": { "a": {
        "tag_key": { "@@assign": "a" },
        "tag_value": { "@@assign": ["y"], "@@append": ["z"] }
      } } }
      """#
    let (loaded, problems) = load(files)
    #expect(
      problems == [
        #"policies/10.tag-policy.json:2:28: warning: "@@assign" on "tag_key" of "a" has no effect: "policies/00.tag-policy.json" allows child policies no operator"#,
        #"policies/10.tag-policy.json:3:30: warning: "@@assign" on "tag_value" of "a" has no effect: "policies/00.tag-policy.json" allows child policies only "@@append", "@@remove""#,
      ])
    let policy = loaded?.policies.documents.last?.tagPolicy
    #expect(policy?.key == "A")
    #expect(policy?.values?.map(\.source) == ["x", "z"])
  }

  @Test func theRevisionHangsOnTagPoliciesToo() {
    var files = goodFiles()
    let before = load(files).0?.policies.revision
    files.contents["policies/a.tag-policy.json"] = #"{ "tags": {} }"#
    let one = load(files).0?.policies.revision
    files.contents["policies/a.tag-policy.json"] = #"{ "tags": { "A": {} } }"#
    let other = load(files).0?.policies.revision
    #expect(Set([before, one, other]).count == 3)
  }

  /// Canonically equivalent, and so equal as strings, but not the same bytes: two keys to the service.
  @Test func keysAreComparedByTheirBytes() throws {
    let (composed, decomposed) = ("\u{E9}", "e\u{301}")
    var files = goodFiles()
    files.contents["policies/0.tag-policy.json"] =
      #"{"tags":{"\#(composed)":{"tag_value":{"@@assign":["a"]}},"\#(decomposed)":{"tag_value":{"@@assign":["b"]}}}}"#
    files.contents["policies/1.tag-policy.json"] =
      #"{"tags":{"\#(decomposed.uppercased())":{"tag_value":{"@@assign":["c"]}}}}"#
    let (loaded, problems) = load(files)
    #expect(problems == [])
    let policies = try #require(loaded).policies.documents.compactMap(\.tagPolicy)
    #expect(policies.map(\.key) == [Text(decomposed), Text(composed)])
    #expect(policies.map { $0.values?.map(\.source) } == [["c"], ["a"]])
    files.contents["policies/1.tag-policy.json"] =
      #"{"tags":{"\#(decomposed)":{"tag_key":{"@@assign":"\#(composed)"}}}}"#
    #expect(load(files).0 == nil)
  }
}
