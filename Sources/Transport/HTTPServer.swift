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
  private let unannounced: (SocketAddress) -> Void

  /// - Parameters:
  ///   - content: shared by the servers of a process.
  ///   - unannounced: called on the loop when a connection that a proxy had to announce began with something else.
  ///   - ended: called on the loop whenever one of the connections is over, with its peer.
  package init(
    handler: any HTTPHandler, limits: ServerLimits, drain: DrainFlag, loop: EventLoop,
    content: ContentBudget = ContentBudget(), unannounced: @escaping (SocketAddress) -> Void = { _ in },
    ended: @escaping (SocketAddress) -> Void = { _ in }
  ) {
    self.handler = handler
    self.limits = limits
    self.drain = drain
    self.loop = loop
    self.content = content
    self.unannounced = unannounced
    self.ended = ended
  }

  /// Serves `accepted` until either side ends it. Call it on the loop.
  /// - Parameter isProxied: whether a PROXY header comes first; one that does not ends it.
  package func accept(_ accepted: AcceptedConnection, tls: TLSContext?, isProxied: Bool = false) {
    guard let stream = try? ByteStream(accepted, loop: loop, tls: tls) else {
      return ended(accepted.peer)
    }
    ServerConnection(stream, of: self).begin(isTLS: tls != nil, isProxied: isProxied)
  }

  func proxyHeaderMissing(_ peer: SocketAddress) { unannounced(peer) }
  func connectionEnded(_ peer: SocketAddress) { ended(peer) }
}
