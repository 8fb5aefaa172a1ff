import Configuration
import OpenSSLCrypto
import Patterns
import Primitives
import Testing

@Suite struct TenantsFileTests {
  private static let now = WallClockTime(seconds: 1_795_348_800)  // 2026-11-22T12:00:00Z
  private let key = TenantsFile.NewKey(id: "GHAKNEW", secret: .plain("n3w"))

  private func file(_ text: String) throws -> TenantsFile {
    try TenantsFile(parsing: Array(text.utf8), file: "tenants.json")
  }

  private func text(_ file: TenantsFile) -> String { String(decoding: file.bytes, as: UTF8.self) }

  private func directory(_ file: TenantsFile) throws -> TenantDirectory {
    var files = goodFiles()
    files.contents["tenants.json"] = text(file)
    let (loaded, problems) = load(files)
    #expect(problems == [])
    return try #require(loaded?.tenants)
  }

  @Test func aTenantAddedToNothingLoads() throws {
    var tenant = TenantsFile.NewTenant(
      id: "hr", appInstances: ["arn:aws:chime:us-east-1:123456789012:app-instance/*"])
    tenant.operations = ["CreateAppInstanceUser", "TagResource"]
    tenant.labels = [("owner", "hr@example.com")]
    let tenants = try directory(try TenantsFile().adding(tenant, key: key))
    let added = try #require(tenants.tenant("hr"))
    #expect(added.operations == ["CreateAppInstanceUser", "TagResource"])
    #expect(added.labels == ["owner": "hr@example.com"])
    let key = try #require(added.accessKeys.first)
    #expect(key.id == "GHAKNEW")
    #expect(key.secret.withBytes { Array($0) } == Array("n3w".utf8))
  }

  @Test func whatAnEditDoesNotTouchStays() throws {
    let edited = try file(sampleTenants).adding(.init(id: "hr", appInstances: ["*"]), key: key)
    let before = try #require(try directory(try file(sampleTenants)).tenant("crm"))
    let after = try #require(try directory(edited).tenant("crm"))
    #expect(after.labels == before.labels && after.operations == before.operations)
    #expect(after.rateLimit == before.rateLimit && after.clientCertificates == before.clientCertificates)
    #expect(after.accessKeys.first?.notAfter == before.accessKeys.first?.notAfter)
  }

