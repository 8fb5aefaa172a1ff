internal import ChimeIdentity
package import Configuration
package import CredentialSupply
package import OpenSSLCrypto
internal import Glibc
internal import PolicyEngine
package import RateLimiting

/// What a load of the configuration came to.
package struct SnapshotLoad: Sendable {
  /// `nil` when an error stands in the way. One that is about certain tenants does not: their requests are refused.
  package let snapshot: Snapshot?
  /// Errors and warnings, in the order of files and places.
  package let problems: [Problem]
  /// The variables that the files refer to.
  package let environmentNames: Set<String>
  /// What was read for it.
  package var files = LoadedFiles()
}

package enum SnapshotLoader {
  /// Loads config, tenants, policies and credentials as `check` would judge them.
  /// - Parameters:
  ///   - meters: the same for every load of a process, so that a reload gives no tenant its burst anew.
  ///   - supply: the same as well, so that a reload keeps credentials that are still good.
  package static func load(
    configPath: String, files: any FileSource, environment: Environment, meters: TenantMeters,
    supply: CredentialKeeper
  ) -> SnapshotLoad {
    let operations = ChimeIdentity.Operation.allNames
    var (loaded, problems) = ConfigurationLoader.load(
      configPath: configPath, files: files, environment: environment, knownOperations: operations)
    problems +=
      loaded?.configuration.certificates.flatMap { $0.problems(at: SystemClock().wallClock()) } ?? []
    guard let loaded else { return SnapshotLoad(problems) }
    let (policies, found) = PolicySet.compile(
      documents: loaded.policies.documents, exceptions: loaded.policies.exceptions,
      tenants: loaded.tenants.tenants.map { TenantFacts($0) })
    problems += found
    guard !found.preventUse else { return SnapshotLoad(problems) }
    policies.prepare()
    let identities = supply.identities(for: loaded.configuration.upstream, loaded.tenants.tenants)
    return SnapshotLoad(
      snapshot: Snapshot(loaded, policies: policies, identities: identities, meters: meters),
      problems: problems, environmentNames: loaded.environmentNames)
  }
}

extension SnapshotLoad {
  /// One that came to nothing.
  fileprivate init(_ problems: [Problem]) {
    self.init(snapshot: nil, problems: problems, environmentNames: [])
  }
}
