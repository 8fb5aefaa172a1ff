internal import AuditTrail
package import Configuration
package import CredentialSupply
internal import ChimeIdentity
internal import HTTPWire
package import PolicyEngine
package import Primitives
package import RateLimiting
internal import SigV4

/// Everything that a reload can change, as of one load. A request uses the one it began with.
package final class Snapshot: Sendable {
  package let configuration: GatewayConfiguration
  package let tenants: TenantDirectory
  package let policies: PolicySet
  package let policyRevision: Text
  /// The documents that `policies` were made of.
  let policyFiles: PolicyFiles
  /// The member that names it in records.
  let revisionMember: RecordMembers
  /// Who signs: the gateway, and its tenants that have a role. Which credentials are in force changes without a load.
  package let identities: CredentialKeeper.Identities
  let identity: SigningIdentity
  private let verifier: Verifier
  /// Of all tenants; a key's `owner` is its place in `served`.
  private let accessKeys: AccessKeyTable
  private let served: [ServedKey]
  /// Of all tenants that were ever configured.
  let meters: TenantMeters
  /// What records show of sensitive values.
  let sensitivity: Sensitivity
  /// How long a request may take in all.
  let requestTimeoutNanoseconds: Int64
  /// How long one may wait for its turn within its tenant's rate.
  let rateQueueNanoseconds: Int64
  /// How often one is sent at most.
  let attempts: Int
  /// Per source address; `nil`: no limit.
  let sourceLimit: GCRA?
  /// The limits as the store is told of them; `nil`: they are counted here.
  let stored: StoredLimits?
  /// Whether some peers are proxies, which say for whom they ask.
  let hasTrustedProxies: Bool

  /// - Parameter meters: those of the process.
  package init(
    _ loaded: LoadedConfiguration, policies: PolicySet, identities: CredentialKeeper.Identities,
    meters: TenantMeters
  ) {
    configuration = loaded.configuration
    tenants = loaded.tenants
    self.policies = policies
    policyFiles = loaded.policies
    let revision = Text(loaded.policies.revision)
    policyRevision = revision
    revisionMember = RecordMembers { $0.policyRevision(revision.utf8.span) }
    self.identities = identities
    identity = identities.gateway
    let regions = configuration.upstream.regions
    verifier = Verifier(
      VerifierSettings(
        scopes: regions.map { SigningScope(region: Text($0.name)) },
        clockSkewNanoseconds: configuration.authentication.clockSkew.nanoseconds))
    var (served, keys): ([ServedKey], [VerificationKey]) = ([], [])
    rateQueueNanoseconds = min(
      configuration.rateLimit.queueFor.nanoseconds, configuration.upstream.requestTimeout.nanoseconds)
    let stored = StoredLimits(configuration.rateLimit, rateQueueFor: rateQueueNanoseconds)
    self.stored = stored
    let meanRate = Self.meanRate(of: loaded.tenants.tenants)
    for configured in loaded.tenants.tenants {
      let tenant = ServedTenant(
        configured,
        policies: policies.policies(for: TenantFacts(configured)),
        meter: meters.meter(of: configured.id),
        weight: configured.rateLimit?.rate.requestsPerSecond ?? meanRate,
        session: identities.session(of: configured.id), regions: regions.map(\.name),
        stored: stored)
      for key in configured.accessKeys {
        keys.append(VerificationKey(key, owner: served.count))
        served.append(ServedKey(key.id, of: tenant))
      }
    }
    self.served = served
    accessKeys = AccessKeyTable(keys)
    self.meters = meters
    sensitivity = Sensitivity(configuration.audit.sensitive)
    requestTimeoutNanoseconds = configuration.upstream.requestTimeout.nanoseconds
    attempts = configuration.upstream.retry.attempts
    hasTrustedProxies = !configuration.trustedProxies.isEmpty
    sourceLimit = configuration.rateLimit.perSourceAddress.map { GCRA($0) }
  }

  /// What a tenant without a rate of its own weighs.
  private static func meanRate(of tenants: [Tenant]) -> Double {
    let rates = tenants.compactMap { $0.rateLimit?.rate.requestsPerSecond }
    return rates.isEmpty ? 1 : rates.reduce(0) { $0 + $1 / Double(rates.count) }
  }

  /// Puts the tenants' rates in force.
  func changeMeters(now: MonotonicInstant) {
    for key in served {
      if let rates = key.tenant.rates { key.tenant.meter.change(to: rates, now: now) }
    }
  }
}

extension VerificationKey {
  fileprivate convenience init(_ key: Tenant.AccessKey, owner: Int) {
    self.init(
      id: key.id, secret: key.secret, sessionToken: key.sessionToken, isRevoked: key.status == .revoked,
      notAfter: key.notAfter, owner: owner)
  }
}

extension Snapshot {
  /// Whose signature the request bears, and that it is good; see `Verifier`.
  func verify(
    _ head: RequestHead, canonicalQuery: Span<UInt8>, body: ByteSlice, now: WallClockTime,
    workspace: inout SigningWorkspace
  ) throws(AuthenticationFailure) -> (caller: AuthenticatedCaller, key: ServedKey) {
    let caller = try verifier.verify(
      head, canonicalQuery: canonicalQuery, body: head[body], now: now, keys: accessKeys,
      workspace: &workspace)
    return (caller, served[caller.key.owner])
  }

  /// What is judged of a request whose body is not here; see `Verifier`.
  func check(
    _ head: RequestHead, now: WallClockTime, workspace: inout SigningWorkspace
  ) throws(AuthenticationFailure) {
    try verifier.check(head, now: now, keys: accessKeys, workspace: &workspace)
  }
}
