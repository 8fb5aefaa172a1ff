import ChimeIdentity
import Primitives
import Testing

@testable import PolicyEngine

@Suite struct OtherOperationTests {
  static let tags = #"""
    "tags":{"required":[{"key":"CostCenter","values":["4711"]},{"key":"Owner","pattern":"[a-z]+"}],
    "allowedKeys":["CostCenter","Owner","Env*"],"forbiddenKeys":["*x"],"maxCount":2,"set":{"Via":"g"}}
    """#

  @Test func updateIsHeldToNameAndMetadata() throws {
    let rules = #"""
      "appInstanceUserId":{"pattern":"x"},"name":{"maxLength":3},"metadata":{"format":"json"},
      "tags":{"required":[{"key":"K"}]},"expiration":{"required":true}
      """#
    let bad = #"{"Name":"Alice","Metadata":"x"}"#
    #expect(
      try decide([policy(rules)], bad, as: .updateAppInstanceUser).violations
        == ["name.length Name", "metadata.format Metadata"])
    let good = #"{"Name":"Al","Metadata":"{}"}"#
    #expect(try decide([policy(rules)], good, as: .updateAppInstanceUser).violations == [])
  }

  @Test func settingsThatAreTakenAwayComeBackAsTheDefault() throws {
    for body in ["", "{}", #"{"ExpirationSettings":null}"#] {
      let outcome = try decide(
        [policy(#""expiration":{"required":true,"defaultDays":30,"maxDays":90}"#)], body,
        as: .putAppInstanceUserExpirationSettings)
      #expect(outcome.violations == [])
      #expect(outcome.changes == ["ExpirationSettings.ExpirationDays: 30"])
      #expect(
        String(decoding: outcome.request.body(), as: UTF8.self)
          == #"{"ExpirationSettings":{"ExpirationDays":30,"ExpirationCriterion":"CREATED_TIMESTAMP"}}"#)
    }
  }

  @Test func settingsThatAreTakenAwayWithoutADefaultAreRefused() throws {
    let outcome = try decide(
      [policy(#""expiration":{"required":true},"name":{"maxLength":1}"#)], "{}",
      as: .putAppInstanceUserExpirationSettings)
    #expect(outcome.violations == ["expiration.required ExpirationSettings"])
  }

  @Test func newSettingsAreHeldToTheirLimits() throws {
    let body = #"{"ExpirationSettings":{"ExpirationDays":365,"ExpirationCriterion":"CREATED_TIMESTAMP"}}"#
    let field = "ExpirationSettings.ExpirationDays"
    #expect(
      try decide(
        [policy(#""expiration":{"maxDays":90}"#)], body, as: .putAppInstanceUserExpirationSettings
      ).violations == ["expiration.maxDays \(field)"])
    #expect(
      try decide(
        [policy(#""expiration":{"maxDays":90,"onExcess":"clamp"}"#)], body,
        as: .putAppInstanceUserExpirationSettings
      ).changes == ["\(field): 365 -> 90"])
  }

  static let tagCases: [RuleCase] = [
    RuleCase("good tags", tags, tagBody([("CostCenter", "4711"), ("Owner", "me"), ("Env", "x")])),
    RuleCase("a required tag need not be written again", tags, tagBody([("Env", "x")])),
    RuleCase("bad value", tags, tagBody([("CostCenter", "1")]), "tags.value Tags.CostCenter"),
    RuleCase("bad pattern", tags, tagBody([("Owner", "1")]), "tags.pattern Tags.Owner"),
    RuleCase("forbidden key", tags, tagBody([("Envx", "1")]), "tags.forbiddenKeys Tags.Envx"),
    RuleCase("key not allowed", tags, tagBody([("K", "1")]), "tags.allowedKeys Tags.K"),
    RuleCase(
      "another case", #""tags":{"required":[{"key":"Owner"}]}"#, tagBody([("owner", "1")]),
      "tags.keyCase Tags.owner"),
    RuleCase("a tag that policy sets", tags, tagBody([("Via", "g")]), "tags.protected Tags.Via"),
    RuleCase(
      "a tag that policy sets, in another case", #""tags":{"set":{"Via":"g"}}"#,
      tagBody([("via", "g"), ("VIA", "g"), ("Vias", "g")]), "tags.protected Tags.via",
      "tags.protected Tags.VIA"),
    RuleCase(
      "a user by an ARN that nobody can read is a user still", tags,
      tagBody([("Via", "g")], arn: userArn.replacing("/user/", with: "%2Fuser%2F")), "tags.protected Tags.Via"
    ),
    RuleCase("an AppInstance is no user", tags, tagBody([("Via", "g")], arn: appInstance)),
    RuleCase("a bot is no user", tags, tagBody([("Via", "g")], arn: "\(appInstance)/bot/b")),
  ]

  @Test(arguments: tagCases)
  func taggingAUserIsHeldToTheRulesOnKeysAndValues(_ example: RuleCase) throws {
    let outcome = try example.outcome(as: .tagResource)
    #expect(outcome.violations == example.violations)
    #expect(outcome.changes == [])
  }

  @Test(
    arguments: [
      (["Env"], []), (["CostCenter"], ["tags.protected Tags.CostCenter"]),
      (["Via", "x", "Owner"], ["tags.protected Tags.Via", "tags.protected Tags.Owner"]),
      (["costcenter"], ["tags.protected Tags.costcenter"]),
      (["VIA"], ["tags.protected Tags.VIA"]), (["Costcentre", "Vi", "Vias"], []),
    ] as [([String], [String])])
  func requiredAndSetTagsCannotBeTakenAway(_ keys: [String], _ violations: [String]) throws {
    let list = keys.map { "\"\($0)\"" }.joined(separator: ",")
    let body = #"{"ResourceARN":"\#(userArn)","TagKeys":[\#(list)]}"#
    #expect(try decide([policy(Self.tags)], body, as: .untagResource).violations == violations)
  }

  @Test func tagsAreProtectedByPoliciesThatMatchCreationOnly() throws {
    let rules = policy(Self.tags, match: #"{"operations":["CreateAppInstanceUser"]}"#)
    let tag = tagBody([("Via", "other"), ("Envx", "1"), ("K", "1"), ("CostCenter", "1")])
    #expect(try decide([rules], tag, as: .tagResource).violations == ["tags.protected Tags.Via"])
    let untag = #"{"ResourceARN":"\#(userArn)","TagKeys":["Owner"]}"#
    #expect(try decide([rules], untag, as: .untagResource).violations == ["tags.protected Tags.Owner"])
  }

  @Test func tagsAreNotProtectedFromOtherTenants() throws {
    let rules = policy(Self.tags, match: #"{"tenants":["erp"]}"#)
    let untag = #"{"ResourceARN":"\#(userArn)","TagKeys":["Owner"]}"#
    #expect(try decide([rules], untag, as: .untagResource).violations == [])
  }

  @Test func aWarnPolicyReportsWhatItWouldProtect() throws {
    let untag = #"{"ResourceARN":"\#(userArn)","TagKeys":["Owner"]}"#
    let outcome = try decide([policy(Self.tags, mode: "warn")], untag, as: .untagResource)
    #expect(outcome.decision.isAllowed)
    #expect(outcome.warnings == ["p tags.protected Tags.Owner"])
  }
}
