internal import Synchronization

/// One who waits on a loop for what another thread finds out, or for the time to be over.
package final class LoopWaiter<Value: Sendable>: Sendable {
  private enum State: Sendable {
    case new
    case waiting(UnsafeContinuation<Value?, Never>)
    case over(Value?)
  }

  private let state = Mutex(State.new)

  package init() {}

  /// `nil` when the time was over first. Call it on the loop.
  package func result(on loop: EventLoop, within nanoseconds: Int64) async -> Value? {
    loop.call(after: nanoseconds) { self.finish(nil) }
    return await withUnsafeContinuation { continuation in
      let early = state.withLock { state -> Value?? in
        if case .over(let outcome) = state { return .some(outcome) }
        state = .waiting(continuation)
        return nil
      }
      if let early { continuation.resume(returning: early) }
    }
  }

  /// The first call counts.
  package func finish(_ outcome: Value?) {
    let waiting = state.withLock { state -> UnsafeContinuation<Value?, Never>? in
      switch state {
      case .over: return nil
      case .new:
        state = .over(outcome)
        return nil
      case .waiting(let continuation):
        state = .over(outcome)
        return continuation
      }
    }
    waiting?.resume(returning: outcome)
  }
}
