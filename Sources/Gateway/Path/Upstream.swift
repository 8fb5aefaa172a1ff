internal import HTTPWire
internal import Primitives
internal import Transport

/// Where permitted requests go. A worker has a pool of connections; tests answer themselves.
protocol Upstream: AnyObject {
  /// Sends `request` and gives its whole answer by `deadline` (monotonic nanoseconds).
  func exchange(
    _ request: borrowing ByteBuffer, deadline: Int64
  ) async throws(ExchangeFailure) -> ResponseMessage

  /// New connections go there; see `UpstreamPool`.
  func connect(to target: PoolTarget, keepingConnections: Bool)
  /// Ends what is no longer of use; called by the loop's tick.
  func sweep()
  /// Connections, for the metrics.
  var idleCount: Int { get }
  var inUseCount: Int { get }
}

extension UpstreamPool: Upstream {}
