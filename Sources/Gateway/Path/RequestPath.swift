internal import AuditTrail
package import HTTPWire
internal import Primitives
package import Transport

/// What happens to a request, from top to bottom.
///
/// Each stage takes what only the stage before can make, so that code which forwards something unverified, unpermitted
/// or unrecorded does not compile. Whatever way a request ends, `conclude` records it.
extension Worker: HTTPHandler {
  package func reply(to request: RequestMessage, on connection: ByteStream) async -> Reply {
    await reply(to: request, from: peer(of: connection))
  }

  // Inlined, as some others are that do little: an asynchronous call costs a frame and two more functions.
  @inline(__always)
  func reply(to request: RequestMessage, from peer: Peer) async -> Reply {
    let call = begin(request, from: peer)
    metrics.began()
    if let tracer { call.trail.trace = tracer.begin(call.head, entropy) }
    do throws(Refusal) {
      let answer = try await serve(call)
      return conclude(call, with: answer)
    } catch {
      guard let store else { return conclude(call, refusing: error) }
      return conclude(call, refusing: await settle(call, store, refused: error))
    }
  }

  private func serve(_ call: Call) async throws(Refusal) -> UpstreamAnswer {
    enter(.limitSource, call)
    let arrived = try limitSource(call)
    enter(.identify, call)
    let identified = try identify(arrived)
    enter(.authenticate, call)
    let verified = try authenticate(identified)
    enter(.confine, call)
    let confined = try confine(verified)
    enter(.admit, call)
    let admitted = try await admit(confined)
    enter(.validate, call)
    let valid = try validate(admitted)
    enter(.decide, call)
    let permitted = try decide(valid)
    enter(.joinRepeat, call)
    switch try await joinRepeat(permitted) {
    case .answered(let answer):
      return answer
    case .fresh(let fresh):
      enter(.awaitTurn, call)
      let scheduled = try await awaitTurn(fresh)
      enter(.recordIntent, call)
      let recorded = try await recordIntent(scheduled)
      enter(.forward, call)
      return try await forward(recorded)
    }
  }

  /// The next stage begins, for those who want to see where a request's time goes.
  @inline(__always)
  private func enter(_ stage: RequestJourney.Stage, _ call: Call) {
    if tracer != nil { call.trail.trace?.enter(stage, at: loop.clock.monotonic()) }
  }
}
