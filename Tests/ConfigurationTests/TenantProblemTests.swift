import Configuration
import Testing

@Suite struct TenantProblemTests {
  /// Each row is the one tenant of a file, from line 2, column 3.
  @Test(arguments: table)
  func tenantProblemsAreNamedWithTheirPlace(_ row: ExtraLine) {
    var files = goodFiles()
    files.contents["tenants.json"] = """
      { "tenants": [
        \(row.line)
      ] }
      """
    files.contents["crm.secret"] = "s3cr3t\n"
    files.contents["blank.secret"] = "\n"
    files.contents["shared.secret"] = "s3cr3t"
    files.accesses["shared.secret"] = FileAccess(permissions: 0o644)
    let (loaded, problems) = load(files, environment: ["SECRET": "x"])
    #expect(problems == row.problems.map { "tenants.json:" + $0 })
    #expect((loaded == nil) == row.problems.contains { $0.contains(": error: ") })
  }

  static let table: [ExtraLine] = [
    .init(
      #"{}"#,
      #"2:3: error: missing key "id": a tenant id of letters, digits and . _ -"#,
      #"2:3: error: missing key "accessKeys": a list of access keys"#,
      #"2:3: error: missing key "appInstances": a list of at least one AppInstance ARN"#),
    .init(
      #"7"#,
      #"2:3: error: expected a tenant object, found 7"#),
    .init(
      #"{ "id": "a b", "accessKeys": [], "appInstances": ["*"] }"#,
      #"2:11: error: expected a tenant id of letters, digits and . _ -, found "a b""#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": [] }"#,
      #"2:50: error: expected a list of at least one AppInstance ARN, found an empty list"#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": "*" }"#,
      #"2:50: error: expected a list of at least one AppInstance ARN, found "*""#),
    .init(#"{ "id": "a", "accessKeys": [], "appInstances": ["*"] }"#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["arn:aws:chime:us-east-1:123456789012:app-instance/a-1"] }"#
    ),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["arn:aws:chime:us-east-1:1234:app-instance/*"] }"#,
      #"2:51: error: expected a glob of AppInstance ARNs such as "arn:aws:chime:us-east-1:123456789012:app-instance/*", found "arn:aws:chime:us-east-1:1234:app-instance/*""#
    ),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["arn:aws:s3:::bucket", "arn:aws:chime:*:app-instance/*"] }"#,
      #"2:51: error: expected a glob of AppInstance ARNs such as "arn:aws:chime:us-east-1:123456789012:app-instance/*", found "arn:aws:s3:::bucket""#
    ),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["arn:aws:chime:us-east-1:123456789012:app-instance/a/user/*"] }"#,
      #"2:51: error: expected a glob of AppInstance ARNs such as "arn:aws:chime:us-east-1:123456789012:app-instance/*", found "arn:aws:chime:us-east-1:123456789012:app-instance/a/user/*""#
    ),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "regions": ["us-east-1"] }"#
    ),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "regions": [] }"#,
      #"2:68: error: expected a list of at least one region, found an empty list"#
    ),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "regions": ["us-esat-1", "eu-central-1"] }"#,
      #"2:69: error: the configuration serves no region "us-esat-1"; did you mean "us-east-1"?"#,
      #"2:82: error: the configuration serves no region "eu-central-1"; known: "us-east-1""#
    ),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["arn:aws:chime:eu-central-1:123456789012:app-instance/*"] }"#,
      #"2:11: warning: no AppInstance of "arn:aws:chime:eu-central-1:123456789012:app-instance/*" is in a region that the tenant may call in; expected one in "us-east-1""#
    ),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "region": ["us-east-1"] }"#,
      #"2:57: error: unknown key "region"; did you mean "regions"?"#
    ),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "operations": ["CreateAppInstanceUsr", "DescribeAppInstanceUser"] }"#,
      #"2:72: error: unknown operation "CreateAppInstanceUsr"; did you mean "CreateAppInstanceUser"?"#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "operations": ["Foo"] }"#,
      #"2:72: error: unknown operation "Foo""#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "rateLimit": { "requestsPerSecond": 0, "burst": 0, "concurrency": 0 } }"#,
      #"2:93: error: expected a number above 0, found 0"#,
      #"2:105: error: expected a whole number from 1 to 1000000000, found 0"#,
      #"2:123: error: expected a whole number from 1 to 1000000, found 0"#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "rateLimit": { "requestsPerSecond": 0.5 } }"#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "rateLimit": { "burst": 5 } }"#,
      #"2:70: error: missing key "requestsPerSecond": a number above 0"#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "rateLimit": { "requestsPerSecond": 10, "perAppInstance": { "requestsPerSecond": 2 }, "operations": { "CreateAppInstanceUser": { "requestsPerSecond": 5 } } } }"#
    ),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "rateLimit": { "requestsPerSecond": 10, "operations": { "CreateAppInstanceUsr": { "requestsPerSecond": 5 }, "reads": { "requestsPerSecond": 5 } } } }"#,
      #"2:113: error: unknown operation "CreateAppInstanceUsr"; did you mean "CreateAppInstanceUser"?"#,
      #"2:165: error: unknown operation "reads"; did you mean "read"?"#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "rateLimit": { "requestsPerSecond": 10, "operations": { "read": { "burst": 5, "concurrency": 2 } }, "perAppInstance": 5 } }"#,
      #"2:121: error: missing key "requestsPerSecond": a number above 0"#,
      #"2:135: error: unknown key "concurrency"; known: "requestsPerSecond", "burst""#,
      #"2:175: error: expected a rate object, found 5"#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "rateLimit": { "requestsPerSecond": 10, "operations": { "DescribeAppInstanceUser": { "requestsPerSecond": 5 }, "read": { "requestsPerSecond": 5 } } } }"#,
      #"2:113: warning: this limit holds for nothing: the tenant may not call "DescribeAppInstanceUser"; its operations are "CreateAppInstanceUser""#,
      #"2:168: warning: this limit holds for nothing: none of the tenant's operations only reads ("CreateAppInstanceUser")"#
    ),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "rateLimit": { "requestsPerSecond": 10, "operations": { "CreateAppInstanceUser": { "requestsPerSecond": 10 } }, "perAppInstance": { "requestsPerSecond": 20 } } }"#,
      #"2:11: warning: "perAppInstance" never refuses: the tenant's own rate, 10/s, burst 10, is no higher"#,
      #"2:113: warning: this limit never refuses: the tenant's own rate, 10/s, burst 10, is no higher"#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "labels": { "owner": 5 } }"#,
      #"2:78: error: expected a string, found 5"#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "clientCertificates": [""] }"#,
      #"2:80: error: expected a URI or DNS name, found """#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "assumeRole": { "roleArn": "arn:aws:iam::1:role/x" } }"#,
      #"2:84: error: expected the ARN of an IAM role such as "arn:aws:iam::123456789012:role/gatehouse", found "arn:aws:iam::1:role/x""#
    ),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"], "acessKeys": [] }"#,
      #"2:57: error: unknown key "acessKeys"; did you mean "accessKeys"?"#),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K1" } ] }"#,
      #"2:55: error: missing key: one of "secret", "secretFile", "sealedSecret""#),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K/1", "secret": "x" } ] }"#,
      #"2:63: error: expected an access key id of letters, digits and . _ -, found "K/1""#),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K1", "secret": "x", "secretFile": "y" } ] }"#,
      #"2:84: error: only one of "secret", "secretFile", "sealedSecret" may be given"#),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K1", "secret": "" } ] }"#,
      #"2:79: error: expected a string that is not empty, found a string"#),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K1", "secret": "${ENV:SECRET}" } ] }"#),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K1", "secretFile": "crm.secret" } ] }"#),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K1", "secretFile": "shared.secret" } ] }"#,
      #"2:83: warning: "shared.secret" holds a secret, and its mode 644 lets others than its owner read it; expected mode 600: chmod 600 "shared.secret""#
    ),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K1", "secretFile": "blank.secret" } ] }"#,
      #"2:83: error: the secret file "blank.secret" is empty"#),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K1", "secretFile": "none.secret" } ] }"#,
      #"2:83: error: cannot read "none.secret": no such file or directory"#),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K1", "sealedSecret": "v1:AAAA" } ] }"#,
      #"2:85: error: opening a sealed secret needs $GATEHOUSE_MASTER_KEY, which is not set"#),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K1", "secret": "x", "status": "inactive" } ] }"#,
      #"2:94: error: expected one of "active", "revoked", found "inactive"; did you mean "active"?"#),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K1", "secret": "x", "notAfter": "2027-01-01" } ] }"#,
      #"2:96: error: expected an RFC 3339 time such as "2027-01-01T00:00:00Z", found "2027-01-01""#),
    .init(
      #"{ "id": "a", "appInstances": ["*"], "accessKeys": [ { "id": "K1", "secret": "x" }, { "id": "K1", "secret": "y" } ] }"#,
      #"2:94: error: access key id "K1" is already one of tenant "a""#),
    .init(
      #"{ "id": "a", "accessKeys": [], "appInstances": ["*"] }, { "id": "a", "accessKeys": [], "appInstances": ["*"] }"#,
      #"2:67: error: another tenant has the id "a""#),
  ]

  @Test(arguments: [0o640, 0o604, 0o644] as [UInt16])
  func aSecretThatOthersMayReadIsAnError(_ permissions: UInt16) {
    var files = goodFiles()
    files.accesses["tenants.json"] = FileAccess(permissions: permissions)
    let (loaded, problems) = load(files)
    let mode = String(permissions, radix: 8)
    #expect(loaded == nil)
    #expect(
      problems == [
        "tenants.json:3:59: error: this file holds a secret, and its mode \(mode) lets others than its owner read it; expected mode 600: chmod 600 \"tenants.json\""
      ])
  }

  @Test func aReadableFileWithoutSecretsIsNoProblem() {
    var files = goodFiles()
    files.accesses["tenants.json"] = FileAccess(permissions: 0o644)
    files.contents["crm.secret"] = "s3cr3t"
    for secret in [#""secret": "${ENV:SECRET}""#, #""secretFile": "crm.secret""#] {
      files.contents["tenants.json"] = minimalTenants.replacing(#""secret": "s3cr3t""#, with: secret)
      #expect(load(files, environment: ["SECRET": "x"]).1 == [])
    }
  }

  @Test func aTenantsFileThatCannotBeReadIsAProblemWhereItIsNamed() {
    var files = goodFiles()
    files.contents["tenants.json"] = nil
    #expect(
      load(files).1 == [#"gatehouse.json:4:14: error: cannot read "tenants.json": no such file or directory"#]
    )
    files.faults["tenants.json"] = .notPermitted
    #expect(load(files).1 == [#"gatehouse.json:4:14: error: cannot read "tenants.json": permission denied"#])
  }
}
