import Configuration
import Testing

/// Who else may read what is secret and write what decides.
@Suite struct FileAccessTests {
  @Test(arguments: [
    // Ours: nobody else.
    (FileAccess(permissions: 0o600), false), (FileAccess(permissions: 0o400), false),
    (FileAccess(permissions: 0o640), true), (FileAccess(permissions: 0o604), true),
    // Another's, which reaches us by a group of ours.
    (FileAccess(permissions: 0o640, isOwned: false), false),
    (FileAccess(permissions: 0o440, isOwned: false), false),
    (FileAccess(permissions: 0o644, isOwned: false), true),
    (FileAccess(permissions: 0o604, isOwned: false), true),
    (FileAccess(permissions: 0o640, isOwned: false, isOfOurGroup: false), true),
    (FileAccess(permissions: 0o600, isOwned: false, isOfOurGroup: false), false),
  ])
  func secretsAreReadByTheirOwner(_ access: FileAccess, _ isReadable: Bool) throws {
    #expect(access.isReadableByOthers == isReadable)
    var files = goodFiles()
    files.accesses["tenants.json"] = access
    #expect((load(files).0 == nil) == isReadable)
  }

  @Test(arguments: [
    ("gatehouse.json", "gatehouse.json:1:1: error: others than its owner may write this file"),
    ("tenants.json", "tenants.json:1:1: error: others than its owner may write this file"),
    (
      "policies/baseline.json", "policies/baseline.json:1:1: error: others than its owner may write this file"
    ),
    ("policies", "gatehouse.json:5:15: error: others than its owner may write the folder \"policies\""),
    ("audit", "gatehouse.json:1:1: error: others than its owner may write the folder \"audit\""),
  ])
  func whatDecidesIsWrittenByItsOwner(_ path: String, _ problem: String) throws {
    for (permissions, mode) in [(UInt16(0o620), "620"), (0o602, "602")] {
      var files = goodFiles()
      files.accesses[path] = FileAccess(permissions: permissions)
      let found = load(files).1
      #expect(found == ["\(problem) (mode \(mode)); expected none to: chmod go-w \"\(path)\""])
      // Where nobody can write, as ConfigMaps lie with mode 777.
      files.accesses[path] = FileAccess(permissions: permissions, isOnReadOnlyMedium: true)
      #expect(load(files).1 == [])
    }
  }

  @Test func anAuditFolderThatIsNotThereYetIsMade() throws {
    var files = goodFiles()
    files.faults["audit"] = .missing
    #expect(load(files).1 == [])
    files.faults["audit"] = .notADirectory
    #expect(load(files).1 == ["gatehouse.json:1:1: error: cannot read folder \"audit\": not a directory"])
  }

  @Test(arguments: [
    (#"{ "source": "static", "accessKeyId": "A", "secretAccessKey": "s" }"#, true),
    (#"{ "source": "static", "accessKeyId": "A", "secretAccessKey": "s${ENV:S}" }"#, true),
    (#"{ "source": "static", "accessKeyId": "A", "secretAccessKey": "${ENV:S}" }"#, false),
    (
      #"{ "source": "static", "accessKeyId": "A", "secretAccessKey": "${ENV:S}", "sessionToken": "t" }"#,
      true
    ),
    (
      #"{ "source": "static", "accessKeyId": "A", "secretAccessKey": "${ENV:S}", "sessionToken": "" }"#, false
    ),
    (#"{ "source": "environment" }"#, false),
  ])
  func aConfigurationIsSecretWhenASecretIsWrittenInIt(_ credentials: String, _ isSecret: Bool) throws {
    var files = goodFiles()
    files.contents["gatehouse.json"] = minimalConfiguration.replacing(
      #""region": "us-east-1""#, with: #""region": "us-east-1", "credentials": \#(credentials)"#)
    files.accesses["gatehouse.json"] = FileAccess(permissions: 0o644)
    let found = load(files, environment: ["S": "x"]).1
    #expect(found.isEmpty != isSecret)
    for problem in found {
      #expect(problem.contains("this file holds a secret, and its mode 644 lets others"))
      #expect(problem.hasPrefix("gatehouse.json:"))
    }
  }
}
