internal import ChimeIdentity
package import Configuration
package import OpenSSLCrypto
internal import Glibc
internal import PolicyEngine
package import RateLimiting
internal import SigV4

/// What a load of the configuration came to.
package struct SnapshotLoad: Sendable {
  /// `nil` when an error stands in the way. One that is about certain tenants does not: their requests are refused.
  package let snapshot: Snapshot?
  /// Errors and warnings, in the order of files and places.
  package let problems: [Problem]
  /// Why the gateway has no credentials, if it has none.
  package let credentialProblem: String?
  /// The variables that the files refer to.
  package let environmentNames: Set<String>
  /// What was read for it.
  package var files = LoadedFiles()
}

package enum SnapshotLoader {
  /// Loads config, tenants, policies and credentials as `check` would judge them.
  /// - Parameter meters: the same for every load of a process, so that a reload gives no tenant its burst anew.
  package static func load(
    configPath: String, files: any FileSource, environment: Environment, meters: TenantMeters
  ) -> SnapshotLoad {
    let operations = ChimeIdentity.Operation.allCases.map(\.name)
    var (loaded, problems) = ConfigurationLoader.load(
      configPath: configPath, files: files, environment: environment, knownOperations: operations)
    problems +=
      loaded?.configuration.certificates.flatMap { $0.problems(at: SystemClock().wallClock()) } ?? []
    guard let loaded else { return SnapshotLoad(problems) }
    let (policies, found) = PolicySet.compile(
      documents: loaded.policies.documents,
      tenants: loaded.tenants.tenants.map { TenantFacts($0) })
    problems += found
    guard !found.preventUse else { return SnapshotLoad(problems) }
    policies.prepare()
    func load(_ credentials: Credentials?, _ problem: String?) -> SnapshotLoad {
      SnapshotLoad(
        snapshot: Snapshot(loaded, policies: policies, credentials: credentials, meters: meters),
        problems: problems, credentialProblem: problem, environmentNames: loaded.environmentNames)
    }
    do {
      let credentials = try CredentialProvider.load(
        loaded.configuration.upstream.credentials, environment: environment,
        readText: { path in (try? files.read(path)).map { String(decoding: $0.bytes, as: UTF8.self) } })
      return load(credentials, nil)
    } catch {
      return load(nil, "\(error)")
    }
  }
}

extension SnapshotLoad {
  /// One that came to nothing.
  fileprivate init(_ problems: [Problem]) {
    self.init(snapshot: nil, problems: problems, credentialProblem: nil, environmentNames: [])
  }
}
