import Configuration
import PolicyEngine
import Primitives
import Testing

@testable import UserScan

@Suite struct UserJudgeTests {
  private static let crm = TenantFacts(id: "crm", labels: ["owner": "o@example.com"])

  private func rules(
    _ policies: [String], _ user: ScannedUser, of tenant: Text? = "crm", tenants: [TenantFacts] = [crm]
  ) throws -> [String] {
    let finding = try judge(policies, tenants).judge(user, of: tenant)
    return finding.violations.map { "\($0.rule) \($0.field)" }
      + finding.warnings.map { "warn \($0.rule) \($0.field)" }
  }

  @Test func everyPartOfAUserIsHeldAgainstItsRules() throws {
    let all = policy(
      #"""
      "appInstanceUserId":{"prefix":"crm-"},"name":{"maxLength":3},
      "tags":{"required":[{"key":"CostCenter","values":["4711"]},{"key":"Owner"}],"forbiddenKeys":["x*"]},
      "expiration":{"required":true},"metadata":{"maxBytes":1}
      """#)
    var bad = try user("alice", tags: [("CostCenter", "1"), ("x1", "y")])
    bad.metadata = "long"
    #expect(
      try rules([all], bad) == [
        "appInstanceUserId.prefix AppInstanceUserId", "name.length Name", "tags.required Tags.Owner",
        "tags.value Tags.CostCenter", "tags.forbiddenKeys Tags.x1", "expiration.required ExpirationSettings",
        "metadata.maxBytes Metadata",
      ])
    let good = try user("crm-al", name: "Al", tags: [("CostCenter", "4711"), ("Owner", "o")], days: 3)
    #expect(try rules([all], good) == [])
  }

  /// Nobody is there whose request could be changed.
  @Test func defaultsSetAndClampsDoNotApply() throws {
    let filling = policy(
      #"""
      "tags":{"required":[{"key":"Owner","default":"o"}],"set":{"Via":"gatehouse"},"allowedKeys":["Owner"]},
      "expiration":{"required":true,"defaultDays":30,"maxDays":60,"onExcess":"clamp"}
      """#)
    #expect(
      try rules([filling], user("a", days: 90)) == [
        "tags.required Tags.Owner", "expiration.maxDays ExpirationSettings.ExpirationDays",
      ])
    #expect(
      try rules([filling], user("a")) == [
        "tags.required Tags.Owner", "expiration.required ExpirationSettings",
      ])
    // A tag that the policy sets itself is exempt from its `allowedKeys`.
    #expect(try rules([filling], user("a", tags: [("Owner", "x"), ("Via", "gatehouse")], days: 60)) == [])
    let warn = policy(#""tags":{"required":[{"key":"Owner","default":"o"}]}"#, mode: "warn")
    #expect(try rules([warn], user("a")) == ["warn tags.required Tags.Owner"])
  }

  @Test func rulesByTenantApplyToUsersWhoseTenantIsKnown() throws {
    let own = policy(#""appInstanceUserId":{"prefix":"${tenant.id}-","maxLength":8}"#, name: "own")
    let crm = policy(#""name":{"maxLength":3}"#, match: #"{"tenants":["crm"]}"#, name: "crm")
    let labels = policy(
      #""tags":{"required":[{"key":"Owner","values":["${tenant.labels.owner}"]}]}"#, name: "labels")
    let policies = [own, crm, labels]
    let bad = try user("somebody-else", tags: [("Owner", "x")])
    #expect(
      try rules(policies, bad) == [
        "name.length Name", "tags.value Tags.Owner", "appInstanceUserId.prefix AppInstanceUserId",
        "appInstanceUserId.length AppInstanceUserId",
      ])
    // What does not hang on the tenant holds for everybody.
    #expect(try rules(policies, bad, of: nil) == ["appInstanceUserId.length AppInstanceUserId"])
    #expect(try rules(policies, user("x"), of: nil) == ["tags.required Tags.Owner"])
  }

  @Test func whatMatchesTenantsByLabelsOrExclusionIsByTenant() throws {
    for match in [
      #"{"tenantLabels":{"env":["prod"]}}"#, #"{"exclude":{"tenants":["legacy"]}}"#,
      #"{"exclude":{"tenantLabels":{"env":["test"]}}}"#,
    ] {
      let policies = [policy(#""name":{"maxLength":3}"#, match: match)]
      let prod = TenantFacts(id: "crm", labels: ["env": "prod"])
      #expect(try rules(policies, user("a"), tenants: [prod]) == ["name.length Name"])
      #expect(try rules(policies, user("a"), of: nil, tenants: [prod]) == [])
    }
    let other = policy(#""name":{"maxLength":3}"#, match: #"{"exclude":{"operations":["Update*"]}}"#)
    #expect(try rules([other], user("a"), of: nil) == ["name.length Name"])
  }

  @Test func whatAsksForTheTenantIsByTenantAndTheRestIsAskedOfTheUser() throws {
    let rule = #""rules":{"name":{"maxLength":3}}"#
    let byTenant = #"{"policy":"p","when":{"tenant.labels.env":["prod"]},\#(rule)}"#
    let prod = TenantFacts(id: "crm", labels: ["env": "prod"])
    #expect(try rules([byTenant], user("a"), tenants: [prod]) == ["name.length Name"])
    #expect(try rules([byTenant], user("a"), of: nil, tenants: [prod]) == [])
    let byTag = #"{"policy":"p","when":{"tags.Class":["restricted*"]},\#(rule)}"#
    #expect(try rules([byTag], user("a", tags: [("Class", "restricted-1")]), of: nil) == ["name.length Name"])
    #expect(try rules([byTag], user("a", tags: [("Class", "public")]), of: nil) == [])
  }

  @Test func aFindingNamesWhomToAsk() throws {
    let owned =
      #"{"policy":"p","owner":"team@example.com","severity":"high","rules":{"name":{"maxLength":3}}}"#
    let finding = try judge([owned]).judge(user("a"), of: nil)
    #expect(
      finding.lines.last?.hasPrefix("  violation: p [high]: name.length: Name: the value has 13 characters")
        == true)
    #expect(finding.lines.last?.hasSuffix("; owner: team@example.com") == true)
    let json = String(decoding: finding.json, as: UTF8.self)
    #expect(json.contains(#""severity":"high""#) && json.contains("team@example.com"))
  }

  @Test func aTenantThatIsGoneIsKnownUnlessPoliciesNeedItsLabels() throws {
    let own = policy(#""appInstanceUserId":{"prefix":"${tenant.id}-"}"#)
    #expect(try judge([own]).judge(user("old-1"), of: "old").tenant == "old")
    let labels = policy(#""tags":{"required":[{"key":"Owner","values":["${tenant.labels.owner}"]}]}"#)
    let finding = try judge([labels]).judge(user("a", tags: [("Owner", "x")]), of: "old")
    #expect(finding.tenant == nil && finding.isClean)
  }

  @Test func whatAnExceptionCoversIsAWarning() throws {
    let rule = policy(#""name":{"maxLength":3}"#)
    let exception =
      #"{"exception":"import","reason":"r","until":"2026-12-31","policies":["p"],"match":{"tenants":["crm"]}}"#
    let last = try #require(WallClockTime(rfc3339: "2026-12-31T23:59:59Z"))
    for (tenant, now, covers) in [
      ("crm" as Text?, last, true), ("erp", last, false), (nil, last, false),
      ("crm", last.advanced(byNanoseconds: 1_000_000_000), false),
    ] {
      let tenants = ["crm", "erp"].map { TenantFacts(id: $0) }
      let finding = try judge([rule], tenants, exceptions: [exception], now: now).judge(user("a"), of: tenant)
      #expect(finding.violations.isEmpty == covers, "\(tenant ?? "nobody")")
      #expect(finding.warnings.map(\.exception) == (covers ? ["import"] : []))
      if covers { #expect(finding.lines.last?.hasSuffix("; exception: import") == true) }
    }
  }

  @Test func templatesOfTheTenantAreByTenantAndOthersAreNot() throws {
    let own = policy(
      #"""
      "appInstanceUserId":{"pattern":"${tenant.id}-.*","forbidden":["${tenant.id}x","y"]},
      "tags":{"required":[{"key":"${tenant.id}"},{"key":"K","pattern":"${tenant.id}"}],"allowedKeys":["${tenant.id}","K"]}
      """#)
    let bad = try user("y-crmx", tags: [("K", "1"), ("L", "1")])
    #expect(
      try rules([own], bad) == [
        "appInstanceUserId.pattern AppInstanceUserId", "appInstanceUserId.forbidden AppInstanceUserId",
        "appInstanceUserId.forbidden AppInstanceUserId", "tags.required Tags.crm", "tags.pattern Tags.K",
        "tags.allowedKeys Tags.L",
      ])
    #expect(try rules([own], bad, of: nil) == ["appInstanceUserId.forbidden AppInstanceUserId"])
  }
}
