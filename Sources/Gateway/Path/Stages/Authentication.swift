internal import Transport
internal import ChimeIdentity
internal import Configuration
internal import HTTPWire
internal import Primitives
internal import SigV4

/// A request whose signature proves its tenant; made by `authenticate`.
struct Verified: ~Copyable {
  let call: Call
  let target: IdentifiedCall
  let tenant: ServedTenant
  let caller: AuthenticatedCaller
  fileprivate init(
    _ call: Call, _ target: IdentifiedCall, _ tenant: ServedTenant, _ caller: AuthenticatedCaller
  ) {
    self.call = call
    self.target = target
    self.tenant = tenant
    self.caller = caller
  }
}

extension Worker {
  /// The caller's SigV4 signature and, where its tenant asks for one, its client certificate.
  func authenticate(_ identified: consuming Identified) throws(Refusal) -> Verified {
    let call = identified.call
    let target = identified.target
    let (query, body) = (target.upstreamQuery, call.body)
    let caller: AuthenticatedCaller
    do throws(AuthenticationFailure) {
      caller = try call.snapshot.verifier.verify(
        call.head, canonicalQuery: query.span, body: body.span, now: call.time,
        keys: call.snapshot.accessKeys, workspace: &signing)
    } catch {
      call.accessKeyId = Verifier.claimedAccessKeyId(call.head)
      throw .unauthenticated(error)
    }
    let tenant = call.snapshot.served[caller.key.owner]
    call.accessKeyId = caller.key.id
    call.tenant = tenant.configured.id
    if caller.isSigned(.gatehouseActor) { call.actor = call.text(of: .gatehouseActor) }
    try checkCertificate(call, of: tenant.configured)
    return Verified(call, target, tenant, caller)
  }

  private func checkCertificate(_ call: Call, of tenant: Tenant) throws(Refusal) {
    guard !tenant.clientCertificates.isEmpty else { return }
    let names = call.connection.peerNames
    guard !names.isEmpty else { throw .certificateMissing(tenant: tenant.id) }
    guard names.contains(where: tenant.clientCertificates.contains) else {
      throw .certificateOfAnother(tenant: tenant.id)
    }
  }
}
