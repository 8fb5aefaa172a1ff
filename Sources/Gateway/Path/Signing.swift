internal import CredentialSupply
internal import Primitives
internal import SigV4
internal import Transport

/// The gateway's own credentials, as a worker remembers them.
struct OwnCredentials {
  let version: Int
  /// The first region's, at hand.
  let signer: Signer?
  let signers: PerRegion<Signer>?
  let end: WallClockTime?

  /// Nothing was looked at yet.
  init() { (version, signer, signers, end) = (0, nil, nil, nil) }

  init(_ inForce: (version: Int, held: SigningIdentity.Held?)) {
    version = inForce.version
    (signer, signers, end) = (inForce.held?.signers.first, inForce.held?.signers, inForce.held?.end)
  }
}

/// With whose credentials requests go on: the gateway's own, or the session of a tenant that has a role, and never the one
/// for the other.
extension Worker {
  /// What signs for `tenant` in a region now; `nil` when there is nothing that has not ended.
  func signer(for tenant: ServedTenant, in region: Int, _ snapshot: Snapshot) -> Signer? {
    guard let session = tenant.session else { return ownSigner(in: region, snapshot) }
    return session.signer(in: region, at: loop.turnBeganAt, now: loop.turnBegan)
  }

  /// Asked with each request: only when other credentials came to be in force is anything looked up.
  private func ownSigner(in region: Int, _ snapshot: Snapshot) -> Signer? {
    guard hasOwnSigner(snapshot) else { return nil }
    guard region == 0 else { return otherSigner(in: region) }
    return own.signer
  }

  private func hasOwnSigner(_ snapshot: Snapshot) -> Bool {
    if snapshot.identity.version != own.version { own = OwnCredentials(snapshot.identity.inForce) }
    if let end = own.end, end <= loop.turnBeganAt { return false }
    return own.signer != nil
  }

  // Apart, so that what it takes out is counted where there are several regions only.
  @inline(never)
  private func otherSigner(in region: Int) -> Signer? { own.signers?[region: region] }

  /// Before anything is paid for: a request that nobody can sign is refused. A tenant's session is made when its first
  /// request comes, which waits for it.
  @inline(__always)
  func needSigner(for tenant: ServedTenant, in region: Int, _ call: Call) async throws(Refusal) {
    guard tenant.session == nil else { return try await needSession(of: tenant, in: region, call) }
    guard hasOwnSigner(call.snapshot) else { throw .noCredentials }
  }

  private func needSession(of tenant: ServedTenant, in region: Int, _ call: Call) async throws(Refusal) {
    guard signer(for: tenant, in: region, call.snapshot) == nil else { return }
    _ = await refreshSigner(of: tenant, replacing: nil, call)
    guard signer(for: tenant, in: region, call.snapshot) != nil else { throw .noSession }
  }

  /// Has other credentials asked for than `signer`'s.
  /// - Returns: whether there are some.
  func refreshSigner(of tenant: ServedTenant, replacing signer: Signer?, _ call: Call) async -> Bool {
    let left = call.snapshot.requestTimeoutNanoseconds - loop.turnBegan.nanoseconds(since: call.receivedAt)
    guard left > 0 else { return false }
    return await shared.supply.refresh(
      tenant.session ?? call.snapshot.identity, replacing: signer, on: loop, within: left)
  }
}
