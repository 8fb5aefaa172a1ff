import Configuration
import Testing

@Suite struct UpstreamAndListenerProblemTests {
  @Test(arguments: upstreams)
  func upstreamProblemsAreNamedWithTheirPlace(_ row: ExtraLine) {
    var files = goodFiles()
    files.contents["gatehouse.json"] = """
      {
        "listeners": [ { "address": "127.0.0.1:8080" } ],
        "tenants": "tenants.json",
        "policies": "policies",
        "upstream": \(row.line)
      }
      """
    files.contents["junk.pem"] = "junk"
    let (_, problems) = load(files, environment: ["SECRET": "x"])
    // The tenants' AppInstances may lie elsewhere.
    let ofFile = problems.filter { $0.hasPrefix("gatehouse.json:") }
    #expect(ofFile == row.problems.map { "gatehouse.json:" + $0 })
  }

  static let upstreams: [ExtraLine] = [
    .init(
      #"{}"#,
      #"5:15: error: missing key "region": an AWS region such as "us-east-1""#),
    .init(
      #"{ "region": "US-East-1" }"#,
      #"5:27: error: expected an AWS region such as "us-east-1", found "US-East-1""#),
    .init(
      #"{ "region": "us-west-2" }"#,
      #"5:27: error: there is no public endpoint in "us-west-2", only in "us-east-1" and "eu-central-1"; expected one of these, or an "endpoint""#
    ),
    .init(#"{ "region": "us-west-2", "endpoint": "http://127.0.0.1:9000" }"#),
    .init(
      #"{ "region": "us-east-1", "endpoint": "http://chime.example" }"#,
      #"5:52: warning: requests to "http://chime.example" are neither encrypted nor authenticated"#),
    .init(#"{ "region": "us-east-1", "endpoint": "http://localhost:9000/" }"#),
    .init(#"{ "region": "us-east-1", "fips": true }"#),
    .init(#"{ "region": "us-east-1", "fips": false, "endpoint": "https://chime.example" }"#),
    .init(
      #"{ "region": "eu-central-1", "fips": true }"#,
      #"5:27: error: there is no public FIPS endpoint in "eu-central-1", only in "us-east-1"; expected one of these, or an "endpoint" instead of "fips""#
    ),
    .init(
      #"{ "region": "us-east-1", "fips": true, "endpoint": "https://chime.example" }"#,
      #"5:48: error: "fips": true chooses the endpoint, and so does "endpoint"; expected one of the two"#),
    .init(
      #"{ "region": "us-east-1", "otherRegions": [ { "region": "eu-central-1" } ] }"#
    ),
    .init(
      #"{ "region": "us-east-1", "otherRegions": [ { "region": "us-west-2", "endpoint": "http://127.0.0.1:9000" } ] }"#
    ),
    .init(
      #"{ "region": "us-east-1", "otherRegions": [ { "region": "us-west-2" } ] }"#,
      #"5:70: error: there is no public endpoint in "us-west-2", only in "us-east-1" and "eu-central-1"; expected one of these, or an "endpoint""#
    ),
    .init(
      #"{ "region": "us-east-1", "fips": true, "otherRegions": [ { "region": "eu-central-1" } ] }"#,
      #"5:84: error: there is no public FIPS endpoint in "eu-central-1", only in "us-east-1"; expected one of these, or an "endpoint""#
    ),
    .init(
      #"{ "region": "us-east-1", "fips": true, "otherRegions": [ { "region": "eu-central-1", "endpoint": "https://fips.example" } ] }"#
    ),
    .init(
      #"{ "region": "us-east-1", "otherRegions": [ { "region": "us-east-1" } ] }"#,
      #"5:70: error: the region "us-east-1" is named already"#
    ),
    .init(
      #"{ "region": "us-east-1", "otherRegions": [ { "endpoint": "http://chime.example" } ] }"#,
      #"5:58: error: missing key "region": an AWS region such as "us-east-1""#,
      #"5:72: warning: requests to "http://chime.example" are neither encrypted nor authenticated"#
    ),
    .init(
      #"{ "region": "us-east-1", "otherRegions": [ { "region": "eu-central-1", "endpont": "https://x.example" } ] }"#,
      #"5:86: error: unknown key "endpont"; did you mean "endpoint"?"#
    ),
    .init(
      #"{ "region": "us-east-1", "otherRegion": [] }"#,
      #"5:40: error: unknown key "otherRegion"; did you mean "otherRegions"?"#
    ),
    .init(
      #"{ "region": "us-east-1", "endpoint": "ftp://chime.example" }"#,
      #"5:52: error: expected the scheme https or http, found "ftp""#),
    .init(
      #"{ "region": "us-east-1", "endpoint": "chime.example" }"#,
      #"5:52: error: expected an http or https URL, found "chime.example""#),
    .init(
      #"{ "region": "us-east-1", "endpoint": "https://chime.example/path" }"#,
      #"5:52: error: an endpoint has no path; expected such as "https://host:port""#),
    .init(
      #"{ "region": "us-east-1", "endpoint": "https://chime.example?x=1" }"#,
      #"5:52: error: an endpoint has no query; expected such as "https://host:port""#),
    .init(
      #"{ "region": "us-east-1", "endpoint": "https://me@chime.example" }"#,
      #"5:52: error: an endpoint has no user information; expected such as "https://host:port""#),
    .init(
      #"{ "region": "us-east-1", "endpoint": "https://chime.example:0" }"#,
      #"5:52: error: expected a port from 1 to 65535, found "chime.example:0""#),
    .init(
      #"{ "region": "us-east-1", "endpoint": "https://chime example" }"#,
      #"5:52: error: expected a host name, found "chime example""#),
    .init(
      #"{ "region": "us-east-1", "endpoint": "https://1.2.3.999" }"#,
      #"5:52: error: expected a host name, found "1.2.3.999""#),
    .init(#"{ "region": "us-east-1", "endpoint": "https://[::1]:8443" }"#),
    .init(
      #"{ "region": "us-east-1", "endpoint": "https://" }"#,
      #"5:52: error: expected a host name, found """#),
    .init(
      #"{ "region": "us-east-1", "caFile": "none.pem" }"#,
      #"5:50: error: cannot read "none.pem": no such file or directory"#),
    .init(
      #"{ "region": "us-east-1", "caFile": "junk.pem" }"#,
      #"5:50: error: "junk.pem": holds no PEM certificate"#),
    .init(
      #"{ "region": "us-east-1", "retry": { "attempts": 0, "budgetPercent": 101 } }"#,
      #"5:63: error: expected a whole number from 1 to 10, found 0"#,
      #"5:83: error: expected a whole number from 0 to 100, found 101"#),
    .init(
      #"{ "region": "us-east-1", "circuitBreaker": { "openFor": "0s" } }"#,
      #"5:71: error: expected a positive duration such as "250ms", "10s", "5m", "24h" or "7d", found "0s""#),
    .init(
      #"{ "region": "us-east-1", "credentials": "chain" }"#,
      #"5:55: error: expected an object with a "source", found "chain""#),
    .init(#"{ "region": "us-east-1", "credentials": { "source": "instance" } }"#),
    .init(
      #"{ "region": "us-east-1", "credentials": { "source": "process", "command": "a \"b" } }"#,
      #"5:89: error: expected a command such as "/opt/bin/credentials --profile chime", found "a \"b""#),
    .init(
      #"{ "region": "us-east-1", "credentials": { "source": "enviroment" } }"#,
      #"5:67: error: expected one of "environment", "profile", "static", "process", "container", "instance", "webIdentity", "chain", found "enviroment"; did you mean "environment"?"#
    ),
    .init(
      #"{ "region": "us-east-1", "credentials": { "source": "static", "accessKeyId": "AKIA" } }"#,
      #"5:55: error: missing key "secretAccessKey": a secret string"#),
    .init(
      #"{ "region": "us-east-1", "credentials": { "source": "static", "accessKeyId": "AKIA", "secretAccessKey": "${ENV:SECRET}" } }"#
    ),
    .init(
      #"{ "region": "us-east-1", "credentials": { "source": "static", "accessKeyId": "AKIA", "secretAccessKey": 5 } }"#,
      #"5:119: error: expected a string that is not empty, found a number"#),
    .init(
      #"{ "region": "us-east-1", "credentials": { "source": "chain", "assumeRole": { "roleArn": "arn" } } }"#,
      #"5:103: error: expected the ARN of an IAM role such as "arn:aws:iam::123456789012:role/gatehouse", found "arn""#
    ),
    .init(
      #"{ "region": "us-east-1", "credentials": { "source": "profile", "profil": "x" } }"#,
      #"5:78: error: unknown key "profil" in source "profile"; did you mean "profile"?"#),
  ]

  @Test(arguments: listeners)
  func listenerProblemsAreNamedWithTheirPlace(_ row: ExtraLine) throws {
    var files = goodFiles()
    files.contents["gatehouse.json"] = """
      {
        "upstream": { "region": "us-east-1" },
        "tenants": "tenants.json",
        "policies": "policies",
        "listeners": \(row.line)
      }
      """
    for name in ["server.pem", "server.key", "other.key", "encrypted.key"] {
      files.contents[name] = try fixture(name)
    }
    files.contents["junk.pem"] = "junk"
    files.contents["cut.pem"] = String(try fixture("server.pem").prefix(300))
    let (_, problems) = load(files)
    #expect(problems == row.problems.map { "gatehouse.json:" + $0 })
  }

  static let listeners: [ExtraLine] = [
    .init(
      #"[]"#,
      #"5:16: error: expected a list of at least one listener, found an empty list"#),
    .init(
      #"{}"#,
      #"5:16: error: expected a list of at least one listener, found an object"#),
    .init(#"[ { "address": "127.0.0.1:0" }, { "address": "127.0.0.1:0" }, { "address": "[::1]:8443" } ]"#),
    .init(
      #"[ { "address": "127.0.0.1:80" }, { "address": "127.0.0.1:80" } ]"#,
      #"5:62: error: a listener on "127.0.0.1:80" meets a listener on "127.0.0.1:80" of line 5: one address and port is one listener's"#
    ),
    .init(
      #"[ { "address": ":8080" }, { "address": "127.0.0.1" }, { "address": "::1:8080" }, { "address": "1.2.3.4:65536" } ]"#,
      #"5:31: error: expected an IP address and a port such as "127.0.0.1:8080" or "[::1]:8080", found ":8080""#,
      #"5:55: error: expected an IP address and a port such as "127.0.0.1:8080" or "[::1]:8080", found "127.0.0.1""#,
      #"5:83: error: expected an IP address and a port such as "127.0.0.1:8080" or "[::1]:8080", found "::1:8080""#,
      #"5:110: error: expected an IP address and a port such as "127.0.0.1:8080" or "[::1]:8080", found "1.2.3.4:65536""#
    ),
    .init(
      #"[ {}, { "adress": "127.0.0.1:80" }, 7 ]"#,
      #"5:18: error: missing key "address": an IP address and a port such as "127.0.0.1:8080" or "[::1]:8080""#,
      #"5:22: error: missing key "address": an IP address and a port such as "127.0.0.1:8080" or "[::1]:8080""#,
      #"5:24: error: unknown key "adress"; did you mean "address"?"#,
      #"5:52: error: expected a listener object, found 7"#),
    .init(
      #"[ { "address": "127.0.0.1:80", "proxyProtocol": true } ]"#,
      #"5:31: error: "proxyProtocol": true needs "trustedProxies": without one every connection would be closed"#
    ),
    .init(
      #"[ { "address": "127.0.0.1:80", "proxyProtocol": "yes" } ]"#,
      #"5:64: error: expected true or false, found "yes""#),
    .init(
      #"[ { "address": "127.0.0.1:80", "tls": {} } ]"#,
      #"5:54: error: missing key "certificate": a path"#,
      #"5:54: error: missing key "privateKey": a path"#),
    .init(
      #"[ { "address": "127.0.0.1:80", "tls": { "certificate": "server.pem" } } ]"#,
      #"5:54: error: missing key "privateKey": a path"#),
    .init(
      #"[ { "address": "127.0.0.1:80", "tls": { "certificate": "server.pem", "privateKey": "server.key" } } ]"#
    ),
    .init(
      #"[ { "address": "127.0.0.1:80", "tls": { "certificate": "server.pem", "privateKey": "other.key" } } ]"#,
      #"5:99: error: "other.key": the private key does not belong to the certificate"#),
    .init(
      #"[ { "address": "127.0.0.1:80", "tls": { "certificate": "server.pem", "privateKey": "encrypted.key" } } ]"#,
      #"5:99: error: "encrypted.key": holds no unencrypted PEM private key"#),
    .init(
      #"[ { "address": "127.0.0.1:80", "tls": { "certificate": "junk.pem", "privateKey": "junk.pem" } } ]"#,
      #"5:71: error: "junk.pem": holds no PEM certificate"#,
      #"5:97: error: "junk.pem": holds no unencrypted PEM private key"#),
    .init(
      #"[ { "address": "127.0.0.1:80", "tls": { "certificate": "cut.pem", "privateKey": "none.key" } } ]"#,
      #"5:71: error: "cut.pem": certificate 1 cannot be read"#,
      #"5:96: error: cannot read "none.key": no such file or directory"#),
    .init(
      #"[ { "address": "127.0.0.1:80", "tls": { "certificate": "server.pem", "privateKey": "server.key", "clientCertificate": "required" } } ]"#,
      #"5:134: error: "clientCertificate": "required" needs "clientCA""#),
    .init(
      #"[ { "address": "127.0.0.1:80", "tls": { "certificate": "server.pem", "privateKey": "server.key", "clientCA": "junk.pem", "clientCertificate": "always" } } ]"#,
      #"5:125: error: "junk.pem": holds no PEM certificate"#,
      #"5:158: error: expected one of "none", "optional", "required", found "always""#),
  ]
}
