import Configuration
import OpenSSLCrypto
import Testing

/// Files in memory, and the loads that the tests make of them.
struct MemoryFiles: FileSource {
  var contents: [String: String] = [:]
  var accesses: [String: FileAccess] = [:]
  var faults: [String: FileFault] = [:]

  func read(_ path: String) throws(FileFault) -> FileContents {
    if let fault = faults[path] { throw fault }
    guard let text = contents[path] else { throw .missing }
    return FileContents(bytes: Array(text.utf8), access: accesses[path] ?? FileAccess(permissions: 0o600))
  }

  func access(to directory: String) throws(FileFault) -> FileAccess {
    if let fault = faults[directory] { throw fault }
    return accesses[directory] ?? FileAccess(permissions: 0o700)
  }

  func identity(of directory: String) throws(FileFault) -> String { directory }

  func names(in directory: String) throws(FileFault) -> [String] {
    if let fault = faults[directory] { throw fault }
    let prefix = directory + "/"
    let names = contents.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    guard !names.isEmpty else { throw .missing }
    return names
  }
}

let operations = [
  "CreateAppInstanceUser", "DescribeAppInstanceUser", "UpdateAppInstanceUser", "DeleteAppInstanceUser",
  "TagResource", "UntagResource",
]

/// A set that loads without problems; tests change one file of it.
func goodFiles() -> MemoryFiles {
  MemoryFiles(contents: [
    "gatehouse.json": minimalConfiguration, "tenants.json": minimalTenants,
    "policies/baseline.json": minimalPolicy,
  ])
}

let minimalConfiguration = """
  {
    "listeners": [ { "address": "127.0.0.1:8080" } ],
    "upstream": { "region": "us-east-1" },
    "tenants": "tenants.json",
    "policies": "policies"
  }
  """

let minimalTenants = """
  { "tenants": [ {
    "id": "crm",
    "accessKeys": [ { "id": "GHAKCRM00000000001", "secret": "s3cr3t" } ],
    "appInstances": [ "arn:aws:chime:us-east-1:123456789012:app-instance/*" ]
  } ] }
  """

let minimalPolicy = """
  { "policy": "baseline", "rules": { "name": { "maxLength": 80 } } }
  """

func load(
  _ files: MemoryFiles, environment: [String: String] = [:]
) -> (LoadedConfiguration?, [String]) {
  let (loaded, problems) = ConfigurationLoader.load(
    configPath: "gatehouse.json", files: files, environment: Environment(environment),
    knownOperations: operations)
  return (loaded, problems.map(\.line))
}
