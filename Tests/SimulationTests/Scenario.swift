import AuditStore
import Configuration
import Primitives
import TestSupport

/// What one seed's world is like: its configuration, and how bad its luck is.
struct Scenario {
  /// One of the callers' applications.
  struct Application {
    let id: String
    let instances: [String]
    var keyId: String { "GHAK\(id.uppercased())0000000001" }
    var secret: String { "secret-of-\(id)" }
  }

  /// Two that share an AppInstance, so that what tells them apart is the tenant alone, and one by itself.
  static let applications = [
    Application(id: "crm", instances: ["alpha"]), Application(id: "bot", instances: ["alpha", "beta"]),
    Application(id: "erp", instances: ["gamma"]),
  ]

  let requests: Int
  let workers: Int
  let requestTimeout: Int64
  let replayWindow: Int64
  let continuesOnFailure: Bool
  let durability: Journal.Settings.Durability
  let segmentSize: Int
  /// Of a hundred of the callers' doings, how many are repeats.
  let repeats: Int
  /// Events that go wrong, of a hundred of all events.
  let mishaps: Int
  private let attempts: Int
  private let budgetPercent: Int
  private let queueFor: String
  private let breaker: Int
  private let mode: String

  init(_ entropy: inout SeededGenerator) {
    requests = Int.random(in: 10...60, using: &entropy)
    workers = Int.random(in: 1...2, using: &entropy)
    requestTimeout = Int64.random(in: 1...4, using: &entropy)
    replayWindow = [0, 2, 60, 600].randomElement(using: &entropy) ?? 60
    continuesOnFailure = entropy.happens(15)
    durability = entropy.happens(80) ? .sync : .interval
    segmentSize = Int.random(in: 4_000...60_000, using: &entropy)
    repeats = Int.random(in: 5...50, using: &entropy)
    mishaps = [0, 5, 15, 30].randomElement(using: &entropy) ?? 5
    attempts = Int.random(in: 1...4, using: &entropy)
    budgetPercent = [0, 20, 100].randomElement(using: &entropy) ?? 20
    queueFor = entropy.happens(50) ? "0s" : "1s"
    breaker = Int.random(in: 2...8, using: &entropy)
    mode = entropy.happens(90) ? "enforce" : "warn"
  }

  /// - Parameters:
  ///   - revision: of the policies and limits; each load may be of another.
  ///   - isBroken: there is an error in them.
  func files(revision: Int, isBroken: Bool = false, _ entropy: inout SeededGenerator) -> ConfigurationFiles {
    let rate = [3, 20, 1000].randomElement(using: &entropy) ?? 20
    let account = [5, 50, 5000].randomElement(using: &entropy) ?? 50
    let config = """
      {"listeners": [{"address": "127.0.0.1:0"}], "tenants": "tenants.json", "policies": "policies",
       "upstream": {"region": "us-east-1", "endpoint": "http://127.0.0.1:1",
         "credentials": {"source": "static", "accessKeyId": "AKIAGATEWAY", "secretAccessKey": "gateway"},
         "requestTimeout": "\(requestTimeout)s", "connectTimeout": "1s",
         "retry": {"attempts": \(attempts), "budgetPercent": \(budgetPercent)},
         "circuitBreaker": {"consecutiveFailures": \(breaker), "openFor": "1s"}},
       "authentication": {"clockSkew": "5m", "replayWindow": "\(replayWindow)s"},
       "rateLimit": {"mode": "\(mode)", "queueFor": "\(queueFor)", "upstreamBudget":
         {"requestsPerSecond": \(account), "burst": \(account), "queueFor": "\(queueFor)"}},
       "audit": {"onFailure": "\(continuesOnFailure ? "continue" : "refuse")"},
       "log": {"level": "error"}\(isBroken ? ", \"lgo\": 1" : "")}
      """
    let tenants = Self.applications.map { application in
      """
      {"id": "\(application.id)",
       "appInstances": [\(application.instances.map { "\"\(Self.arn($0))\"" }.joined(separator: ", "))],
       "operations": ["CreateAppInstanceUser", "DescribeAppInstanceUser", "UpdateAppInstanceUser",
         "RegisterAppInstanceUserEndpoint"],
       "rateLimit": {"requestsPerSecond": \(rate), "burst": \(rate), "concurrency": \(rate > 3 ? 50 : 2),
         "operations": {"CreateAppInstanceUser": {"requestsPerSecond": \(rate - revision % 2 * rate / 3)},
           "read": {"requestsPerSecond": \(rate)}},
         "perAppInstance": {"requestsPerSecond": \(rate - revision % 3 * rate / 4)}},
       "accessKeys": [{"id": "\(application.keyId)", "secret": "\(application.secret)"}]}
      """
    }
    let policy = #"""
      {"policy": "p", "rules": {"name": {"forbidden": ["(?i)test"]},
        "tags": {"set": {"Revision": "r\#(revision)"}}}}
      """#
    return ConfigurationFiles([
      "gatehouse.json": config, "tenants.json": "{\"tenants\": [\(tenants.joined(separator: ", "))]}",
      "policies/p.json": policy,
    ])
  }

  static func arn(_ instance: String) -> String {
    "arn:aws:chime:us-east-1:123456789012:app-instance/\(instance)"
  }

  var journal: Journal.Settings {
    var settings = Journal.Settings(directory: "")
    settings.durability = durability
    settings.continuesOnFailure = continuesOnFailure
    settings.segmentSize = segmentSize
    settings.checkpointNanoseconds = 1_000_000_000
    return settings
  }
}

/// Configuration files in memory.
struct ConfigurationFiles: FileSource {
  private let files: [String: String]

  init(_ files: [String: String]) { self.files = files }

  func read(_ path: String) throws(Configuration.FileFault) -> FileContents {
    let name = String(path.drop { $0 == "." || $0 == "/" })
    guard let text = files[path] ?? files[name] else { throw .missing }
    return FileContents(bytes: Array(text.utf8), access: FileAccess(permissions: 0o600))
  }

  func names(in directory: String) throws(Configuration.FileFault) -> [String] {
    files.keys.filter { $0.hasPrefix("policies/") }.map { String($0.dropFirst("policies/".count)) }.sorted()
  }

  func access(to directory: String) throws(Configuration.FileFault) -> FileAccess {
    FileAccess(permissions: 0o700)
  }

  func identity(of directory: String) throws(Configuration.FileFault) -> String { directory }
}
