import Glibc
import Testing

/// A file of Tests/Fixtures/configuration.
func fixture(_ name: String, _ here: String = #filePath) throws -> String {
  let tests = here.split(separator: "/").dropLast(2).joined(separator: "/")
  let path = "/\(tests)/Fixtures/configuration/\(name)"
  let file = try #require(fopen(path, "r"), "cannot open \(path)")
  defer { fclose(file) }
  var bytes: [UInt8] = []
  while case let byte = getc(file), byte != EOF { bytes.append(UInt8(byte)) }
  return String(decoding: bytes, as: UTF8.self)
}

let sampleConfiguration = """
  {
    "listeners": [
      { "address": "127.0.0.1:8080" },
      { "address": "0.0.0.0:8443",
        "tls": { "certificate": "tls/server.pem", "privateKey": "tls/server.key",
                 "clientCA": "tls/clients.pem", "clientCertificate": "optional" },
        "proxyProtocol": false }
    ],
    "admin": { "address": "127.0.0.1:9901", "tokenFile": "admin.token" },
    "upstream": {
      "region": "us-east-1",
      "endpoint": "https://identity-chime.us-east-1.amazonaws.com",
      "caFile": null,
      "credentials": { "source": "chain" },
      "connectTimeout": "2s", "requestTimeout": "10s",
      "maxConnections": 128, "idleTimeout": "30s",
      "retry": { "attempts": 3, "budgetPercent": 20 },
      "circuitBreaker": { "consecutiveFailures": 5, "openFor": "5s" }
    },
    "tenants": "tenants.json",
    "policies": "policies",
    "authentication": { "clockSkew": "5m", "replayWindow": "10m" },
    "rateLimit": {
      "store": { "type": "local" },
      "onStoreFailure": "local",
      "mode": "enforce",
      "errorType": "ThrottledClientException",
      "perSourceAddress": { "requestsPerSecond": 500, "burst": 1000 },
      "upstreamBudget": { "requestsPerSecond": 20, "burst": 20, "adaptive": true, "queueFor": "0s" }
    },
    "audit": {
      "directory": "audit",
      "durability": "sync",
      "onFailure": "refuse",
      "segmentSize": "128MiB", "retain": "400d",
      "sensitive": { "name": "plain", "metadata": "omit", "tagValues": "plain", "keyFile": null },
      "checkpoint": { "every": "60s", "signingKey": null },
      "postgres": null
    },
    "limits": { "headerBytes": "16KiB", "bodyBytes": "256KiB", "connections": 10000,
                "headerTimeout": "10s", "bodyTimeout": "10s", "idleTimeout": "75s" },
    "trustedProxies": [],
    "workers": 0,
    "drainTimeout": "30s",
    "log": { "level": "info", "format": "json" }
  }
  """

let sampleTenants = """
  { "tenants": [ {
    "id": "crm",
    "description": "CRM back office",
    "accessKeys": [ { "id": "GHAKCRM00000000001", "secret": "…", "status": "active", "notAfter": "2027-01-01T00:00:00Z" } ],
    "clientCertificates": [ "spiffe://corp.example/crm" ],
    "appInstances": [ "arn:aws:chime:us-east-1:123456789012:app-instance/*" ],
    "operations": [ "CreateAppInstanceUser", "DescribeAppInstanceUser" ],
    "rateLimit": { "requestsPerSecond": 10, "burst": 20, "concurrency": 8 },
    "labels": { "costCenter": "4711", "owner": "crm@example.com" }
  } ] }
  """

let samplePolicy = #"""
  {
    "policy": "org-baseline",
    "description": "What every user in this organisation must look like",
    "mode": "enforce",
    "match": { "tenants": ["*"], "appInstances": ["*"], "operations": ["*"] },
    "rules": {
      "appInstanceUserId": { "prefix": "${tenant.id}-", "pattern": "[a-z0-9-]+", "minLength": 3, "maxLength": 48 },
      "name": { "pattern": "…", "forbidden": ["(?i)test"], "minLength": 2, "maxLength": 80, "trimmed": true, "singleScript": true },
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
