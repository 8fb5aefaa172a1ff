internal import AuditTrail
internal import ChimeIdentity
internal import Configuration
internal import CredentialSupply
internal import PolicyEngine
internal import Primitives
internal import RateLimiting

/// A tenant as requests need it: what is configured, worked out once a load and shared by all requests of a snapshot, and
/// its meter, which outlives loads.
final class ServedTenant: Sendable {
  let configured: Tenant
  /// What the policies say about its requests, and what it may do at all.
  let policies: TenantPolicies
  let meter: TenantMeter
  /// `nil`: its rate is not limited.
  let rates: TenantRates?
  /// Requests in flight; `nil`: any number.
  let concurrency: Int?
  /// Of its requests against those of others, while all together want more than the account's quota.
  let weight: Double
  let needsCertificate: Bool
  /// Who signs its calls; `nil`: the gateway itself.
  let session: SigningIdentity?
  /// A bit for each region that it may call in.
  private let regions: UInt64
  /// Its limits as the store is told of them; `nil`: there is no store.
  let stored: StoredTenantLimits?

  /// - Parameter served: the regions of the configuration.
  init(
    _ configured: Tenant, policies: TenantPolicies, meter: TenantMeter, weight: Double,
    session: SigningIdentity?, regions served: PerRegion<String>, stored limits: StoredLimits?
  ) {
    self.configured = configured
    self.policies = policies
    self.meter = meter
    rates = configured.rateLimit.map { TenantRates($0) }
    concurrency = configured.rateLimit?.concurrency
    let (rates, concurrency) = (rates, concurrency)
    stored = limits.map {
      StoredTenantLimits(configured.id, rates, concurrency: concurrency, weight: weight, $0)
    }
    self.weight = weight
    needsCertificate = !configured.clientCertificates.isEmpty
    self.session = session
    var bits: UInt64 = 0
    for (place, name) in served.all.enumerated() where configured.regions?.contains(name) ?? true {
      bits |= 1 << UInt64(place)
    }
    regions = bits
  }

  func mayCall(in region: Int) -> Bool { regions >> UInt64(region) & 1 == 1 }
}

/// An access key of a tenant.
final class ServedKey: Sendable {
  let tenant: ServedTenant
  let id: Text
  /// The members that name both in the records of requests.
  let recordMembers: RecordMembers

  init(_ id: Text, of tenant: ServedTenant) {
    self.tenant = tenant
    self.id = id
    let (name, key) = (tenant.configured.id.utf8, id.utf8)
    recordMembers = RecordMembers {
      $0.tenant(name.span)
      $0.accessKeyId(key.span)
    }
  }
}

extension TenantRates {
  fileprivate init(_ configured: Tenant.RateLimit) {
    self.init(
      whole: GCRA(configured.rate), operations: configured.operations.compactMap { OfOperations($0) },
      perAppInstance: configured.perAppInstance.map { GCRA($0) })
  }
}

extension TenantRates.OfOperations {
  fileprivate init?(_ configured: Tenant.RateLimit.OfOperations) {
    let limit = GCRA(configured.rate)
    if configured.name == Tenant.RateLimit.reads {
      let reads = ChimeIdentity.Operation.allCases.filter(\.isRead)
      self.init(
        number: LimitScope.numberOfReads, operations: reads.reduce(0) { $0 | 1 << UInt64($1.rawValue) },
        limit: limit)
    } else {
      guard let operation = ChimeIdentity.Operation(name: Text(configured.name)) else { return nil }
      self.init(number: operation.rawValue, operations: 1 << UInt64(operation.rawValue), limit: limit)
    }
  }
}

extension GCRA {
  init(_ rate: GatewayConfiguration.Rate) {
    self.init(requestsPerSecond: rate.requestsPerSecond, burst: rate.burst)
  }
}
