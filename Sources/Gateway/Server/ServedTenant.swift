internal import Configuration
internal import PolicyEngine

/// A tenant as requests need it: made once a load, shared by all requests of a snapshot.
final class ServedTenant: Sendable {
  let configured: Tenant
  /// Its place in the snapshot's list.
  let index: Int
  /// What the policies say about its requests, and what it may do.
  let policies: TenantPolicies

  init(_ configured: Tenant, index: Int, policies: TenantPolicies) {
    self.configured = configured
    self.index = index
    self.policies = policies
  }
}
