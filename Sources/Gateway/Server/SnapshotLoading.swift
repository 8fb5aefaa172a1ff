internal import ChimeIdentity
package import Configuration
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
}

package enum SnapshotLoader {
  /// Loads config, tenants, policies and credentials as `check` would judge them.
  /// - Parameter meters: the same for every load of a process, so that a reload gives no tenant its burst anew.
  package static func load(
    configPath: String, files: any FileSource, environment: [String: String], meters: TenantMeters
  ) -> SnapshotLoad {
    let operations = ChimeIdentity.Operation.allCases.map(\.name)
    var (loaded, problems) = ConfigurationLoader.load(
      configPath: configPath, files: files, environment: environment, knownOperations: operations)
    guard let loaded else { return SnapshotLoad(snapshot: nil, problems: problems, credentialProblem: nil) }
    let (policies, found) = PolicySet.compile(
      documents: loaded.policies.documents,
      tenants: loaded.tenants.tenants.map { TenantFacts($0) })
    problems += found
    guard !found.preventUse else {
      return SnapshotLoad(snapshot: nil, problems: problems, credentialProblem: nil)
    }
    policies.prepare()
    do {
      let credentials = try CredentialProvider.load(
        loaded.configuration.upstream.credentials, environment: environment,
        readText: { path in (try? files.read(path)).map { String(decoding: $0.bytes, as: UTF8.self) } })
      return SnapshotLoad(
        snapshot: Snapshot(loaded, policies: policies, credentials: credentials, meters: meters),
        problems: problems,
        credentialProblem: nil)
    } catch {
      return SnapshotLoad(
        snapshot: Snapshot(loaded, policies: policies, credentials: nil, meters: meters), problems: problems,
        credentialProblem: "\(error)")
    }
  }
}
