internal import ChimeIdentity
internal import Configuration
internal import Patterns
internal import PolicyEngine
internal import Primitives
internal import SigV4
internal import StrictJSON

/// A request that stays within its tenant; made by `confine`.
struct Confined: ~Copyable {
  let call: Call
  let target: IdentifiedCall
  let tenant: ServedTenant
  let caller: AuthenticatedCaller
  let document: JSONDocument?
  fileprivate init(_ verified: borrowing Verified, _ document: JSONDocument?) {
    call = verified.call
    target = verified.target
    tenant = verified.tenant
    caller = verified.caller
    self.document = document
  }
}

extension Worker {
  /// The tenant's operations, and its AppInstances in body, path and query.
  func confine(_ verified: consuming Verified) throws(Refusal) -> Confined {
    let call = verified.call
    let tenant = verified.tenant.configured
    let parsed = Result { () throws(Refusal) in try parse(call.body) }
    // Before anything is refused, so that the journal tells about whom it was, as far as the request can be read.
    call.received = GovernedRequest(call: verified.target, document: try? parsed.get())
    if let violation = TenantConfinement.violation(
      of: verified.target.operation, by: tenant.id, allowed: tenant.operations)
    {
      throw .notTheTenants(violation)
    }
    let document = try parsed.get()
    let subjects: [ConfinementSubject]
    do {
      subjects = try ModelValidator.confinementSubjects(of: verified.target, document: document)
    } catch {
      throw .breaksModel(error)
    }
    if let violation = TenantConfinement.violation(
      of: subjects, by: tenant.id, allowed: tenant.appInstances)
    {
      throw .notTheTenants(violation)
    }
    return Confined(verified, document)
  }

  private func parse(_ body: [UInt8]) throws(Refusal) -> JSONDocument? {
    guard !body.isEmpty else { return nil }
    do {
      return try JSONDocument(parsing: body)
    } catch {
      throw .notStrictJSON(error)
    }
  }
}
