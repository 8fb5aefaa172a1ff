package import Configuration
internal import ChimeIdentity
package import PolicyEngine
package import Primitives
package import SigV4

/// Everything that a reload can change, as of one load. A request uses the one it began with.
package final class Snapshot: Sendable {
  package let configuration: GatewayConfiguration
  package let tenants: TenantDirectory
  package let policies: PolicySet
  package let policyRevision: Text
  /// The gateway's own; `nil` when there are none, and then nothing is forwarded.
  package let credentials: Credentials?
  let verifier: Verifier
  let signer: Signer

  package init(_ loaded: LoadedConfiguration, policies: PolicySet, credentials: Credentials?) {
    configuration = loaded.configuration
    tenants = loaded.tenants
    self.policies = policies
    policyRevision = Text(loaded.policies.revision)
    self.credentials = credentials
    let region = Text(configuration.upstream.region)
    verifier = Verifier(
      VerifierSettings(
        region: region,
        clockSkewNanoseconds: configuration.authentication.clockSkew.nanoseconds))
    signer = Signer(region: region)
  }
}

extension Snapshot {
  /// What the policies say about a tenant's requests, and what the tenant may do.
  func policies(of tenant: Tenant) -> TenantPolicies {
    policies.policies(forTenant: tenant.id) ?? policies.policies(for: TenantFacts(tenant))
  }

  /// The gateway's credentials, unless they have ended.
  package func usableCredentials(at now: WallClockTime) -> Credentials? {
    guard let credentials else { return nil }
    if let end = credentials.expiration, end <= now { return nil }
    return credentials
  }
}
