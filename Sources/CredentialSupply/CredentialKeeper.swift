package import Configuration
internal import CredentialSources
internal import OpenSSLCrypto
package import Primitives
internal import SigV4
internal import Synchronization
internal import Threads
internal import Transport

/// Keeps the gateway's credentials and its tenants' sessions fresh, on a loop of its own: no request waits for a source
/// that hangs, and neither start nor reload does. The loop is there only once something has to be asked for.
package final class CredentialKeeper: Sendable {
  /// What operators are told once when it begins and once when it ends.
  package enum Event: Sendable {
    /// - Parameter isHeld: whether there are credentials that still serve.
    case failing(tenant: Text?, isHeld: Bool, problem: String)
    /// Nanoseconds.
    case recovered(tenant: Text?, after: Int64)
    /// The first credentials came.
    case supplied
  }

  /// What one identity's credentials come from.
  enum Origin: Sendable {
    case settings(GatewayConfiguration.CredentialSettings)
    /// A role that the gateway's own credentials assume.
    case role(GatewayConfiguration.RoleToAssume)
  }

  struct Entry: Sendable {
    let identity: SigningIdentity
    let origin: Origin
    let fingerprint: Fingerprint
    let region: String
    let stsEndpoint: UpstreamEndpoint?
  }

  struct Fingerprint: Hashable, Sendable {
    let settings: SHA256Digest
    var tenant: Text?
    var role: Tenant.Role?
  }

  /// What a load came to: the gateway's identity and the tenants' that have a role.
  package struct Identities: Sendable {
    let own: Entry
    let sessions: [Text: Entry]

    package var gateway: SigningIdentity { own.identity }
    package func session(of tenant: Text) -> SigningIdentity? { sessions[tenant]?.identity }
  }

  struct State {
    var inForce: Identities?
    var loop: EventLoop?
    var isClosed = false
    /// Tenants' identities that hold a session.
    var live: [SigningIdentity] = []
  }

  /// That many sessions are held at a time; the one that was used longest ago makes room.
  static let mostSessions = 1000

  let surroundings: CredentialSurroundings
  let clock: any TimeSource
  let entropy: any Entropy
  let state = Mutex(State())
  let resolver = Resolver()
  let programs = ProgramRunner()
  let report = Mutex<@Sendable (Event) -> Void>({ _ in })

  package init(_ surroundings: CredentialSurroundings, clock: any TimeSource, entropy: any Entropy) {
    self.surroundings = surroundings
    self.clock = clock
    self.entropy = entropy
  }

  /// What `configuration` and `tenants` name. Sources that are as before keep what they have given. Nothing is asked for
  /// yet but what lies in the environment and in files.
  package func identities(
    for upstream: GatewayConfiguration.Upstream, _ tenants: [Tenant]
  ) -> Identities {
    let known = state.withLock { $0.inForce }
    let settings = upstream.credentials
    let fingerprint = Fingerprint(settings: settings.fingerprint)
    let places = upstream.regions.map {
      (scope: SigningScope(region: Text($0.name)), host: Array($0.endpoint.authority.utf8))
    }
    let makeSigners: @Sendable (Credentials) -> PerRegion<Signer> = { credentials in
      places.map { Signer($0.scope, credentials: credentials, host: $0.host) }
    }
    func entry(_ fingerprint: Fingerprint, _ origin: Origin) -> Entry {
      Entry(
        identity: SigningIdentity(of: fingerprint.tenant, makeSigners: makeSigners), origin: origin,
        fingerprint: fingerprint, region: upstream.region,
        stsEndpoint: settings.stsEndpoint)
    }
    var own = known?.own
    if own?.fingerprint != fingerprint { own = nil }
    let gateway = own ?? entry(fingerprint, .settings(settings))
    takeWhatIsHere(gateway)
    var sessions: [Text: Entry] = [:]
    for tenant in tenants {
      guard let role = tenant.role else { continue }
      let fingerprint = Fingerprint(settings: fingerprint.settings, tenant: tenant.id, role: role)
      if let same = known?.sessions[tenant.id], same.fingerprint == fingerprint {
        sessions[tenant.id] = same
      } else {
        let id = tenant.id.string
        sessions[tenant.id] = entry(
          fingerprint,
          .role(
            .init(
              roleArn: role.arn, sessionName: id, sourceIdentity: role.setsSourceIdentity ? id : nil)))
      }
    }
    return Identities(own: gateway, sessions: sessions)
  }

  /// From now on these are kept fresh, and no others.
  package func putInForce(_ identities: Identities) {
    let before = state.withLock { state in
      defer { state.inForce = identities }
      return state.inForce
    }
    var kept = Set(identities.sessions.values.map { ObjectIdentifier($0.identity) })
    kept.insert(ObjectIdentifier(identities.gateway))
    for entry in before.map({ [$0.own] + $0.sessions.values }) ?? []
    where !kept.contains(ObjectIdentifier(entry.identity)) {
      retire(entry.identity)
    }
    for entry in [identities.own] + identities.sessions.values {
      entry.identity.state.withLock { $0.isStarted = true }
    }
    step(identities.own)
  }

  package func reporting(to report: @escaping @Sendable (Event) -> Void) {
    self.report.withLock { $0 = report }
  }

  /// Ends what runs. What is in force stays.
  package func close() {
    programs.close()
    let loop = state.withLock { state in
      state.isClosed = true
      return state.loop
    }
    loop?.spawn { loop?.stop() }
  }

  private func retire(_ identity: SigningIdentity) {
    let waiters = identity.state.withLock { state in
      state.isRetired = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.finish(false) }
  }

  /// Credentials that need nobody to be asked are in force at once, also those that a file has since a reload.
  private func takeWhatIsHere(_ entry: Entry) {
    guard case .settings(let settings) = entry.origin,
      case .ready(let credentials, let origin)? = try? CredentialPlanner.plan(settings, surroundings.reader)
    else { return }
    let (now, wall) = (clock.monotonic(), clock.wallClock())
    if let end = credentials.expiration, end <= wall { return }
    entry.identity.state.withLock { state in
      guard !state.machine.isAsking else { return }
      _ = state.machine.succeeded(end: credentials.expiration, wall: wall, entropy: entropy)
      state.status.source = origin.rawValue
      entry.identity.put(credentials, &state, now: now, wall: wall)
    }
  }

  /// The loop, which begins with the first call; `nil` when the system has none to give, or all is over.
  func loop() -> EventLoop? {
    state.withLock { state in
      guard !state.isClosed else { return nil }
      if let loop = state.loop { return loop }
      guard let loop = try? EventLoop(clock: clock), let thread = try? PosixThread({ loop.run() }) else {
        return nil
      }
      thread.abandon()
      state.loop = loop
      return loop
    }
  }
}
