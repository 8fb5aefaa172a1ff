import Configuration
import Testing

/// What is said of a configuration file with one more line than the minimal one: line 6, from column 3.
struct ExtraLine: Sendable, CustomTestStringConvertible {
  let line: String
  let problems: [String]
  var testDescription: String { line }

  init(_ line: String, _ problems: String...) {
    self.line = line
    self.problems = problems
  }
}

func configuration(with line: String) -> String {
  """
  {
    "listeners": [ { "address": "127.0.0.1:8080" } ],
    "upstream": { "region": "us-east-1" },
    "tenants": "tenants.json",
    "policies": "policies",
    \(line)
  }
  """
}

@Suite struct ConfigurationProblemTests {
  @Test(arguments: table)
  func problemsAreNamedWithTheirPlace(_ row: ExtraLine) {
    var files = goodFiles()
    files.contents["gatehouse.json"] = configuration(with: row.line)
    files.contents["empty"] = " \n"
    files.contents["short.key"] = "0123456789"
    files.contents["junk.pem"] = "junk"
    let (loaded, problems) = load(files, environment: ["EMPTY": "", "LEVEL": "debug"])
    #expect(problems == row.problems.map { "gatehouse.json:" + $0 })
    #expect((loaded == nil) == row.problems.contains { $0.contains(": error: ") })
  }

