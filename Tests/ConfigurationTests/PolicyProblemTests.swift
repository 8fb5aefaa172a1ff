import Configuration
import Testing

@Suite struct PolicyProblemTests {
  /// Each row is the `rules` of a policy, at line 3, column 12.
  @Test(arguments: rules)
  func ruleProblemsAreNamedWithTheirPlace(_ row: ExtraLine) {
    var files = goodFiles()
    files.contents["policies/baseline.json"] = """
      {
        "policy": "p",
        "rules": \(row.line)
      }
      """
    let (loaded, problems) = load(files)
    #expect(problems == row.problems.map { "policies/baseline.json:" + $0 })
    #expect((loaded == nil) == row.problems.contains { $0.contains(": error: ") })
  }

  static let rules: [ExtraLine] = [
    .init(#"{}"#),
    .init(
      #"{ "username": {} }"#,
      #"3:14: error: unknown key "username"; did you mean "name"?"#),
    .init(
      #"{ "name": { "pattern": "" } }"#,
      #"3:35: error: expected a regular expression, found an empty string"#),
    .init(
      #"{ "name": { "pattern": "a(b" } }"#,
      #"3:35: error: invalid pattern at character 4: missing closing parenthesis"#),
    .init(
      #"{ "name": { "pattern": "é[z-a]" } }"#,
      #"3:35: error: invalid pattern at character 5: range out of order in character class"#),
    .init(
      #"{ "name": { "forbidden": ["ok", "", "*", 3] } }"#,
      #"3:44: error: expected a regular expression, found an empty string"#,
      #"3:48: error: invalid pattern at character 1: quantifier does not follow a repeatable item"#,
      #"3:53: error: expected a regular expression, found 3"#),
    .init(
      #"{ "name": { "forbidden": "x" } }"#,
      #"3:37: error: expected a list of regular expressions, found "x""#),
    .init(
      #"{ "name": { "prefix": "x" } }"#,
      #"3:24: error: unknown key "prefix"; known: "pattern", "forbidden", "forbiddenFrom", "minLength", "maxLength", "trimmed", "singleScript", "mode", "message", "help""#
    ),
    .init(
      #"{ "name": { "minLength": 5, "maxLength": 4 } }"#,
      #"3:37: error: "minLength" 5 is more than "maxLength" 4"#),
    .init(
      #"{ "name": { "minLength": -1, "maxLength": "9", "trimmed": 1 } }"#,
      #"3:37: error: expected a whole number of at least 0, found -1"#,
      #"3:54: error: expected a whole number of at least 0, found "9""#,
      #"3:70: error: expected true or false, found 1"#),
    .init(
      #"{ "appInstanceUserId": { "trimmed": true } }"#,
      #"3:37: error: unknown key "trimmed"; known: "prefix", "pattern", "forbidden", "forbiddenFrom", "minLength", "maxLength", "mode", "message", "help""#
    ),
    .init(
      #"{ "appInstanceUserId": { "prefix": "${tenant.name}-" } }"#,
      #"3:47: error: unknown placeholder "${tenant.name}"; known: "${tenant.id}", "${tenant.labels.NAME}", "${request.appInstanceId}""#
    ),
    .init(
      #"{ "appInstanceUserId": { "prefix": "${tenant.id" } }"#,
      #"3:47: error: expected a closing } after ${"#),
    .init(
      #"{ "appInstanceUserId": { "prefix": "${ENV:HOME}" } }"#,
      #"3:47: error: unknown placeholder "${ENV:HOME}"; known: "${tenant.id}", "${tenant.labels.NAME}", "${request.appInstanceId}""#
    ),
    .init(
      #"{ "appInstanceUserId": { "prefix": "$5 {x} ${tenant.id}${tenant.labels.a b}${request.appInstanceId}" } }"#
    ),
    .init(
      #"{ "tags": { "required": [ { "values": ["a"] }, { "key": "", "values": [] } ] } }"#,
      #"3:38: error: missing key "key": a tag key"#,
      #"3:68: error: expected a tag key, found """#,
      #"3:82: error: expected a list of at least one template, found an empty list"#),
    .init(
      #"{ "tags": { "required": [ { "key": "A", "values": ["${x}"], "default": "${tenant.labels.}", "pattern": "(" } ] } }"#,
      #"3:63: error: unknown placeholder "${x}"; known: "${tenant.id}", "${tenant.labels.NAME}", "${request.appInstanceId}""#,
      #"3:83: error: unknown placeholder "${tenant.labels.}"; known: "${tenant.id}", "${tenant.labels.NAME}", "${request.appInstanceId}""#,
      #"3:115: error: invalid pattern at character 2: missing closing parenthesis"#),
    .init(
      #"{ "tags": { "required": [ { "key": "A", "values": ["[0-9]{4}", "a|b", "x${tenant.id}", "^a", "!b"] } ] } }"#,
      #"3:63: warning: brackets, braces, "^" and backslashes stand for themselves in a glob such as "[0-9]{4}": only * and ? are wildcards, and a regular expression goes into "pattern""#,
      #"3:99: warning: brackets, braces, "^" and backslashes stand for themselves in a glob such as "^a": only * and ? are wildcards, and a regular expression goes into "pattern""#,
      #"3:105: warning: a glob is not negated by "!", which stands for itself; what a match shall leave out goes into "exclude""#
    ),
    .init(
      #"{ "name": { "pattern": "${tenant.id}-.*", "forbidden": ["${tenant.labels.x}", "a{2}$"] } }"#),
    .init(
      #"{ "tags": { "required": [ { "key": "${tenant.id}" } ], "allowedKeys": ["${tenant.id}*"], "forbiddenKeys": ["${tenant.id}"], "set": { "${tenant.id}": "x" } } }"#,
      #"3:119: error: templates are not put in here, and "${tenant.id}" would be taken as it is written; they stand in "prefix", "pattern", "forbidden", "values", "default", "set", "allowedKeys" and the keys of required tags"#
    ),
    .init(
      #"{ "tags": { "forbiddenKeys": ["x[ab]", "{a,b}", "a(b)"] } }"#,
      #"3:42: warning: brackets, braces, "^" and backslashes stand for themselves in a glob such as "x[ab]": only * and ? are wildcards, and a regular expression goes into "pattern""#,
      #"3:51: warning: brackets, braces, "^" and backslashes stand for themselves in a glob such as "{a,b}": only * and ? are wildcards, and a regular expression goes into "pattern""#
    ),
    .init(
      #"{ "tags": { "required": [ { "key": "A" }, { "key": "a" }, { "key": "A" } ] } }"#,
      #"3:79: error: tag "A" is required twice"#),
    .init(
      #"{ "tags": { "required": [ { "key": "A" }, { "key": "Env1" }, { "key": "B" } ], "allowedKeys": ["Env*", "A"], "forbiddenKeys": ["A"] } }"#,
      #"3:47: warning: required tag "A" is among "forbiddenKeys""#,
      #"3:82: warning: required tag "B" is not among "allowedKeys""#),
    .init(#"{ "tags": { "required": [ { "key": "A" } ], "allowedKeys": [], "set": { "A": "x" } } }"#),
    .init(
      #"{ "tags": { "set": { "A": "${tenant.lables.x}", "B": 5 }, "maxCount": -1 } }"#,
      #"3:38: error: unknown placeholder "${tenant.lables.x}"; known: "${tenant.id}", "${tenant.labels.NAME}", "${request.appInstanceId}""#,
      #"3:65: error: expected a template, found 5"#,
      #"3:82: error: expected a whole number of at least 0, found -1"#),
    .init(
      #"{ "tags": { "set": ["A"] } }"#,
      #"3:31: error: expected an object of templates, found an array"#),
    .init(
      #"{ "expiration": { "minDays": 0, "maxDays": 1.5, "onExcess": "lower" } }"#,
      #"3:41: error: expected a whole number of at least 1, found 0"#,
      #"3:55: error: expected a whole number of at least 1, found 1.5"#,
      #"3:72: error: expected one of "deny", "clamp", found "lower""#),
    .init(
      #"{ "expiration": { "minDays": 10, "maxDays": 5 } }"#,
      #"3:41: error: "minDays" 10 is more than "maxDays" 5"#),
    // That a policy refuses what it puts in itself is found when policies are compiled.
    .init(#"{ "expiration": { "minDays": 10, "maxDays": 20, "defaultDays": 5 } }"#),
    .init(#"{ "tags": { "required": [ { "key": "A", "default": "x" } ], "forbiddenKeys": ["A"] } }"#),
    .init(#"{ "expiration": { "maxDays": 20, "defaultDays": 30, "onExcess": "clamp" } }"#),
    .init(
      #"{ "expiration": { "onExcess": "clamp" } }"#,
      #"3:42: warning: "clamp" does nothing without "maxDays""#),
    .init(
      #"{ "metadata": { "maxBytes": "1KiB", "format": "xml", "forbidden": null } }"#,
      #"3:40: error: expected a whole number of at least 0, found "1KiB""#,
      #"3:58: error: expected one of "json", "text", found "xml""#,
      #"3:78: error: expected a list of regular expressions, found null"#),
  ]

  /// Each row is a whole policy.
  @Test(arguments: documents)
  func documentProblemsAreNamedWithTheirPlace(_ row: ExtraLine) {
    var files = goodFiles()
    files.contents["policies/baseline.json"] = row.line
    let (_, problems) = load(files)
    #expect(problems == row.problems.map { "policies/baseline.json:" + $0 })
  }

  static let documents: [ExtraLine] = [
    .init(
      #"{ "policy": "p", }"#,
      #"1:18: error: expected a key in double quotes, found `}` (no comma after the last one)"#),
    .init(
      #"[]"#,
      #"1:1: error: expected a policy object, found an array"#),
    .init(
      #"{}"#,
      #"1:1: error: missing key "policy": a policy name of 1 to 128 letters, digits, spaces and . _ - /"#,
      #"1:1: error: missing key "rules": an object of rules"#),
    .init(
      #"{ "policy": "", "rules": {} }"#,
      #"1:13: error: expected a policy name of 1 to 128 letters, digits, spaces and . _ - /, found """#),
    .init(
      #"{ "policy": "gatehouse", "rules": {} }"#,
      #"1:13: error: the name "gatehouse" is the gateway's own"#),
    .init(
      #"{ "policy": "p", "rules": {}, "mode": "audit" }"#,
      #"1:39: error: expected one of "enforce", "warn", "off", found "audit""#),
    .init(
      #"{ "policy": "p", "rules": {}, "mode": "off", "description": 5 }"#,
      #"1:61: error: expected a string, found 5"#),
    .init(
      #"{ "policy": "p", "policy": "q", "rules": {} }"#,
      #"1:18: error: duplicate key "policy""#),
    .init(
      #"{ "policy": "p", "rules": {}, "match": { "tenants": [], "operations": ["CreateAppInstanceUser", "*User", "Tag"] } }"#,
      #"1:53: warning: an empty list matches nothing, so this policy never applies"#,
      #"1:106: error: unknown operation "Tag""#),
    .init(
      #"{ "policy": "p", "rules": {}, "match": { "tenant": ["a"], "appInstances": [""] } }"#,
      #"1:42: error: unknown key "tenant"; did you mean "tenants"?"#,
      #"1:76: error: expected a glob of AppInstance ARNs such as "arn:aws:chime:us-east-1:123456789012:app-instance/*", found """#
    ),
    .init(
      #"{ "policy": "p", "rules": {}, "match": { "tenants": ["!legacy"], "appInstances": ["prod1", "*:app-instance/a"] } }"#,
      #"1:54: warning: a glob is not negated by "!", which stands for itself; what a match shall leave out goes into "exclude""#,
      #"1:83: error: expected a glob of AppInstance ARNs such as "arn:aws:chime:us-east-1:123456789012:app-instance/*", found "prod1""#
    ),
  ]

  @Test func twoPoliciesWithOneNameAreAProblemOfTheSecond() {
    var files = goodFiles()
    files.contents["policies/zz.json"] = minimalPolicy
    #expect(
      load(files).1 == [
        #"policies/zz.json:1:13: error: the policy in "policies/baseline.json" has the name "baseline" too"#
      ])
  }

  @Test func policyTestsAndOtherFilesAreNotPolicies() {
    var files = goodFiles()
    files.contents["policies/baseline.test.json"] = "not JSON"
    files.contents["policies/README.md"] = "# Policies"
    files.contents["policies/.baseline.json"] = "not JSON"
    let (loaded, problems) = load(files)
    #expect(problems == [])
    #expect(loaded?.policies.documents.map(\.file) == ["policies/baseline.json"])
  }

  @Test func aFolderWithoutPoliciesIsWarnedAbout() {
    var files = goodFiles()
    files.contents["policies/baseline.json"] = nil
    files.contents["policies/README.md"] = ""
    let (loaded, problems) = load(files)
    #expect(loaded != nil)
    #expect(
      problems == [#"gatehouse.json:5:15: warning: no policies in "policies": nothing is denied by policy"#])
  }

  @Test func aMissingFolderIsAProblemWhereItIsNamed() {
    var files = goodFiles()
    files.contents["policies/baseline.json"] = nil
    #expect(
      load(files).1 == [
        #"gatehouse.json:5:15: error: cannot read folder "policies": no such file or directory"#
      ])
  }

  @Test func theRevisionChangesWithAnyNameOrByte() {
    var revisions: Set<String> = []
    for (name, text) in [("a", minimalPolicy), ("b", minimalPolicy), ("b", minimalPolicy + "\n")] {
      var files = goodFiles()
      files.contents["policies/baseline.json"] = nil
      files.contents["policies/\(name).json"] = text
      let revision = load(files).0?.policies.revision ?? "none"
      #expect(revision.hasPrefix("sha256:") && revision.utf8.count == 71)
      revisions.insert(revision)
    }
    #expect(revisions.count == 3)
  }

  /// Comparing two globs takes time in proportion to the product of their lengths.
  @Test func globsAreAsLongAsAnythingTheyCanMatchAndNoLonger() {
    for (length, isTaken) in [(2048, true), (2049, false), (20_000, false)] {
      var files = goodFiles()
      let glob = String(repeating: "\u{E9}", count: length)
      for rules in [
        #""match":{"tenants":["\#(glob)"]},"rules":{}"#, #""rules":{"tags":{"allowedKeys":["\#(glob)"]}}"#,
      ] {
        files.contents["policies/baseline.json"] = #"{"policy":"p",\#(rules)}"#
        let (loaded, problems) = load(files)
        #expect((loaded != nil) == isTaken, "\(length)")
        #expect(problems.count == (isTaken ? 0 : 1))
        #expect(
          problems.allSatisfy { $0.contains("expected a glob of 1 to 2048 characters") && $0.count < 400 })
      }
    }
  }
}
