internal import ChimeIdentity
internal import Configuration
internal import HTTPWire
internal import PolicyEngine
internal import Primitives
internal import SigV4

/// A request that stays within its tenant; made by `confine`.
struct Confined: ~Copyable {
  let call: Call
  let target: IdentifiedCall
  let tenant: ServedTenant
  let caller: AuthenticatedCaller
  let content: ConfinedRequest
  fileprivate init(_ verified: borrowing Verified, _ content: consuming ConfinedRequest) {
    call = verified.call
    target = verified.target
    tenant = verified.tenant
    caller = verified.caller
    self.content = content
  }
}

extension Worker {
  /// The tenant's operations, and its AppInstances in body, path and query.
  func confine(_ verified: consuming Verified) throws(Refusal) -> Confined {
    let judged = JudgedRequest(
      verified.target, in: verified.call.head.bytes, body: verified.call.bodyRange)
    // Before anything is refused, so that the journal tells about whom it was, as far as the request can be read.
    verified.call.judged = judged
    do {
      return Confined(verified, try judged.confine(to: verified.tenant.policies))
    } catch {
      throw Refusal(error)
    }
  }
}
