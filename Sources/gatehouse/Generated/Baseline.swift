// Made by scripts/generate-baseline.py from policies/*.json; edit these and run it.

/// The policies that come with gatehouse, for a demo that needs the binary alone.
enum Baseline {
  static let files: [(name: String, text: String)] = [
    (
      "baseline.test.json",
      #"""
      {
        "description": "What the baseline lets pass and what it refuses; each of its rules fails at least once.",
        "cases": [
          {
            "name": "a proper user is completed and allowed",
            "tenant": { "id": "crm" },
            "operation": "CreateAppInstanceUser",
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-alice", "Name": "Alice Example", "ClientRequestToken": "t1",
              "Tags": [ { "Key": "CostCenter", "Value": "4711" } ]
            },
            "expect": {
              "decision": "allowed", "violations": [], "warnings": [],
              "changes": {
                "Tags.Environment": "production", "Tags.Application": "crm", "Tags.CreatedVia": "gatehouse",
                "ExpirationSettings.ExpirationDays": 90, "Tags.CostCenter": null
              }
            }
          },
          {
            "name": "what the caller may choose is left as it is",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-alice", "Name": "Alice Example", "ClientRequestToken": "t1",
              "Tags": [ { "Key": "CostCenter", "Value": "4711" }, { "Key": "Environment", "Value": "test" } ],
              "ExpirationSettings": { "ExpirationDays": 365, "ExpirationCriterion": "CREATED_TIMESTAMP" }
            },
            "expect": {
              "decision": "allowed",
              "changes": { "Tags.Environment": null, "ExpirationSettings.ExpirationDays": null }
            }
          },
          {
            "name": "an id of another application",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "erp-alice", "Name": "Alice Example",
              "Tags": [ { "Key": "CostCenter", "Value": "4711" } ]
            },
            "expect": { "decision": "denied", "violations": ["appInstanceUserId.prefix"] }
          },
          {
            "name": "an id in upper case",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-Alice", "Name": "Alice Example",
              "Tags": [ { "Key": "CostCenter", "Value": "4711" } ]
            },
            "expect": { "decision": "denied", "violations": ["appInstanceUserId.pattern"] }
          },
          {
            "name": "a name of one character",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-a", "Name": "A",
              "Tags": [ { "Key": "CostCenter", "Value": "4711" } ]
            },
            "expect": { "decision": "denied", "violations": ["name.length"] }
          },
          {
            "name": "a name with a space at its end",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-alice", "Name": "Alice ",
              "Tags": [ { "Key": "CostCenter", "Value": "4711" } ]
            },
            "expect": { "decision": "denied", "violations": ["name.trimmed"] }
          },
          {
            "name": "a Cyrillic A in a Latin name",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-alice", "Name": "\u0410lice",
              "Tags": [ { "Key": "CostCenter", "Value": "4711" } ]
            },
            "expect": { "decision": "denied", "violations": ["name.singleScript"] }
          },
          {
            "name": "a zero-width space in a name",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-alice", "Name": "Al\u200bice",
              "Tags": [ { "Key": "CostCenter", "Value": "4711" } ]
            },
            "expect": { "decision": "denied", "violations": ["name.forbidden"] }
          },
          {
            "name": "no cost center",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-alice", "Name": "Alice Example"
            },
            "expect": { "decision": "denied", "violations": ["tags.required"] }
          },
          {
            "name": "a cost center that is none, in an unknown environment",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-alice", "Name": "Alice Example",
              "Tags": [ { "Key": "CostCenter", "Value": "47" }, { "Key": "Environment", "Value": "prod" } ]
            },
            "expect": { "decision": "denied", "violations": ["tags.pattern", "tags.value"] }
          },
          {
            "name": "a cost center in another case, and a reserved key",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-alice", "Name": "Alice Example",
              "Tags": [ { "Key": "costcenter", "Value": "4711" }, { "Key": "aws:owner", "Value": "me" } ]
            },
            "expect": { "decision": "denied", "violations": ["tags.keyCase", "tags.forbiddenKeys"] }
          },
          {
            "name": "a user who lives too long",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-alice", "Name": "Alice Example",
              "Tags": [ { "Key": "CostCenter", "Value": "4711" } ],
              "ExpirationSettings": { "ExpirationDays": 366, "ExpirationCriterion": "CREATED_TIMESTAMP" }
            },
            "expect": { "decision": "denied", "violations": ["expiration.maxDays"] }
          },
          {
            "name": "expiration cannot be taken away later",
            "tenant": { "id": "crm" },
            "operation": "PutAppInstanceUserExpirationSettings",
            "request": {
              "AppInstanceUserArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo/user/crm-alice"
            },
            "expect": { "decision": "allowed", "changes": { "ExpirationSettings.ExpirationDays": 90 } }
          },
          {
            "name": "nor can the name be made another one's",
            "tenant": { "id": "crm" },
            "operation": "UpdateAppInstanceUser",
            "path": "/app-instance-users/arn%3Aaws%3Achime%3Aus-east-1%3A123456789012%3Aapp-instance%2Fdemo%2Fuser%2Fcrm-alice",
            "request": { "Name": "\u0410lice", "Metadata": "" },
            "expect": { "decision": "denied", "violations": ["name.singleScript"] }
          },
          {
            "name": "nor can the tags of the gateway be written or the required one be taken away",
            "tenant": { "id": "crm" },
            "operation": "UntagResource",
            "request": {
              "ResourceARN": "arn:aws:chime:us-east-1:123456789012:app-instance/demo/user/crm-alice",
              "TagKeys": [ "CostCenter", "CreatedVia" ]
            },
            "expect": { "decision": "denied", "violations": ["tags.protected"] }
          },
          {
            "name": "too many tags",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-alice", "Name": "Alice Example",
              "Tags": [
                { "Key": "CostCenter", "Value": "4711" },
                { "Key": "k01", "Value": "v" }, { "Key": "k02", "Value": "v" }, { "Key": "k03", "Value": "v" },
                { "Key": "k04", "Value": "v" }, { "Key": "k05", "Value": "v" }, { "Key": "k06", "Value": "v" },
                { "Key": "k07", "Value": "v" }, { "Key": "k08", "Value": "v" }, { "Key": "k09", "Value": "v" },
                { "Key": "k10", "Value": "v" }, { "Key": "k11", "Value": "v" }, { "Key": "k12", "Value": "v" },
                { "Key": "k13", "Value": "v" }, { "Key": "k14", "Value": "v" }, { "Key": "k15", "Value": "v" },
                { "Key": "k16", "Value": "v" }, { "Key": "k17", "Value": "v" }
              ]
            },
            "expect": { "decision": "denied", "violations": ["tags.maxCount"] }
          },
          {
            "name": "a member that the service does not know",
            "tenant": { "id": "crm" },
            "request": {
              "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/demo",
              "AppInstanceUserId": "crm-alice", "Name": "Alice Example", "Nickname": "Al"
            },
            "expect": { "decision": "invalid" }
          }
        ]
      }

      """#
    ),
    (
      "expiration.json",
      #"""
      {
        "policy": "baseline-expiration",
        "description": "No user outlives its use: each expires, after 90 days unless the caller says otherwise, within a year.",
        "mode": "enforce",
        "rules": {
          "expiration": {
            "required": true,
            "minDays": 1,
            "maxDays": 365,
            "defaultDays": 90,
            "onExcess": "deny"
          }
        }
      }

      """#
    ),
    (
      "naming.json",
      #"""
      {
        "policy": "baseline-naming",
        "description": "Ids show which application owns a user; names are what people can read and nobody can fake.",
        "mode": "enforce",
        "rules": {
          "appInstanceUserId": {
            "prefix": "${tenant.id}-",
            "pattern": "[a-z0-9]([a-z0-9._-]*[a-z0-9])?",
            "maxLength": 64
          },
          "name": {
            "minLength": 2,
            "maxLength": 80,
            "trimmed": true,
            "singleScript": true,
            "forbidden": ["[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]"]
          }
        }
      }

      """#
    ),
    (
      "tagging.json",
      #"""
      {
        "policy": "baseline-tagging",
        "description": "Every user can be charged to somebody and traced to the application that created it.",
        "mode": "enforce",
        "rules": {
          "tags": {
            "required": [
              { "key": "CostCenter", "pattern": "[0-9]{4,8}" },
              { "key": "Environment", "values": ["development", "test", "staging", "production"], "default": "production" }
            ],
            "forbiddenKeys": ["aws:*", "AWS:*"],
            "maxCount": 20,
            "set": {
              "Application": "${tenant.id}",
              "CreatedVia": "gatehouse"
            }
          }
        }
      }

      """#
    ),
  ]
}
