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
  let credential: TenantCredential
  let caller: AuthenticatedCaller
  fileprivate init(
    _ call: Call, _ target: IdentifiedCall, _ credential: TenantCredential, _ caller: AuthenticatedCaller
  ) {
    self.call = call
    self.target = target
    self.credential = credential
    self.caller = caller
  }
}

extension Worker {
  /// The caller's SigV4 signature and, where its tenant asks for one, its client certificate.
  func authenticate(_ identified: consuming Identified) throws(Refusal) -> Verified {
    let call = identified.call
    let target = identified.target
    var found: TenantCredential?
    let caller: AuthenticatedCaller
    do throws(AuthenticationFailure) {
      caller = try call.snapshot.verifier.verify(
        call.head, canonicalQuery: target.upstreamQuery, body: call.body[...], now: call.time,
        workspace: &signing,
        lookup: { id in
          found = call.snapshot.tenants.credential(forAccessKeyID: id)
          return found?.verificationKey
        })
    } catch {
      call.accessKeyId = Verifier.claimedAccessKeyId(call.head)
      throw .unauthenticated(error)
    }
    guard let credential = found else { throw .unauthenticated(.unrecognized(.unknown)) }
    call.accessKeyId = caller.accessKeyId
    call.tenant = credential.tenant.id
    if caller.isSigned(.gatehouseActor) { call.actor = call.text(of: .gatehouseActor) }
    try checkCertificate(call, of: credential.tenant)
    return Verified(call, target, credential, caller)
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

extension TenantCredential {
  fileprivate var verificationKey: VerificationKey {
    VerificationKey(
      id: key.id, secret: key.secret, sessionToken: key.sessionToken, isRevoked: key.status == .revoked,
      notAfter: key.notAfter)
  }
}