  static let table: [ExtraLine] = [
    .init(
      #""listners": []"#,
      #"6:3: error: unknown key "listners"; did you mean "listeners"?"#),
    .init(
      #""Admin": null"#,
      #"6:3: error: unknown key "Admin"; did you mean "admin"?"#),
    .init(
      #""zzz": 1"#,
      #"6:3: error: unknown key "zzz"; known: "listeners", "admin", "upstream", "tenants", "policies", "authentication", "rateLimit", "audit", "limits", "trustedProxies", "reload", "workers", "drainTimeout", "log""#
    ),
    .init(
      #""workers": "four""#,
      #"6:14: error: expected a whole number from 0 to 1024, found "four""#),
    .init(
      #""workers": -1"#,
      #"6:14: error: expected a whole number from 0 to 1024, found -1"#),
    .init(
      #""workers": 1.5"#,
      #"6:14: error: expected a whole number from 0 to 1024, found 1.5"#),
    .init(
      #""workers": null"#,
      #"6:14: error: expected a whole number from 0 to 1024, found null"#),
    .init(
      #""workers": 99999999999999999999"#,
      #"6:14: error: number too large"#),
    .init(
      #""drainTimeout": 30"#,
      #"6:19: error: expected a duration such as "250ms", "10s", "5m", "24h" or "7d", found 30"#),
    .init(
      #""drainTimeout": "30 s""#,
      #"6:19: error: expected a duration such as "250ms", "10s", "5m", "24h" or "7d", found "30 s""#),
    .init(
      #""drainTimeout": "300000000000d""#,
      #"6:19: error: expected a duration such as "250ms", "10s", "5m", "24h" or "7d", found "300000000000d""#),
    .init(#""drainTimeout": "0s""#),
    .init(
      #""log": { "level": "verbose" }"#,
      #"6:21: error: expected one of "trace", "debug", "info", "notice", "warning", "error", "critical", found "verbose""#
    ),
    .init(
      #""log": { "level": "warn", "format": "text" }"#,
      #"6:21: error: expected one of "trace", "debug", "info", "notice", "warning", "error", "critical", found "warn"; did you mean "warning"?"#,
      #"6:39: error: expected "json", found "text""#),
    .init(#""log": { "level": "${ENV:LEVEL}" }"#),
    .init(
      #""log": { "level": "${ENV:NO_SUCH}" }"#,
      #"6:21: error: environment variable "NO_SUCH" is not set"#),
    .init(
      #""log": { "level": "${ENV:LEVEL" }"#,
      #"6:21: error: expected a closing } after ${ENV:"#),
    .init(
      #""log": []"#,
      #"6:10: error: expected an object, found an array"#),
    .init(
      #""limits": { "headerBytes": "16KB", "bodyBytes": 0, "connections": 0, "headerTimeout": "0s" }"#,
      #"6:30: error: expected a size such as "16KiB" or "128MiB", or a number of bytes above 0, found "16KB""#,
      #"6:51: error: expected a size such as "16KiB" or "128MiB", or a number of bytes above 0, found 0"#,
      #"6:69: error: expected a whole number from 1 to 10000000, found 0"#,
      #"6:89: error: expected a positive duration such as "250ms", "10s", "5m", "24h" or "7d", found "0s""#),
    .init(
      #""limits": { "bodyBytes": "9999999TiB", "conections": 5 }"#,
      #"6:28: error: expected a size such as "16KiB" or "128MiB", or a number of bytes above 0, found "9999999TiB""#,
      #"6:42: error: unknown key "conections"; did you mean "connections"?"#),
    .init(
      #""authentication": { "clockSkew": "0s", "replayWindow": "0s" }"#,
      #"6:36: error: expected a positive duration such as "250ms", "10s", "5m", "24h" or "7d", found "0s""#),
    .init(
      #""trustedProxies": ["10.0.0.0/8", "10.0.0.0/33", "::1/128", "proxy.example", 5]"#,
      #"6:36: error: expected an IP address or block such as "10.0.0.0/8", found "10.0.0.0/33""#,
      #"6:62: error: expected an IP address or block such as "10.0.0.0/8", found "proxy.example""#,
      #"6:79: error: expected an IP address or block such as "10.0.0.0/8", found 5"#),
    .init(
      #""admin": { "address": "0.0.0.0:9901" }"#,
      #"6:25: error: the admin address "0.0.0.0:9901" is not loopback and so needs "tokenFile""#),
    .init(
      #""admin": { "address": "0.0.0.0:9901", "tokenFile": null }"#,
      #"6:25: error: the admin address "0.0.0.0:9901" is not loopback and so needs "tokenFile""#),
    .init(#""admin": { "address": "127.0.0.1:9901", "tokenFile": null }"#),
    .init(
      #""admin": { "tokenFile": "missing.token" }"#,
      #"6:27: error: cannot read "missing.token": no such file or directory"#),
    .init(
      #""admin": { "tokenFile": "empty" }"#,
      #"6:27: error: the token file "empty" is empty"#),
    .init(
      #""admin": { "address": "127.0.0.1:8080" }"#,
      #"6:25: error: the admin listener on "127.0.0.1:8080" meets a listener on "127.0.0.1:8080" of line 2: one address and port is one listener's"#
    ),
    .init(
      #""admin": { "address": "localhost:9901" }"#,
      #"6:25: error: expected an IP address and a port such as "127.0.0.1:8080" or "[::1]:8080", found "localhost:9901""#
    ),
    .init(#""admin": null"#),
    .init(
      #""rateLimit": { "store": { "type": "memcached" } }"#,
      #"6:37: error: expected one of "local", "redis", found "memcached""#),
    .init(
      #""rateLimit": { "store": { "type": "local", "url": "x" } }"#,
      #"6:46: error: unknown key "url" in type "local"; known: "type""#),
    .init(
      #""rateLimit": { "store": {} }"#,
      #"6:27: error: missing key "type": one of "local", "redis""#),
    .init(
      #""rateLimit": { "mode": "warning", "errorType": "no spaces", "perSourceAddress": null }"#,
      #"6:26: error: expected one of "enforce", "warn", found "warning"; did you mean "warn"?"#,
      #"6:50: error: expected an error type such as "ThrottledClientException", found "no spaces""#),
    .init(
      #""rateLimit": { "perSourceAddress": { "requestsPerSecond": 0, "burst": 0 }, "upstreamBudget": null }"#,
      #"6:61: error: expected a number above 0, found 0"#,
      #"6:73: error: expected a whole number from 1 to 1000000000, found 0"#),
    .init(#""rateLimit": { "queueFor": "4s", "upstreamBudget": { "queueFor": "5s" } }"#),
    .init(
      #""rateLimit": { "queueFor": "4s", "upstreamBudget": { "queueFor": "6s" } }"#,
      #"6:16: warning: requests may wait for 10s in all by "queueFor", which leaves upstream no time within the "requestTimeout" of 10s"#
    ),
    .init(
      #""rateLimit": { "upstreamBudget": { "adaptive": "yes", "queueFor": "1w" } }"#,
      #"6:50: error: expected true or false, found "yes""#,
      #"6:69: error: expected a duration such as "250ms", "10s", "5m", "24h" or "7d", found "1w""#),
    .init(
      #""audit": { "postgres": "postgres://x", "checkpoint": { "every": "1m", "signingKey": null } }"#,
      #"6:26: error: expected an object with "url", or null, found a string"#),
    .init(
      #""audit": { "postgres": { "url": "mysql://u:hidden@h/db", "schema": "no good", "batch": 0 } }"#,
      #"6:35: error: expected a URL such as "postgresql://user@host:5432/db?sslmode=verify-full", found another string"#,
      #"6:70: error: expected a name of lower-case letters, digits and "_", found "no good""#,
      #"6:90: error: expected a whole number from 1 to 10000, found 0"#),
    .init(
      #""audit": { "postgres": { "url": "postgresql://u:hidden@127.0.0.1/db", "passwordFile": "none.key" } }"#,
      #"6:35: error: only one of a password in "url" and "passwordFile" may be given"#,
      #"6:89: error: cannot read "none.key": no such file or directory"#),
    .init(
      #""audit": { "postgres": { "url": "postgresql://u@db.example,127.0.0.1/db?sslmode=require" } }"#,
      #"6:35: warning: the database is on another machine, and without sslmode=verify-full in "url" nothing proves that it is the right one"#
    ),
    .init(#""audit": { "postgres": { "url": "postgresql://u@db.example/db?sslmode=verify-full" } }"#),
    .init(
      #""audit": { "postgres": { "url": "postgresql://u:hidden@localhost:5432,[::1]:5432,%2Frun/db?host=/run" } }"#
    ),
    .init(
      #""audit": { "checkpoint": { "every": "1m", "signingKey": "short.key" } }"#,
      #"6:59: error: "short.key" holds no unencrypted Ed25519 key in PKCS#8 PEM; `gatehouse audit keygen` makes one"#
    ),
    .init(
      #""audit": { "checkpoint": { "every": "1m", "signingKey": "none.key" } }"#,
      #"6:59: error: cannot read "none.key": no such file or directory"#),
    .init(
      #""audit": { "sensitive": { "name": "hash" } }"#,
      #"6:37: error: "name": "hash" needs "keyFile""#),
    .init(
      #""audit": { "sensitive": { "name": "hash", "keyFile": "short.key" } }"#,
      #"6:56: error: expected at least 32 bytes in "short.key", found 10"#),
    .init(
      #""audit": { "sensitive": { "name": "hashed", "keyFile": "none.key" } }"#,
      #"6:37: error: expected one of "plain", "hash", "omit", found "hashed"; did you mean "hash"?"#,
      #"6:58: error: cannot read "none.key": no such file or directory"#),
    .init(
      #""audit": { "durability": "fsync", "onFailure": "deny", "segmentSize": "big", "retain": null }"#,
      #"6:28: error: expected one of "sync", "interval", found "fsync"; did you mean "sync"?"#,
      #"6:50: error: expected one of "refuse", "continue", found "deny""#,
      #"6:73: error: expected a size such as "16KiB" or "128MiB", or a number of bytes above 0, found "big""#),
    .init(
      #""audit": { "durability": "interval", "onFailure": "continue", "segmentSize": 1048576, "retain": "7d" }"#
    ),
  ]
}