  @Test func addingATenantTwiceIsRefused() throws {
    let file = try file(minimalTenants)
    #expect(throws: TenantsFile.EditFault.tenantExists("crm")) {
      try file.adding(.init(id: "crm", appInstances: ["*"]), key: key)
    }
  }

  @Test func rotatingWithoutOverlapRevokesTheOldKeyAtOnce() throws {
    let file = try file(minimalTenants).rotating("crm", to: key, overlap: .zero, now: Self.now)
    let keys = try #require(try directory(file).tenant("crm")).accessKeys
    #expect(keys.map(\.id) == ["GHAKCRM00000000001", "GHAKNEW"])
    #expect(keys.map(\.status) == [.revoked, .active])
  }

  @Test func rotatingWithOverlapEndsTheOldKeyThen() throws {
    let file = try file(minimalTenants).rotating("crm", to: key, overlap: .seconds(86_400), now: Self.now)
    let keys = try #require(try directory(file).tenant("crm")).accessKeys
    #expect(keys.map(\.status) == [.active, .active])
    #expect(keys.map(\.notAfter) == [Self.now.advanced(byNanoseconds: 86_400_000_000_000), nil])
  }

  @Test func aKeyThatEndsSoonerThanTheOverlapStillDoes() throws {
    let file = try file(sampleTenants).rotating(
      "crm", to: key, overlap: .seconds(400 * 86_400), now: Self.now)
    let keys = try #require(try directory(file).tenant("crm")).accessKeys
    #expect(keys.first?.notAfter == WallClockTime(rfc3339: "2027-01-01T00:00:00Z"))
  }

  @Test func revokingOneKeyLeavesTheOthers() throws {
    let file = try file(minimalTenants).rotating("crm", to: key, overlap: .seconds(60), now: Self.now)
      .revoking("crm", accessKey: "GHAKNEW")
    #expect(try directory(file).tenant("crm")?.accessKeys.map(\.status) == [.active, .revoked])
    let all = try file.revoking("crm")
    #expect(try directory(all).tenant("crm")?.accessKeys.map(\.status) == [.revoked, .revoked])
  }

  @Test func anUpdateReplacesListsMergesLabelsAndLeavesTheRest() throws {
    var changes = TenantsFile.TenantChanges()
    changes.operations = ["TagResource"]
    changes.labels = [("owner", "new@example.com"), ("team", "a")]
    let edited = try file(sampleTenants).updating("crm", changes)
    let before = try #require(try directory(try file(sampleTenants)).tenant("crm"))
    let after = try #require(try directory(edited).tenant("crm"))
    #expect(after.operations == ["TagResource"])
    #expect(
      after.labels == before.labels.merging(["owner": "new@example.com", "team": "a"]) { _, new in new })
    #expect(after.appInstances == before.appInstances && after.description == before.description)
    #expect(after.rateLimit == before.rateLimit && after.clientCertificates == before.clientCertificates)
    #expect(after.accessKeys.map(\.id) == before.accessKeys.map(\.id))
    #expect(after.accessKeys.map(\.notAfter) == before.accessKeys.map(\.notAfter))
  }

  @Test func anUpdateOfTheRest() throws {
    var changes = TenantsFile.TenantChanges()
    #expect(changes.isEmpty)
    changes.appInstances = ["arn:aws:chime:us-east-1:123456789012:app-instance/a"]
    changes.description = "new"
    let edited = try file(minimalTenants).updating("crm", changes)
    let after = try #require(try directory(edited).tenant("crm"))
    #expect(after.appInstances.map(\.source) == [Text(changes.appInstances[0])])
    #expect(after.description == "new" && after.labels.isEmpty)
    changes.description = ""
    #expect(!text(try edited.updating("crm", changes)).contains("description"))
  }

  @Test func aMisspeltTenantIsAnsweredWithTheNearest() throws {
    #expect(throws: TenantsFile.EditFault.noSuchTenant("cmr", nearest: "crm")) {
      try file(minimalTenants).updating("cmr", .init())
    }
    #expect(
      TenantsFile.EditFault.noSuchTenant("cmr", nearest: "crm").message
        == #"there is no tenant "cmr"; did you mean "crm"?"#)
  }

  @Test func editsOfWhatIsNotThereAreRefused() throws {
    let file = try file(minimalTenants)
    #expect(throws: TenantsFile.EditFault.noSuchTenant("hr")) { try file.revoking("hr") }
    #expect(throws: TenantsFile.EditFault.noSuchAccessKey("X", tenant: "crm")) {
      try file.revoking("crm", accessKey: "X")
    }
    let other = try self.file("{}")
    #expect(throws: TenantsFile.EditFault.notATenantsFile) { try other.revoking("crm") }
    #expect(throws: Problem.self) { try self.file("{") }
  }
}

@Suite struct AccessKeyEndTests {
  private static let end = "2027-01-01T00:00:00.000Z"

  private func problems(at time: String, status: String = "active") throws -> [String] {
    var files = goodFiles()
    files.contents["tenants.json"] = minimalTenants.replacing(
      #""secret": "s3cr3t""#, with: #""secret": "s3cr3t", "status": "\#(status)", "notAfter": "\#(Self.end)""#
    )
    let tenants = try #require(load(files).0?.tenants)
    let now = try #require(WallClockTime(rfc3339: time))
    return tenants.keyEnds.compactMap { $0.problem(at: now)?.line }
  }

