import ChimeIdentity
import Configuration
import OpenSSLCrypto
import PolicyEngine
import Primitives

/// A folder of policies, and requests with what it must say to them.
struct PolicySample {
  let name: String
  /// File name to text.
  let files: [String: String]
  let allowed: [[UInt8]]
  let denied: [UInt8]

  static let appInstance = "arn:aws:chime:us-east-1:123456789012:app-instance/aaaa-0001"

  static let all = [
    PolicySample("one policy", 1) { _ in "{}" },
    // Each tenant has one of the hundred.
    PolicySample("100, each other tenants", 100) { #"{"tenants":["t\#(twoDigits($0))-*"]}"# },
    PolicySample("100, other AppInstances", 100) {
      $0 == 0 ? "{}" : #"{"appInstances":["*:app-instance/bbbb-\#(twoDigits($0))*"]}"#
    },
    PolicySample("100, other operations", 100) {
      $0 == 0 ? "{}" : #"{"operations":["UpdateAppInstanceUser","PutAppInstanceUserExpirationSettings"]}"#
    },
    PolicySample("100, 10 of them matching", 100) {
      $0 < 10 ? "{}" : #"{"tenants":["u\#(twoDigits($0))-*"]}"#
    },
    PolicySample("100, all, the same rules", 100, isUniform: true) { _ in "{}" },
    PolicySample("100, all, 2000 rules", 100) { _ in "{}" },
    PolicySample(
      "100, each with a when", 100, when: { #"{"tags.Stage":["prod"],"name":["A*","B*","\#($0)"]}"# }
    ) { _ in "{}" },
    PolicySample("one, a template as pattern", 1, idPattern: "user-(?!${tenant.id})[a-z0-9._-]{1,60}") {
      _ in "{}"
    },
    PolicySample("one, 2 x 100 000 lines", 1, lines: 100_000) { _ in "{}" },
    PolicySample("one, 1000 exceptions", 1, exceptions: 1000) { _ in "{}" },
  ]

  /// - Parameters:
  ///   - isUniform: whether all policies have the same rules.
  ///   - when: of each policy.
  ///   - idPattern: instead of the usual one.
  ///   - lines: how many values a tag may have, and how many texts a name may not hold, each in a file.
  ///   - exceptions: how many there are, none of which covers what is denied.
  init(
    _ name: String, _ count: Int, isUniform: Bool = false, when: ((Int) -> String)? = nil,
    idPattern: String? = nil, lines: Int = 0, exceptions: Int = 0, match: (Int) -> String
  ) {
    self.name = name
    var files: [String: String] = [:]
    for index in 0..<count {
      var policy = Self.policy(index, isUniform ? 0 : index, match: match(index))
      if let when { policy.replace(#""rules":"#, with: #""when":\#(when(index)),"rules":"#) }
      if let idPattern { policy.replace("[a-z0-9][a-z0-9._-]{1,\(60 + index)}", with: idPattern) }
      if lines > 0 {
        policy.replace(#""key":"CostCenter","#, with: #""key":"CostCenter","valuesFrom":"centres.txt","#)
        policy.replace(#""name":{"#, with: #""name":{"forbiddenFrom":"words.txt","#)
      }
      files["p\(twoDigits(index)).json"] = policy
    }
    if lines > 0 {
      files["centres.txt"] = (0..<lines).map { "c\($0)\n" }.joined()
      files["words.txt"] = (0..<lines).map { "word\($0 &* 7_919 % 1_000_003)\n" }.joined()
    }
    for index in 0..<exceptions { files["e\(index).exception.json"] = Self.exception(index) }
    self.files = files
    allowed = [Self.body(name: "Alice Liddell", days: 30), Self.body(name: "Bob B. Bobson", days: 60)]
    denied = Self.body(name: "Alice Liddell", days: 5000)
  }

  static func tenant(_ number: Int) -> TenantFacts {
    let id = String(repeating: "0", count: 4 - String(number).count) + String(number)
    return TenantFacts(
      id: Text("t\(twoDigits(number % 100))-\(id)"),
      labels: ["owner": Text("team-\(number)@example.com"), "costCenter": "4711"])
  }

  func load() throws -> PolicyFiles {
    let loader = ConfigurationLoader(
      files: self, environment: [:], knownOperations: Operation.allCases.map(\.name))
    let (loaded, problems) = loader.policies(inFolder: "policies")
    guard let loaded, !problems.contains(where: { $0.severity == .error }) else {
      throw BenchFailure(problems.map(\.line).joined(separator: "\n"))
    }
    return loaded
  }

  /// 20 rules, of which those that take a text take another one in each policy.
  private static func policy(_ number: Int, _ index: Int, match: String) -> String {
    #"""
    {"policy":"p\#(twoDigits(number))","mode":"enforce","match":\#(match),"rules":{
      "appInstanceUserId":{"prefix":"user-","pattern":"[a-z0-9][a-z0-9._-]{1,\#(60 + index)}",
        "forbidden":["(?i)test\#(index)","--"],"minLength":4,"maxLength":64},
      "name":{"pattern":"[\\p{L}\\p{M}' .-]{1,\#(90 + index)}","forbidden":["(?i)admin\#(index)"],
        "minLength":1,"maxLength":\#(100 - index / 4),"trimmed":true,"singleScript":true},
      "tags":{"required":[{"key":"CostCenter","values":["4711","48\#(index)*"]},
          {"key":"Owner","pattern":"[^@]+@example\\.com|x\#(index)"},{"key":"Stage","values":["prod","s\#(index)"]}],
        "allowedKeys":["CostCenter","Owner","Stage","Team","x\#(index)-*"],"forbiddenKeys":["aws:*","tmp\#(index)*"],
        "maxCount":20,"set":{"Team":"${tenant.labels.owner}"}},
      "expiration":{"required":true,"minDays":1,"maxDays":\#(400 - index)},
      "metadata":{"maxBytes":\#(1000 - index),"forbidden":["secret\#(index)"]}}}
    """#
  }

  private static func exception(_ index: Int) -> String {
    #"""
    {"exception":"e\#(index)","reason":"import","until":"2099-12-31","policies":["p00"],
     "rules":["tags.*","name.*"],"match":{"tenants":["t\#(twoDigits(index % 100))-*"]},
     "when":{"tags.Stage":["import\#(index)"]}}
    """#
  }

  private static func body(name: String, days: Int) -> [UInt8] {
    Array(
      #"""
      {"AppInstanceArn":"\#(appInstance)","AppInstanceUserId":"user-4711-alice","Name":"\#(name)",
      "ClientRequestToken":"0f3b1c8e-7a52-4d0e-9e0b-2f6f4f3f9a11","Metadata":"{\"department\":\"sales\",\"floor\":4}",
      "Tags":[{"Key":"CostCenter","Value":"4711"},{"Key":"Owner","Value":"crm@example.com"},
      {"Key":"Stage","Value":"prod"}],
      "ExpirationSettings":{"ExpirationDays":\#(days),"ExpirationCriterion":"CREATED_TIMESTAMP"}}
      """#.utf8)
  }
}

extension PolicySample: FileSource {
  func read(_ path: String) throws(FileFault) -> FileContents {
    guard let text = files[path.split(separator: "/").last.map(String.init) ?? path] else { throw .missing }
    return FileContents(bytes: Array(text.utf8), access: FileAccess(permissions: 0o600))
  }

  func access(to directory: String) throws(FileFault) -> FileAccess { FileAccess(permissions: 0o700) }
  func identity(of directory: String) throws(FileFault) -> String { directory }

  func names(in directory: String) throws(FileFault) -> [String] { Array(files.keys) }
}

func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
