import ChimeIdentity
import Configuration
import Primitives
import TestSupport
import Testing

@testable import PolicyEngine

/// Templates that a rule is made of: in patterns, keys of tags and globs of keys.
@Suite struct RuleTemplateTests {
  static let kept: [RuleCase] = [
    RuleCase(
      "the tenant's id in a pattern", #""appInstanceUserId":{"pattern":"${tenant.id}-[a-z]+"}"#, createBody()),
    RuleCase(
      "another's", #""appInstanceUserId":{"pattern":"${tenant.id}-[a-z]+"}"#, createBody(id: "erp-x"),
      "appInstanceUserId.pattern AppInstanceUserId"),
    RuleCase(
      "the AppInstance's id in a pattern", #""name":{"pattern":"(?i)[a-z]+@${request.appInstanceId}"}"#,
      createBody(name: "Alice@AAAA-1")),
    RuleCase(
      "another AppInstance's", #""name":{"pattern":"[a-z]+@${request.appInstanceId}"}"#,
      createBody(name: "alice@bbbb-1"), "name.pattern Name"),
    RuleCase(
      "a label that is forbidden", #""name":{"forbidden":["(?i)\\b${tenant.id}\\b"]}"#,
      createBody(name: "The CRM user"), "name.forbidden Name"),
    RuleCase(
      "in metadata", #""metadata":{"forbidden":["${tenant.labels.owner}"]}"#,
      createBody(metadata: "by crm@example.com"), "metadata.forbidden Metadata"),
    RuleCase(
      "whose dot is none", #""metadata":{"forbidden":["${tenant.labels.owner}"]}"#,
      createBody(metadata: "by crm@example_com")),
    RuleCase(
      "in the pattern of a tag", #""tags":{"required":[{"key":"K","pattern":"[a-z]+@${tenant.id}"}]}"#,
      createBody(tags: [("K", "a@erp")]), "tags.pattern Tags.K"),
    RuleCase(
      "in the key of a required tag", #""tags":{"required":[{"key":"${tenant.id}:team","values":["a"]}]}"#,
      createBody(tags: [("crm:team", "b")]), "tags.value Tags.crm:team"),
    RuleCase(
      "a required tag that is missing", #""tags":{"required":[{"key":"${tenant.id}:team"}]}"#,
      createBody(tags: [("erp:team", "b")]), "tags.required Tags.crm:team"),
    RuleCase(
      "in another case", #""tags":{"required":[{"key":"${tenant.id}:team"}]}"#,
      createBody(tags: [("CRM:team", "b")]), "tags.keyCase Tags.CRM:team"),
    RuleCase(
      "among the keys allowed", #""tags":{"allowedKeys":["${tenant.id}:*","${request.appInstanceId}"]}"#,
      createBody(tags: [("crm:x", "1"), ("aaaa-1", "1"), ("erp:x", "1")]), "tags.allowedKeys Tags.erp:x"),
    RuleCase(
      "two required tags that are one",
      #""tags":{"required":[{"key":"crm","values":["a*"]},{"key":"${tenant.id}","values":["*b"]}]}"#,
      createBody(tags: [("crm", "a")]), "tags.value Tags.crm"),
  ]

  @Test(arguments: kept)
  func theyArePutIn(_ example: RuleCase) throws {
    #expect(try example.outcome().violations == example.violations)
  }

  @Test func keysThatAreSetAndDefaultedArePutIn() throws {
    let rules = policy(
      #"""
      "tags":{"required":[{"key":"${tenant.id}:owner","default":"${tenant.labels.owner}"}],
              "set":{"${request.appInstanceId}":"1"},"allowedKeys":["${tenant.id}:*"]}
      """#)
    let outcome = try decide([rules], createBody())
    #expect(outcome.tags == ["crm:owner": "crm@example.com", "aaaa-1": "1"])
    #expect(outcome.violations == [])
    // And stay what they are.
    let tagging = try decide([rules], tagBody([("AAAA-1", "2"), ("crm:x", "1")]), as: .tagResource)
    #expect(tagging.violations == ["tags.allowedKeys Tags.AAAA-1", "tags.protected Tags.AAAA-1"])
  }

  /// Each AppInstance has its own, also of so many that no more are kept.
  @Test func eachAppInstanceHasItsOwn() throws {
    let (set, _) = try compile([policy(#""name":{"pattern":"x-${request.appInstanceId}"}"#)])
    for number in (0..<150) {
      let arn = "arn:aws:chime:us-east-1:123456789012:app-instance/a\(number)"
      let right = try request(createBody(name: "x-a\(number)", appInstanceArn: arn), appInstance: arn)
      #expect(set.outcome(of: right).violations == [])
      let wrong = try request(createBody(name: "x-a\(number)1", appInstanceArn: arn), appInstance: arn)
      #expect(set.outcome(of: wrong).violations == ["name.pattern Name"])
    }
  }

  static let unresolved: [RuleCase] = [
    RuleCase(
      "pattern", #""name":{"pattern":"${tenant.labels.x}.*"}"#, createBody(name: "b"), "name.pattern Name"),
    RuleCase(
      "forbidden", #""name":{"forbidden":["b","${tenant.labels.x}"]}"#, createBody(name: "c"),
      "name.forbidden Name"),
    RuleCase(
      "metadata", #""metadata":{"forbidden":["${tenant.labels.x}"]}"#, createBody(metadata: "m"),
      "metadata.forbidden Metadata"),
    RuleCase(
      "the pattern of a tag", #""tags":{"required":[{"key":"K","pattern":"${tenant.labels.x}"}]}"#,
      createBody(tags: [("K", "1")]), "tags.pattern Tags.K"),
    RuleCase(
      "the key of a required tag", #""tags":{"required":[{"key":"a${tenant.labels.x}"}]}"#, createBody(),
      "tags.required Tags.a${tenant.labels.x}"),
    RuleCase(
      "the key of a tag that is set", #""tags":{"set":{"${tenant.labels.x}":"1"}}"#, createBody(),
      "tags.required Tags.${tenant.labels.x}"),
    RuleCase(
      "allowedKeys", #""tags":{"allowedKeys":["L","${tenant.labels.x}"],"set":{"S":"1"}}"#,
      createBody(tags: [("K", "1"), ("L", "1")]), "tags.allowedKeys Tags.K", "tags.allowedKeys Tags.L"),
  ]

  @Test(arguments: unresolved)
  func whatCannotBeWorkedOutBreaksItsRule(_ example: RuleCase) throws {
    let tenant = TenantFacts(id: "crm")
    let (set, problems) = try compile([policy(example.rules)], tenants: [])
    #expect(problems.isEmpty, "\(problems.map(\.line))")
    let outcome = set.outcome(of: try request(example.body), tenant: tenant)
    #expect(outcome.violations == example.violations)
    for violation in outcome.decision.violations {
      #expect(violation.message.contains("the tenant has no label `x`"), "\(violation.message)")
    }
    // `check` knows of tenants that the file has.
    let (_, found) = try compile([policy(example.rules)], tenants: [tenant])
    #expect(found.map(\.severity) == [.error], "\(found.map(\.line))")
    #expect(found.allSatisfy { $0.message.contains("`${tenant.labels.x}` has no value for tenant `crm`") })
  }

  /// A text of all that means something in a regular expression stands for itself, wherever it is put in.
  @Test func whatIsPutIntoAPatternHasNoMeaningThere() throws {
    var random = SeededGenerator(seed: 7)
    let letters = Array("ab0-._*+?()[]{}|^$\\#/ \u{E9}\u{1F600}\n=!<>:QE,&~")
    let frames = [
      ("", ""), ("^", "$"), ("x-", "-y"), ("x", "+y"), ("(?:x|", ")"), ("(?x) ", " # z"), ("a{", "}"),
      ("[a]", "*"),
    ]
    for _ in 0..<400 {
      let label = String(
        (0..<Int.random(in: 1...8, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
      let (before, after) = frames.randomElement(using: &random) ?? ("", "")
      let pattern = "\(before)${tenant.labels.l}\(after)".replacing("\\", with: "\\\\")
      let tenant = TenantFacts(id: "crm", labels: ["l": Text(label)])
      let (set, problems) = try compile([policy(#""name":{"pattern":"\#(pattern)"}"#)], tenants: [tenant])
      #expect(problems.isEmpty, "\(problems.map(\.line))")
      let plain =
        switch before {
        case "x-": "x-\(label)-y"
        case "x": "x\(label)\(label)y"
        case "a{": "a{\(label)}"
        case "[a]": "a"
        default: label
        }
      let right = set.outcome(of: try request(createBody(name: plain)), tenant: tenant)
      #expect(right.violations == [], "\(pattern) with \(label.debugDescription)")
      for other in [plain + "a", "a" + plain] where !(before == "[a]" && other == "aa" && label == "a") {
        // Repetitions may take in one more of what they repeat.
        guard !(before == "x" || before == "[a]") || !label.contains("a") else { continue }
        let wrong = set.outcome(of: try request(createBody(name: other)), tenant: tenant)
        #expect(
          wrong.violations == ["name.pattern Name"], "\(pattern) with \(label.debugDescription): \(other)")
      }
    }
  }

  static let refused: [(String, String)] = [
    (#""name":{"pattern":"[${tenant.id}]"}"#, "no meaning in a class of characters"),
    (#""name":{"pattern":"[]${tenant.id}]"}"#, "no meaning in a class of characters"),
    (#""name":{"pattern":"[^]${tenant.id}]"}"#, "no meaning in a class of characters"),
    (#""name":{"pattern":"[[:alpha:]${tenant.id}]"}"#, "no meaning in a class of characters"),
    (#""name":{"pattern":"\\Q${tenant.id}\\E"}"#, #"templates and \Q and \E cannot stand in one"#),
    (#""name":{"forbidden":["(*MARK:${tenant.id})"]}"#, "cannot stand in one regular expression"),
    (#""name":{"forbidden":["(?xx)[ ]${tenant.id}]"]}"#, "the option (?xx)"),
    (#""name":{"pattern":"(${tenant.id}"}"#, "invalid pattern, whatever its templates stand for"),
    (#""name":{"pattern":"(?<${tenant.id}>a)"}"#, "invalid pattern, whatever its templates stand for"),
    (#""name":{"pattern":"\\p{L${tenant.id}}"}"#, "invalid pattern, whatever its templates stand for"),
    (#""name":{"pattern":"${tenant.name}"}"#, #"unknown placeholder "${tenant.name}""#),
    (#""name":{"pattern":"${tenant.id"}"#, "expected a closing }"),
    (#""tags":{"required":[{"key":"${x}"}]}"#, #"unknown placeholder "${x}""#),
    (#""tags":{"set":{"${x}":"1"}}"#, #"unknown placeholder "${x}""#),
    (#""tags":{"allowedKeys":["${x}"]}"#, #"unknown placeholder "${x}""#),
    (#""tags":{"forbiddenKeys":["${tenant.id}"]}"#, "templates are not put in here"),
  ]

  @Test(arguments: refused)
  func whatHasNoMeaningIsRefused(_ rules: String, _ message: String) throws {
    let failure = #expect(throws: BadFixture.self) { try documents(["p.json": policy(rules)]) }
    #expect(failure?.problems.count == 1)
    #expect(failure?.problems.first?.contains(message) == true, "\(failure?.problems ?? [])")
  }

  @Test func aDollarSignAfterABackslashBeginsNoTemplate() throws {
    let rules = #""name":{"pattern":"a\\${tenant.id}"}"#
    #expect(try decide([policy(rules)], createBody(name: "acrm")).violations == ["name.pattern Name"])
  }

  /// Two tenants whose keys are the same as others' or not.
  static let tenants = [crm, TenantFacts(id: "erp", labels: ["owner": "erp@example.com"])]

  static let compared: [(policies: [String], problem: String?)] = [
    (
      [
        policy(#""tags":{"set":{"${tenant.id}":"a"}}"#, name: "a"),
        policy(#""tags":{"set":{"crm":"b"}}"#, name: "b"),
      ], "sets the tag `crm` to `b`"
    ),
    (
      [
        policy(#""tags":{"set":{"${tenant.id}":"a"}}"#, name: "a"),
        policy(#""tags":{"set":{"crm":"b"}}"#, name: "b", match: #"{"tenants":["erp"]}"#),
      ], nil
    ),
    (
      [
        policy(
          #""tags":{"required":[{"key":"${tenant.id}:x","default":"1"}],"allowedKeys":["${tenant.id}:*"]}"#)
      ],
      nil
    ),
    (
      [policy(#""tags":{"required":[{"key":"${tenant.id}:x","default":"1"}],"allowedKeys":["erp:*"]}"#)],
      "the tag `crm:x` that is put in is not among its own allowedKeys"
    ),
    (
      [
        policy(
          #""tags":{"required":[{"key":"K","default":"x@${tenant.id}","pattern":"[a-z]@${tenant.id}"}]}"#)
      ],
      nil
    ),
    (
      [policy(#""tags":{"required":[{"key":"K","default":"x@crm","pattern":"[a-z]@${tenant.id}"}]}"#)],
      "does not match the pattern in its own required tags, for tenant `erp`"
    ),
    (
      [policy(#""tags":{"required":[{"key":"\#(repeated("k", 126))${tenant.id}"}]}"#)],
      "the key of a tag must have 1 to 128 characters"
    ),
  ]

  @Test(arguments: compared)
  func checkComparesWhatTheyComeToForEachTenant(_ policies: [String], _ problem: String?) throws {
    let (_, problems) = try compile(policies, tenants: Self.tenants)
    #expect(problems.count == (problem == nil ? 0 : 1), "\(problems.map(\.line))")
    if let problem { #expect(problems.first?.message.contains(problem) == true, "\(problems.map(\.line))") }
  }
}
