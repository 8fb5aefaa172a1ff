import Configuration
import Primitives
import Testing

@testable import PolicyEngine

/// What `check` says about rules that refuse everything or nothing.
@Suite struct UselessRulesTests {
  private static let erp = TenantFacts(id: "erp", labels: ["code": "7"])

  private func advice(_ policies: [String], tenants: [TenantFacts] = [crm]) throws -> [String] {
    try compile(policies, tenants: tenants).0.advice.map(\.message)
  }

  private static let useless: [(rules: String, says: String)] = [
    ("", "the policy has no rules"),
    (#""name":{},"tags":{}"#, "the policy has no rules"),
    (#""appInstanceUserId":{"minLength":65}"#, "every request is refused: the id of a user has at most 64"),
    (#""appInstanceUserId":{"maxLength":0}"#, "every request is refused: the id of a user has at least 1"),
    (#""appInstanceUserId":{"maxLength":100}"#, "maxLength is beyond what the API takes"),
    (#""name":{"maxLength":1000}"#, "maxLength is beyond what the API takes"),
    (#""expiration":{"maxDays":99999}"#, "maxDays is beyond what the API takes, at most 5475"),
    (#""expiration":{"minDays":6000}"#, "every number of days is refused"),
    (#""metadata":{"maxBytes":5000}"#, "maxBytes is beyond what the API takes"),
    (#""tags":{"maxCount":51}"#, "maxCount is beyond what the API takes, at most 50 tags"),
    (
      #""tags":{"required":[{"key":"K","values":["a","b"],"pattern":"[0-9]+"}]}"#,
      "every value is refused: none of the values listed matches this pattern"
    ),
    (
      #""appInstanceUserId":{"prefix":"crm-","pattern":"[a-z]+"}"#,
      "every id is refused: nothing that begins with the prefix matches this pattern"
    ),
    (
      #""appInstanceUserId":{"prefix":"${tenant.id}_","pattern":"[a-z0-9-]+"}"#,
      "nothing that begins with the prefix matches this pattern, for tenant `crm`"
    ),
    (
      #""appInstanceUserId":{"prefix":"${tenant.id}-","forbidden":["(?i)CRM"]}"#,
      "every id is refused: the prefix itself matches this, for tenant `crm`"
    ),
    (
      #""appInstanceUserId":{"prefix":"${tenant.labels.owner}-","maxLength":8}"#,
      "every id is refused: the prefix alone has 16 characters, and 8 are the most, for tenant `crm`"
    ),
  ]

  @Test(arguments: useless.indices)
  func whatCannotBeMeantIsSaid(_ index: Int) throws {
    let (rules, says) = Self.useless[index]
    let found = try advice([policy(rules)])
    #expect(found.count == 1)
    #expect(found.first?.contains(says) == true, "\(found)")
    #expect(try advice([policy(rules, mode: "off")]).isEmpty)
  }

  @Test(arguments: [
    #""appInstanceUserId":{"minLength":64,"maxLength":64}"#, #""expiration":{"minDays":1,"maxDays":5475}"#,
    #""metadata":{"maxBytes":4096}"#, #""tags":{"maxCount":50}"#, #""tags":{"allowedKeys":[]}"#,
    #""tags":{"required":[{"key":"K","values":["a","7"],"pattern":"[0-9]+"}]}"#,
    #""tags":{"required":[{"key":"K","values":["a*"],"pattern":"[0-9]+"}]}"#,
    #""appInstanceUserId":{"prefix":"${tenant.id}-","pattern":"[a-z0-9-]+"}"#,
    #""appInstanceUserId":{"prefix":"crm-","pattern":"crm-"}"#,
    #""appInstanceUserId":{"prefix":"crm-","pattern":"(?x) crm- [a-z]+ # letters"}"#,
    #""appInstanceUserId":{"prefix":"crm-","pattern":"crm-\\Q[a]"}"#,
    #""appInstanceUserId":{"prefix":"crm-","pattern":"(*UCP)[a-z]+"}"#,
    #""appInstanceUserId":{"prefix":"crm-","pattern":"(?=.*x)[a-z-]{5,9}"}"#,
    #""appInstanceUserId":{"prefix":"${request.appInstanceId}-","pattern":"x"}"#,
  ])
  func whatCanBeMeantIsNotWarnedAbout(_ rules: String) throws {
    #expect(try advice([policy(rules)]).isEmpty)
  }

  @Test func onlyTenantsThatTheRuleIsAboutAreNamed() throws {
    let rules = #""appInstanceUserId":{"prefix":"${tenant.id}-","pattern":"[a-d][a-z-]+"}"#
    let found = try advice([policy(rules)], tenants: [crm, Self.erp])
    #expect(found.count == 1 && found[0].hasSuffix("for tenant `erp`"))
    #expect(try advice([policy(rules, match: #"{"tenants":["crm"]}"#)], tenants: [crm, Self.erp]).isEmpty)
  }

  @Test(arguments: [
    (#""name":{"minLength":2}"#, "Put*", "the rules on `name` never apply"),
    (#""expiration":{"maxDays":2}"#, "TagResource", "the rules on `expiration` never apply"),
    (
      #""appInstanceUserId":{"prefix":"a"}"#, "UpdateAppInstanceUser",
      "the rules on `appInstanceUserId` never apply"
    ),
    (#""tags":{"maxCount":2}"#, "UpdateAppInstanceUser", "the rules on `tags` never apply"),
  ])
  func rulesOnWhatNoMatchedOperationCarriesAreSaid(
    _ rules: String, _ operations: String, _ says: String
  ) throws {
    let found = try advice([policy(rules, match: #"{"operations":["\#(operations)"]}"#)])
    #expect(found.count == 1 && found[0].contains(says))
    #expect(try advice([policy(rules, match: #"{"operations":["*"]}"#)]).isEmpty)
  }

  @Test(arguments: [
    (#"{"tenants":["crmm"]}"#, "no tenant is called `crmm`; did you mean `crm`?"),
    (#"{"tenants":["crm","hr*"]}"#, "no tenant is called `hr*`"),
    (#"{"exclude":{"tenants":["cmr"]}}"#, "no tenant is called `cmr`; did you mean `crm`?"),
    (#"{"tenantLabels":{"ownr":["*"]}}"#, "no tenant has a label `ownr`; did you mean `owner`?"),
    (
      #"{"tenantLabels":{"owner":["hr@*"]}}"#,
      "no tenant's label `owner` has a value that matches one of `hr@*`"
    ),
    (#"{"exclude":{"tenantLabels":{"stage":["x"]}}}"#, "no tenant has a label `stage`"),
  ])
  func matchesThatNameNoTenantAreSaid(_ match: String, _ says: String) throws {
    let policies = [policy(#""name":{"minLength":2}"#, match: match)]
    #expect(try advice(policies) == [says])
    #expect(try advice(policies, tenants: []).isEmpty)
  }

  @Test func matchesOfTenantsThereAreSayNothing() throws {
    let match =
      #"{"tenants":["c*"],"tenantLabels":{"owner":["*@example.com"]},"exclude":{"tenants":["crm"]}}"#
    #expect(try advice([policy(#""name":{"minLength":2}"#, match: match)]).isEmpty)
  }

  /// What a policy sets is protected whatever operations it matches.
  @Test func protectionIsNotCalledUseless() throws {
    let rules = #""tags":{"set":{"K":"v"}}"#
    #expect(try advice([policy(rules, match: #"{"operations":["UpdateAppInstanceUser"]}"#)]).isEmpty)
  }
}
