internal import PolicyEngine
internal import Primitives

/// A request that stays within its tenant; made by `confine`. Its facts are read, and belong to `content`.
struct Confined: ~Copyable {
  let verified: Verified
  let content: ConfinedRequest

  fileprivate init(_ verified: consuming Verified, _ content: consuming ConfinedRequest) {
    self.verified = verified
    self.content = content
  }
}

extension Worker {
  /// Reads the body, and holds the request to the tenant's operations, to its AppInstances in body, path and query, and to
  /// its regions.
  func confine(_ verified: consuming Verified) throws(Refusal) -> Confined {
    let call = verified.call
    let policies = verified.tenant.policies
    let judged = takeJudged(for: verified.identified.target, of: call, by: policies)
    // Before anything is refused, so that the journal tells about whom it was, as far as the request can be read.
    call.trail.judged = judged
    do throws(JudgementRefusal) {
      let content = try judged.confine(to: policies)
      let region = verified.region
      if !verified.tenant.mayCall(in: region),
        let violation = policies.violation(in: Text(shared.regions[region: region].name))
      {
        throw JudgementRefusal.notTheTenants(violation)
      }
      return Confined(verified, content)
    } catch {
      throw Refusal(error)
    }
  }
}
