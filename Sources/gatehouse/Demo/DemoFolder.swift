import Configuration
import Gateway
import Glibc
import OpenSSLCrypto

/// The temporary folder of a demo: configuration, tenants, copies of the policies, journal and logs.
struct DemoFolder {
  let path: String
  var configuration: String { "\(path)/gatehouse.json" }
  var sandboxLog: String { "\(path)/sandbox.log" }
  var gatewayLog: String { "\(path)/gateway.log" }

  /// Makes the folder, for this user alone, with copies of the policies of the folder `policies`; `nil`: of those that are
  /// in the binary.
  init(policies: String?) throws(CommandFailure) {
    let documents =
      try policies.map(Self.documents) ?? Baseline.files.map { (name: $0.name, bytes: Array($0.text.utf8)) }
    let parent = Process.environment.nonEmpty("TMPDIR") ?? "/tmp"
    guard let made = mkdtemp(strdup("\(parent)/gatehouse-demo-XXXXXX")) else {
      throw Self.failure(at: parent)
    }
    path = String(cString: made)
    free(made)
    guard mkdir("\(path)/policies", 0o700) == 0 else { throw Self.failure(at: path) }
    for document in documents { try write(document.bytes, to: "policies/\(document.name)") }
  }

  /// Writes what `serve` reads: a gateway and its admin listener on free ports, in front of `upstream`.
  func configure(upstream: String, signingWith key: AccessKeyPair, tenant: DemoTenant) throws(CommandFailure)
  {
    try write(
      Array(
        """
        {
          "listeners": [ { "address": "127.0.0.1:0" } ],
          "admin": { "address": "127.0.0.1:0" },
          "upstream": {
            "region": "\(DemoTenant.region)",
            "endpoint": "http://\(upstream)",
            "credentials": {
              "source": "static", "accessKeyId": "\(key.id)", "secretAccessKey": "\(key.secret)" }
          },
          "tenants": "tenants.json",
          "policies": "policies",
          "audit": { "directory": "audit" },
          "workers": 1,
          "drainTimeout": "2s"
        }

        """.utf8), to: "gatehouse.json")
    try write(Array(tenant.file.utf8), to: "tenants.json")
  }

  /// Removes the folder and all that is in it.
  func remove() { Self.remove(path) }

  private static func remove(_ path: String) {
    // Links are removed, not followed: only what is a folder itself is entered.
    var status = stat()
    if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      for name in (try? DiskFiles().names(in: path)) ?? [] { remove("\(path)/\(name)") }
    }
    _ = Glibc.remove(path)
  }

  private static func documents(
    of folder: String
  ) throws(CommandFailure) -> [(name: String, bytes: [UInt8])] {
    let files = DiskFiles()
    do throws(FileFault) {
      var documents: [(name: String, bytes: [UInt8])] = []
      for name in try files.names(in: folder) where name.hasSuffix(".json") {
        documents.append((name, try files.read("\(folder)/\(name)").bytes))
      }
      if !documents.isEmpty { return documents }
    } catch {
      throw CommandFailure(.usage, "\(folder): \(error.message); expected a folder of policies")
    }
    throw CommandFailure(.usage, "\(folder): no *.json in it; expected a folder of policies")
  }

  private func write(_ bytes: [UInt8], to name: String) throws(CommandFailure) {
    let file = "\(path)/\(name)"
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.failure(at: file) }
    defer { close(descriptor) }
    guard bytes.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == bytes.count else {
      throw Self.failure(at: file)
    }
  }

  private static func failure(at path: String) -> CommandFailure {
    CommandFailure(.internalFault, "\(path): \(FileFault(errno: errno).message)")
  }
}

/// The application of the demo.
struct DemoTenant: Sendable {
  static let region = "us-east-1"
  static let appInstance =
    "arn:aws:chime:us-east-1:123456789012:app-instance/3f1c5a70-1111-4222-8333-444455556666"
  static let otherAppInstance =
    "arn:aws:chime:us-east-1:123456789012:app-instance/9d2b6e10-7777-4888-9999-aaaabbbbcccc"

  let key = AccessKeyPair()

  /// The tenants file with this tenant in it.
  var file: String {
    """
    { "tenants": [ {
      "id": "crm",
      "description": "The demo's application",
      "accessKeys": [ { "id": "\(key.id)", "secret": "\(key.secret)", "status": "active" } ],
      "appInstances": [ "\(Self.appInstance)" ],
      "operations": [ "CreateAppInstanceUser", "DescribeAppInstanceUser" ],
      "labels": { "costCenter": "4711", "owner": "crm@example.com" }
    } ] }

    """
  }
}
