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
  /// Reads the body, and holds the request to the tenant's operations and its AppInstances in body, path and query.
  func confine(_ verified: consuming Verified) throws(Refusal) -> Confined {
    let call = verified.call
    let policies = verified.tenant.policies
    let judged = takeJudged(for: verified.identified.target, of: call, by: policies)
    // Before anything is refused, so that the journal tells about whom it was, as far as the request can be read.
    call.trail.judged = judged
    do {
      let content = try judged.confine(to: policies)
      return Confined(verified, content)
    } catch {
      throw Refusal(error)
    }
  }
}
