internal import Configuration
internal import PolicyEngine
internal import RateLimiting

/// A tenant as requests need it: what is configured, worked out once a load, and its meter, which outlives loads.
final class ServedTenant: Sendable {
  let configured: Tenant
  /// Its place in the snapshot's list.
  let index: Int
  /// What the policies say about its requests, and what it may do.
  let policies: TenantPolicies
  let meter: TenantMeter
  /// `nil`: its rate is not limited.
  let rate: GCRA?
  /// Requests in flight; `nil`: any number.
  let concurrency: Int?

  init(_ configured: Tenant, index: Int, policies: TenantPolicies, meter: TenantMeter) {
    self.configured = configured
    self.index = index
    self.policies = policies
    self.meter = meter
    rate = configured.rateLimit.map { GCRA(requestsPerSecond: $0.requestsPerSecond, burst: $0.burst) }
    concurrency = configured.rateLimit?.concurrency
  }
}
