internal import HTTPWire
package import OpenSSLCrypto
internal import Primitives

/// Serves the connections of one listener and one loop. It is held by them, so it may be made anew at any time.
///
/// `@unchecked Sendable`: it is touched only by its loop's thread.
package final class HTTPServer: @unchecked Sendable {
  // Not a generic type: one of another module would run unspecialised.
  let handler: any HTTPHandler
  let limits: ServerLimits
  /// Set when the process drains: answers then end their connections.
  let drain: DrainFlag
  let loop: EventLoop
  let content: ContentBudget
  private let ended: (SocketAddress) -> Void

  /// - Parameters:
  ///   - content: shared by the servers of a process.
  ///   - ended: called on the loop whenever one of the connections is over, with its peer.
  package init(
    handler: any HTTPHandler, limits: ServerLimits, drain: DrainFlag, loop: EventLoop,
    content: ContentBudget = ContentBudget(), ended: @escaping (SocketAddress) -> Void = { _ in }
  ) {
    self.handler = handler
    self.limits = limits
    self.drain = drain
    self.loop = loop
    self.content = content
    self.ended = ended
  }

  /// Serves `accepted` until either side ends it. Call it on the loop.
  package func accept(_ accepted: AcceptedConnection, tls: TLSContext?) {
    guard let stream = try? ByteStream(accepted, loop: loop, tls: tls) else {
      return ended(accepted.peer)
    }
    ServerConnection(stream, of: self).begin(isTLS: tls != nil)
  }

  func connectionEnded(_ peer: SocketAddress) { ended(peer) }
}