  @Test func aKeyThatEndsWithinFourteenDaysIsTold() throws {
    #expect(try problems(at: "2026-12-17T23:59:59Z") == [])
    let warning = "access key \"GHAKCRM00000000001\" of tenant \"crm\" ends on \(Self.end)"
    let advice = "; `gatehouse tenant rotate crm` gives a new one"
    let soon = try problems(at: "2026-12-18T00:00:00Z")
    #expect(soon.count == 1 && soon[0].hasPrefix("tenants.json:3:"))
    #expect(soon[0].hasSuffix(": warning: \(warning), in 14 days\(advice)"))
    #expect(try problems(at: "2026-12-30T12:00:00Z")[0].hasSuffix("\(warning), in 1 day\(advice)"))
    #expect(try problems(at: Self.end)[0].hasSuffix("\(warning), within a day\(advice)"))
    #expect(try problems(at: "2027-01-01T00:00:01Z")[0].contains("ended on \(Self.end);"))
    #expect(try problems(at: Self.end, status: "revoked") == [])
  }

  @Test func aKeyIsExpiredPastItsEnd() throws {
    let end = try #require(WallClockTime(rfc3339: Self.end))
    let later = end.advanced(byNanoseconds: 1)
    #expect(Tenant.AccessKey.Status.active.standing(until: end, at: end) == .active)
    #expect(Tenant.AccessKey.Status.active.standing(until: end, at: later) == .expired)
    #expect(Tenant.AccessKey.Status.active.standing(until: nil, at: later) == .active)
    #expect(Tenant.AccessKey.Status.revoked.standing(until: end, at: later) == .revoked)
  }
}

@Suite struct SealedSecretTests {
  private let masterKey = Base64.encode(Array(0..<32))

  @Test func aSealedSecretOpensOnLoad() throws {
    let master = try #require(MasterKey(base64: masterKey))
    let sealed = try #require(
      SealedSecret.seal(
        Array("s3cr3t".utf8), accessKeyID: "GHAKCRM00000000001", masterKey: master,
        nonce: Array(repeating: 7, count: 12)))
    #expect(sealed.hasPrefix("v1:"))
    var files = goodFiles()
    files.accesses["tenants.json"] = FileAccess(permissions: 0o644)
    files.contents["tenants.json"] = minimalTenants.replacing(
      #""secret": "s3cr3t""#, with: #""sealedSecret": "\#(sealed)""#)
    let (loaded, problems) = load(files, environment: ["GATEHOUSE_MASTER_KEY": masterKey])
    #expect(problems == [])
    let key = loaded?.tenants.tenants.flatMap(\.accessKeys).first { $0.id == "GHAKCRM00000000001" }
    #expect(key?.secret.withBytes { Array($0) } == Array("s3cr3t".utf8))

    let other = Base64.encode(Array(1...32))
    #expect(
      load(files, environment: ["GATEHOUSE_MASTER_KEY": other]).1 == [
        "tenants.json:3:65: error: the secret cannot be opened: it was sealed under another $GATEHOUSE_MASTER_KEY, for another access key id, or altered"
      ])
    #expect(
      load(files, environment: ["GATEHOUSE_MASTER_KEY": "c2hvcnQ="]).1 == [
        "tenants.json:3:65: error: $GATEHOUSE_MASTER_KEY must be 32 bytes in base64"
      ])
  }

  @Test func aSealedSecretIsBoundToItsAccessKey() throws {
    let master = try #require(MasterKey(base64: masterKey))
    let nonce = [UInt8](repeating: 7, count: 12)
    let sealed = try #require(
      SealedSecret.seal(Array("s3cr3t".utf8), accessKeyID: "A", masterKey: master, nonce: nonce))
    #expect(throws: SealedSecret.Fault.notAuthentic) {
      _ = try SealedSecret.open(sealed, accessKeyID: "B", masterKey: master)
    }
    for text in ["", "v1:", "v2:" + sealed.dropFirst(3), "v1:!!!!", "v1:AAAA", String(sealed.dropFirst(3))] {
      #expect(throws: SealedSecret.Fault.malformed) {
        _ = try SealedSecret.open(text, accessKeyID: "A", masterKey: master)
      }
    }
  }
}
