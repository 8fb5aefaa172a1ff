import Configuration
import Primitives

/// One tenant, `crm`, and a few policies.
struct MemoryFiles: FileSource {
  static let keyId: Text = "GHAKCRM00000000001"
  static let secret = "secret-of-the-tenant-crm"

  private var files: [String: String] = [:]

  init(policies: [String], rateLimit: String?) {
    files["gatehouse.json"] = """
      {"listeners": [{"address": "127.0.0.1:0"}], "tenants": "tenants.json", "policies": "policies",
       "upstream": {"region": "us-east-1", "endpoint": "http://127.0.0.1:1",
         "credentials": {"source": "static", "accessKeyId": "AKIAGATEWAY", "secretAccessKey": "gateway"}},
       "rateLimit": {"upstreamBudget": {"requestsPerSecond": 100000, "burst": 100000}}}
      """
    files["tenants.json"] = """
      {"tenants": [{"id": "crm", "appInstances": ["\(appInstance)"],
        "accessKeys": [{"id": "\(Self.keyId)", "secret": "\(Self.secret)"}]
        \(rateLimit.map { #", "rateLimit": \#($0)"# } ?? "")}]}
      """
    for (index, policy) in policies.enumerated() { files["policies/p\(index).json"] = policy }
  }

  func read(_ path: String) throws(FileFault) -> FileContents {
    let name = String(path.drop { $0 == "." || $0 == "/" })
    guard let text = files[path] ?? files[name] else { throw .missing }
    return FileContents(bytes: Array(text.utf8), access: FileAccess(permissions: 0o600))
  }

  func names(in directory: String) throws(FileFault) -> [String] {
    files.keys.filter { $0.hasPrefix("policies/") }.map { String($0.dropFirst("policies/".count)) }
  }

  func access(to directory: String) throws(FileFault) -> FileAccess { FileAccess(permissions: 0o700) }
  func identity(of directory: String) throws(FileFault) -> String { directory }
}
