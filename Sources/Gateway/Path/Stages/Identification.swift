internal import Configuration
internal import Transport
internal import ChimeIdentity
internal import RateLimiting

/// A request that came in time, from a source that may ask; made by `limitSource`.
struct Arrived: ~Copyable {
  let call: Call
  fileprivate init(_ call: Call) { self.call = call }
}

/// A request that is a call of the service; made by `identify`.
struct Identified: ~Copyable {
  let call: Call
  let target: IdentifiedCall
  fileprivate init(_ call: Call, _ target: IdentifiedCall) {
    self.call = call
    self.target = target
  }
}

extension Worker {
  /// The rate of one source address, before anything is spent on finding out who it is.
  func limitSource(_ call: Call) throws(Refusal) -> Arrived {
    guard !shared.drain.isSet else { throw .draining }
    if let limit = call.snapshot.sourceLimit {
      let decision = call.source.admit(limit, now: call.receivedAt)
      if !decision.isAllowed {
        try refuse(Throttling(.source, decision, call.snapshot.configuration.rateLimit), call)
      }
    }
    return Arrived(call)
  }

  /// Which operation of the service model it is.
  func identify(_ arrived: consuming Arrived) throws(Refusal) -> Identified {
    let call = arrived.call
    do {
      let target = try ChimeIdentity.Operation.identify(call.head)
      call.operation = target.operation
      return Identified(call, target)
    } catch .unknownOperation {
      throw .unknownOperation
    } catch {
      throw .malformedTarget(error)
    }
  }
}
