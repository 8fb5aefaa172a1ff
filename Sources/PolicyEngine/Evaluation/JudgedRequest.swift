package import ChimeIdentity
package import Primitives
package import StrictJSON

/// Why a request is not forwarded, of all that its own content can be the reason for.
package enum JudgementRefusal: Error, Sendable {
  case notStrictJSON(JSONSyntaxError)
  /// The operation or an AppInstance is not the tenant's.
  case notTheTenants(Violation)
  case breaksModel(ModelViolation)
  /// Policies refuse it.
  case denied([Violation])
}

/// One request and what is found out about it, from reading its body to the body that is forwarded.
///
/// Judgement has two steps, because the tenant's limits stand between them: `confine` says whether the request is the
/// tenant's to make; `validate` and `decide` hold it against the API model and against all policies. The gateway, `explain`,
/// policy tests and replays all take this way, so that none can judge otherwise than the others. It is pure.
///
/// A reference, because the proofs of the steps and the record of a request that some step refused need the same facts.
/// It belongs to one task, and its memory can be used again for another request.
package final class JudgedRequest {
  /// Together, so that a step has to be given access to them once.
  fileprivate struct State: ~Copyable {
    var call: IdentifiedCall
    var facts: GovernedRequest
    var decision = Decision()
    var isDecided = false
    var syntaxError: JSONSyntaxError?

    init(_ call: IdentifiedCall) {
      self.call = call
      facts = GovernedRequest(operation: call.operation)
    }
  }

  private var state: State

  package var call: IdentifiedCall { state.call }
  /// The facts, as far as the request can be read: a body that is not strict JSON tells none.
  package var facts: GovernedRequest {
    _read { yield state.facts }
  }
  /// Lends the facts. On the request's path: a read of `facts` from another module allocates the frame of a coroutine.
  @inline(__always)
  package func withFacts<R>(_ use: (borrowing GovernedRequest) -> R) -> R { use(state.facts) }

  package var decision: Decision { state.decision }
  /// Whether nothing is found wrong; without a copy of the decision.
  package var isAllowed: Bool { state.decision.violations.isEmpty }
  package var hasWarnings: Bool { !state.decision.warnings.isEmpty }
  /// Whether a `warn` policy would have changed something.
  package var wouldBeChanged: Bool { !state.decision.wouldChange.isEmpty }
  /// Whether policies were asked.
  package var isDecided: Bool { state.isDecided }

  /// - Parameters:
  ///   - bytes: the buffer that the request came in; it is shared, not copied.
  ///   - body: where the body stands in it; empty when there is none.
  ///   - tenant: who probably makes it, and so which AppInstances it is probably about. It makes reading cheaper, and
  ///     what is read is the same.
  package init(
    _ call: IdentifiedCall, in bytes: [UInt8], body: Range<Int>, by tenant: TenantPolicies? = nil
  ) {
    state = State(call)
    state.read(bytes, body, tenant)
  }

  package convenience init(_ call: IdentifiedCall, body: [UInt8]) {
    self.init(call, in: body, body: 0..<body.count)
  }

  /// Takes another request, in the same memory.
  package func reuse(
    for call: IdentifiedCall, in bytes: [UInt8], body: Range<Int>, by tenant: TenantPolicies? = nil
  ) {
    state.reuse(for: call, bytes, body, tenant)
  }

  /// Drops everything about the request, its bytes too, and keeps the memory.
  package func removeAll() { state.removeAll() }

  /// Step one: the tenant's operations, and its AppInstances in body, path and query.
  package func confine(to tenant: TenantPolicies) throws(JudgementRefusal) -> ConfinedRequest {
    try state.confine(to: tenant)
    return ConfinedRequest(self, tenant)
  }

  fileprivate func validate() throws(JudgementRefusal) { try state.validate() }

  fileprivate func decide(
    by tenant: TenantPolicies, at now: WallClockTime, fillingIn token: (borrowing GovernedRequest) -> Text,
    body: inout ByteBuffer
  ) throws(JudgementRefusal) -> ForwardedBody {
    try state.decide(by: tenant, at: now, fillingIn: token, body: &body)
  }
}

extension JudgedRequest.State {
  fileprivate mutating func reuse(
    for call: IdentifiedCall, _ bytes: [UInt8], _ body: Range<Int>, _ tenant: TenantPolicies?
  ) {
    removeAll()
    self.call = call
    read(bytes, body, tenant)
  }

