import Primitives
import Testing

@testable import PolicyEngine

@Suite struct TemplateTests {
  static let bare = TenantFacts(id: "crm")

  @Test func factsOfTenantAndRequestArePutIn() throws {
    let outcome = try decide(
      [
        policy(
          #""tags":{"set":{"A":"${tenant.id}/${tenant.labels.costCenter}","B":"${request.appInstanceId}!"}}"#)
      ],
      createBody())
    #expect(outcome.tags == ["A": "crm/4711", "B": "aaaa-1!"])
  }

  @Test func theSameFactsAsAPrefix() throws {
    let rules = policy(#""appInstanceUserId":{"prefix":"${request.appInstanceId}:${tenant.id}-"}"#)
    #expect(try decide([rules], createBody(id: "aaaa-1:crm-x")).violations == [])
    #expect(
      try decide([rules], createBody(id: "bbbb-1:crm-x")).violations
        == ["appInstanceUserId.prefix AppInstanceUserId"])
  }

  @Test func whatIsPutIntoValuesIsNoGlob() throws {
    let tenant = TenantFacts(id: "crm", labels: ["l": "a*?"])
    let rules = policy(#""tags":{"required":[{"key":"K","values":["${tenant.labels.l}-*"]}]}"#)
    #expect(try decide([rules], createBody(tags: [("K", "a*?-x")]), tenant: tenant).violations == [])
    #expect(
      try decide([rules], createBody(tags: [("K", "abc-x")]), tenant: tenant).violations
        == ["tags.value Tags.K"])
  }

  @Test func theAppInstanceInValues() throws {
    let rules = policy(#""tags":{"required":[{"key":"K","values":["${request.appInstanceId}*"]}]}"#)
    #expect(try decide([rules], createBody(tags: [("K", "aaaa-1x")])).violations == [])
    #expect(try decide([rules], createBody(tags: [("K", "aaab-1")])).violations == ["tags.value Tags.K"])
  }

  @Test func aDollarAloneStandsForItself() throws {
    let outcome = try decide([policy(#""tags":{"set":{"A":"$5 {x} $${tenant.id}$"}}"#)], createBody())
    #expect(outcome.tags == ["A": "$5 {x} $crm$"])
  }

  /// Without the label: rules with a template, a body, and what is found.
  static let unresolved: [RuleCase] = [
    RuleCase(
      "prefix", #""appInstanceUserId":{"prefix":"${tenant.labels.x}"}"#, createBody(),
      "appInstanceUserId.prefix AppInstanceUserId"),
    RuleCase(
      "values, with the tag", #""tags":{"required":[{"key":"K","values":["a","${tenant.labels.x}"]}]}"#,
      createBody(tags: [("K", "a")]), "tags.value Tags.K"),
    RuleCase(
      "values, without the tag", #""tags":{"required":[{"key":"K","values":["${tenant.labels.x}"]}]}"#,
      createBody(), "tags.required Tags.K"),
    RuleCase(
      "default, where it is needed", #""tags":{"required":[{"key":"K","default":"${tenant.labels.x}"}]}"#,
      createBody(), "tags.required Tags.K"),
    RuleCase(
      "default, where it is not", #""tags":{"required":[{"key":"K","default":"${tenant.labels.x}"}]}"#,
      createBody(tags: [("K", "1")])),
    RuleCase(
      "set", #""tags":{"set":{"K":"${tenant.labels.x}"}}"#, createBody(), "tags.required Tags.K"),
    RuleCase(
      "set over the caller's value", #""tags":{"set":{"K":"${tenant.labels.x}"}}"#,
      createBody(tags: [("K", "1")]), "tags.required Tags.K"),
  ]

  @Test(arguments: unresolved)
  func whatCannotBeResolvedIsAViolationOfItsRule(_ example: RuleCase) throws {
    let (set, problems) = try compile([policy(example.rules)], tenants: [])
    #expect(problems.isEmpty)
    let outcome = set.outcome(of: try request(example.body), tenant: Self.bare)
    #expect(outcome.violations == example.violations)
    #expect(outcome.changes == [])
    for violation in outcome.decision.violations {
      #expect(violation.message.contains("the tenant has no label `x`") || violation.rule == "tags.required")
    }
  }

  @Test func aValueThatNoTagCanHaveIsNotPutIn() throws {
    for value in ["", repeated("x", 257)] {
      let tenant = TenantFacts(id: "crm", labels: ["x": Text(value)])
      let (set, _) = try compile([policy(#""tags":{"set":{"K":"${tenant.labels.x}"}}"#)], tenants: [])
      let outcome = set.outcome(of: try request(createBody()), tenant: tenant)
      #expect(outcome.violations == ["tags.required Tags.K"])
      #expect(outcome.tags == [:])
    }
    let longest = TenantFacts(id: "crm", labels: ["x": Text(repeated("\u{1F600}", 256))])
    let (set, _) = try compile([policy(#""tags":{"set":{"K":"${tenant.labels.x}"}}"#)], tenants: [longest])
    #expect(set.outcome(of: try request(createBody()), tenant: longest).violations == [])
  }
}
