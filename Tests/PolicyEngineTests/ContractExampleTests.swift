import Primitives
import Testing

@testable import PolicyEngine

/// The example policy of the policy guide, which has every kind of rule.
let example = #"""
  {
    "policy": "org-baseline", "mode": "enforce",
    "match": { "tenants": ["*"], "appInstances": ["*"], "operations": ["*"] },
    "rules": {
      "appInstanceUserId": { "prefix": "${tenant.id}-", "pattern": "[a-z0-9-]+", "minLength": 3, "maxLength": 48 },
      "name": { "pattern": "[^<>]+", "forbidden": ["(?i)test"], "minLength": 2, "maxLength": 80,
                "trimmed": true, "singleScript": true },
      "tags": {
        "required": [ { "key": "CostCenter", "values": ["4711", "48*"] },
                      { "key": "Owner", "pattern": "[^@]+@example\\.com", "default": "${tenant.labels.owner}" } ],
        "allowedKeys": ["CostCenter", "Owner", "Env*"],
        "forbiddenKeys": ["aws:*"],
        "maxCount": 20,
        "set": { "CreatedVia": "gatehouse/${tenant.id}" }
      },
      "expiration": { "required": true, "minDays": 1, "maxDays": 90, "defaultDays": 30, "onExcess": "deny" },
      "metadata": { "maxBytes": 512, "format": "json", "forbidden": ["[\\w.]+@[\\w.]+"] }
    }
  }
  """#

@Suite struct ContractExampleTests {
  @Test func aGoodRequestIsCompletedAndAllowed() throws {
    let outcome = try decide([example], createBody(tags: [("CostCenter", "4711")], metadata: #"{"a":1}"#))
    #expect(outcome.violations == [])
    #expect(
      outcome.changes == [
        "Tags.Owner: crm@example.com", "Tags.CreatedVia: gatehouse/crm",
        "ExpirationSettings.ExpirationDays: 30",
      ])
    #expect(
      String(decoding: outcome.request.body(), as: UTF8.self) == """
        {"AppInstanceArn":"\(appInstance)","AppInstanceUserId":"crm-alice","Name":"Alice","Metadata":"{\\"a\\":1}",\
        "ClientRequestToken":"token-1","Tags":[{"Key":"CostCenter","Value":"4711"},\
        {"Key":"Owner","Value":"crm@example.com"},{"Key":"CreatedVia","Value":"gatehouse/crm"}],\
        "ExpirationSettings":{"ExpirationDays":30,"ExpirationCriterion":"CREATED_TIMESTAMP"}}
        """)
  }

  @Test func everythingWrongIsSaidAtOnce() throws {
    let body = createBody(
      id: "X_Y", name: " Test\u{430} ", tags: [("costcenter", "4711"), ("Owner", "me"), ("aws:x", "1")],
      days: 365, metadata: "a@b")
    #expect(
      try decide([example], body).violations == [
        "appInstanceUserId.prefix AppInstanceUserId", "appInstanceUserId.pattern AppInstanceUserId",
        "name.forbidden Name", "name.trimmed Name", "name.singleScript Name",
        "tags.keyCase Tags.costcenter", "tags.allowedKeys Tags.costcenter", "tags.pattern Tags.Owner",
        "tags.allowedKeys Tags.aws:x", "tags.forbiddenKeys Tags.aws:x",
        "expiration.maxDays ExpirationSettings.ExpirationDays", "metadata.format Metadata",
        "metadata.forbidden Metadata",
      ])
  }

  @Test func messagesSayWhatWouldBeAccepted() throws {
    let outcome = try decide([example], createBody(id: "x-1", tags: [("CostCenter", "12")], days: 365))
    #expect(
      outcome.decision.violations.map(\.message) == [
        "the value does not start as it must; accepted: a value that starts with `crm-`",
        "the value is not one of those listed; accepted: a value that matches one of `4711`, `48*`",
        "365 days is too long; accepted: 1 to 90 days",
      ])
  }
}