  fileprivate mutating func removeAll() {
    facts.removeAll()
    // Nearly always there is nothing to be let go of.
    if !decision.isEmpty { decision = Decision() }
    isDecided = false
    if syntaxError != nil { syntaxError = nil }
  }

  fileprivate mutating func read(_ bytes: [UInt8], _ body: Range<Int>, _ tenant: TenantPolicies?) {
    do throws(JSONSyntaxError) {
      try facts.read(call, in: bytes, body: body, tenant?.knownAppInstances)
    } catch {
      syntaxError = error
    }
  }

  fileprivate borrowing func confine(to tenant: TenantPolicies) throws(JudgementRefusal) {
    if let violation = TenantConfinement.violation(of: call.operation, by: tenant) {
      throw .notTheTenants(violation)
    }
    if let syntaxError { throw .notStrictJSON(syntaxError) }
    guard !TenantConfinement.surelyKeeps(call, facts, to: tenant) else { return }
    try lookForViolation(by: tenant)
  }

  /// Looks at each member that confines the request.
  private borrowing func lookForViolation(by tenant: TenantPolicies) throws(JudgementRefusal) {
    let violation: Violation?
    do {
      violation = try TenantConfinement.violation(of: call, document: facts.document, by: tenant)
    } catch {
      throw .breaksModel(error)
    }
    if let violation { throw .notTheTenants(violation) }
  }

  fileprivate borrowing func validate() throws(JudgementRefusal) {
    do {
      try ModelValidator.validate(call, document: facts.document)
    } catch {
      throw .breaksModel(error)
    }
  }

  fileprivate mutating func decide(
    by tenant: TenantPolicies, at now: WallClockTime, fillingIn token: (borrowing GovernedRequest) -> Text,
    body: inout ByteBuffer
  ) throws(JudgementRefusal) -> ForwardedBody {
    tenant.evaluate(&facts, at: now, &decision)
    isDecided = true
    guard decision.isAllowed else { throw .denied(decision.violations) }
    if facts.lacksClientRequestToken {
      let token = token(facts).utf8
      facts.fillClientRequestToken(token.span)
    }
    guard facts.changeCount > 0 else { return .asReceived }
    facts.writeBody(to: &body)
    return .written
  }
}

/// A request that stays within its tenant; only `JudgedRequest.confine` makes it.
package struct ConfinedRequest: ~Copyable {
  package let judged: JudgedRequest
  package let tenant: TenantPolicies

  fileprivate init(_ judged: JudgedRequest, _ tenant: TenantPolicies) {
    self.judged = judged
    self.tenant = tenant
  }

  /// The first half of step two: the API model.
  package consuming func validate() throws(JudgementRefusal) -> ValidRequest {
    try judged.validate()
    return ValidRequest(judged, tenant)
  }
}

/// A request of its tenant's that the API model allows; only `ConfinedRequest.validate` makes it.
package struct ValidRequest: ~Copyable {
  package let judged: JudgedRequest
  package let tenant: TenantPolicies

  fileprivate init(_ judged: JudgedRequest, _ tenant: TenantPolicies) {
    self.judged = judged
    self.tenant = tenant
  }

  /// The second half of step two: every policy that matches, on the facts of the request. What they change, and a
  /// ClientRequestToken that the caller left out, is written into a body anew; otherwise the body goes through untouched.
  ///
  /// - Parameters:
  ///   - now: until when exceptions hold.
  ///   - token: gives what a missing ClientRequestToken is filled in with.
  ///   - body: where a body that is written anew is appended.
  package consuming func decide(
    at now: WallClockTime, fillingIn token: (borrowing GovernedRequest) -> Text, body: inout ByteBuffer
  ) throws(JudgementRefusal) -> ForwardedBody {
    try judged.decide(by: tenant, at: now, fillingIn: token, body: &body)
  }

  /// The same, with every verdict that led to the decision.
  ///
  /// - Parameter token: `nil` leaves a missing ClientRequestToken missing.
  package consuming func explain(at now: WallClockTime, fillingIn token: Text?) -> Explanation {
    tenant.explain(judged.facts, at: now, fillingIn: token)
  }
}

package enum ForwardedBody: Sendable {
  /// The bytes that came.
  case asReceived
  /// What was written anew from the facts.
  case written
}
