internal import ChimeIdentity
internal import Configuration
internal import HTTPWire
internal import Primitives
internal import SigV4

/// A request whose signature proves its tenant; made by `authenticate`.
struct Verified: ~Copyable {
  let identified: Identified
  let tenant: ServedTenant
  /// By whose signature and body hash a repeat is told from another request.
  let caller: AuthenticatedCaller

  fileprivate init(_ identified: consuming Identified, _ tenant: ServedTenant, _ caller: AuthenticatedCaller)
  {
    self.identified = identified
    self.tenant = tenant
    self.caller = caller
  }

  var call: Call { identified.arrived.call }
  /// The place of the region that it is for.
  var region: Int { caller.region }
}

extension Worker {
  /// The caller's SigV4 signature and, where its tenant asks for one, its client certificate.
  func authenticate(_ identified: consuming Identified) throws(Refusal) -> Verified {
    let call = identified.arrived.call
    let head = call.head
    try refuseRepeats(in: head)
    // A span can only be lent from a local.
    let query = identified.target.upstreamQuery
    let (caller, key): (AuthenticatedCaller, ServedKey)
    do throws(AuthenticationFailure) {
      (caller, key) = try call.snapshot.verify(
        head, canonicalQuery: query.span, body: call.body, now: call.time, workspace: &signing)
    } catch {
      call.trail.claimedAccessKeyId = Verifier.claimedAccessKeyId(head)
      throw .unauthenticated(error)
    }
    let tenant = key.tenant
    call.trail.key = key
    if caller.isSigned(.gatehouseActor) { call.trail.actor = call.text(of: .gatehouseActor) }
    if tenant.needsCertificate { try checkCertificate(call.peer, of: tenant.configured) }
    return Verified(identified, tenant, caller)
  }

  /// Of two lines only one would be recorded, or go on, whatever the caller meant by the other.
  private func refuseRepeats(in head: RequestHead) throws(Refusal) {
    guard head.count(of: .gatehouseActor) <= 1 else { throw .givenTwice("X-Gatehouse-Actor") }
    guard head.count(of: .contentType) <= 1 else { throw .givenTwice("Content-Type") }
  }

  private func checkCertificate(_ peer: Peer, of tenant: Tenant) throws(Refusal) {
    guard !peer.certificateNames.isEmpty else { throw .certificateMissing(tenant: tenant.id) }
    guard peer.certificateNames.contains(where: tenant.clientCertificates.contains) else {
      throw .certificateOfAnother(tenant: tenant.id)
    }
  }
}
