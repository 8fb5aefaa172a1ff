import HTTPWire
import Primitives
import Transport

@testable import Gateway

typealias ExchangeResult = Result<ResponseMessage, ExchangeFailure>

/// A worker's way to the simulated service.
final class UpstreamLink: Upstream {
  private unowned let simulation: Simulation
  private weak var life: Life?

  init(_ simulation: Simulation, _ life: Life) {
    self.simulation = simulation
    self.life = life
  }

  func exchange(
    _ request: borrowing ByteBuffer, deadline: Int64
  ) async throws(ExchangeFailure) -> ResponseMessage {
    let bytes = request.array
    let result: ExchangeResult = await withUnsafeContinuation { waiter in
      guard let life else { return waiter.resume(returning: .failure(.notSent(.closed))) }
      simulation.exchange(OutboundText(bytes), deadline: deadline, of: life, waiter)
    }
    return try result.get()
  }

  func connect(to target: PoolTarget, keepingConnections: Bool) {}
  func sweep() {}
  var idleCount: Int { 0 }
  var inUseCount: Int { 0 }
}
