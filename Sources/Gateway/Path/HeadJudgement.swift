internal import ChimeIdentity
package import HTTPWire
internal import SigV4
package import Transport

// Refusing a request for its head, while its body is still to come: who has no key is not to fill memory with bodies.
extension Worker {
  package func reply(toHead head: RequestHead, on connection: ByteStream) -> Reply? {
    let call = begin(RequestMessage(head: head), from: peer(of: connection))
    do throws(Refusal) {
      try judgeHead(of: call)
      // It passed, which proves nothing: all of it is judged again with the body.
      return nil
    } catch {
      metrics.began()
      return conclude(call, refusing: refusal(of: call, for: error))
    }
  }

  private func judgeHead(of call: Call) throws(Refusal) {
    _ = try target(of: call)
    do throws(AuthenticationFailure) {
      try call.snapshot.check(call.head, now: call.time, workspace: &signing)
    } catch {
      call.trail.claimedAccessKeyId = Verifier.claimedAccessKeyId(call.head)
      throw .unauthenticated(error)
    }
  }

  /// What comes first on the path, which counts the request for its source.
  private func refusal(of call: Call, for refusal: Refusal) -> Refusal {
    do throws(Refusal) {
      _ = try limitSource(call)
      if let store { settleWithoutWaiting(call, store) }
      return refusal
    } catch {
      return error
    }
  }
}
