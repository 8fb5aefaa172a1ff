internal import ChimeIdentity
internal import Configuration
internal import HTTPWire
internal import RateLimiting
internal import Transport

/// A request that came in time, from a source that may ask; made by `limitSource`.
struct Arrived: ~Copyable {
  let call: Call
  fileprivate init(_ call: Call) { self.call = call }
}

/// A request that is a call of the service; made by `identify`.
struct Identified: ~Copyable {
  let arrived: Arrived
  let target: IdentifiedCall

  fileprivate init(_ arrived: consuming Arrived, _ target: IdentifiedCall) {
    self.arrived = arrived
    self.target = target
  }
}

extension Worker {
  /// The rate of one source address, before anything is spent on finding out who it is.
  func limitSource(_ call: Call) throws(Refusal) -> Arrived {
    guard !shared.drain.isSet else { throw .draining }
    try admitSource(of: call)
    return Arrived(call)
  }

  @inline(__always)
  func admitSource(of call: Call) throws(Refusal) {
    if let store { return try limitSource(of: call, sharedBy: store) }
    guard let limit = call.snapshot.sourceLimit else { return }
    let decision = call.source.admit(limit, now: call.receivedAt)
    if !decision.isAllowed { try refuse(.source, retryAfter: decision.wait, call) }
  }

  /// Which operation of the service model it is.
  func identify(_ arrived: consuming Arrived) throws(Refusal) -> Identified {
    let target = try target(of: arrived.call)
    return Identified(arrived, target)
  }

  func target(of call: Call) throws(Refusal) -> IdentifiedCall {
    do {
      let target = try ChimeIdentity.Operation.identify(call.head)
      call.trail.operation = target.operation
      return target
    } catch .unknownOperation {
      throw .unknownOperation
    } catch {
      throw .malformedTarget(error)
    }
  }
}
