package import HTTPWire
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
    do throws(Refusal) {
      let answer = try await serve(call)
      return conclude(call, with: answer)
    } catch {
      guard let store else { return conclude(call, refusing: error) }
      return conclude(call, refusing: await settle(call, store, refused: error))
    }
  }

  private func serve(_ call: Call) async throws(Refusal) -> UpstreamAnswer {
    let arrived = try limitSource(call)
    let identified = try identify(arrived)
    let verified = try authenticate(identified)
    let confined = try confine(verified)
    let admitted = try await admit(confined)
    let valid = try validate(admitted)
    let permitted = try decide(valid)
    switch try await joinRepeat(permitted) {
    case .answered(let answer):
      return answer
    case .fresh(let fresh):
      let scheduled = try await awaitTurn(fresh)
      let recorded = try await recordIntent(scheduled)
      return try await forward(recorded)
    }
  }
}
