internal import Primitives
package import Transport

/// A sandbox on a socket: one loop, plain HTTP.
package final class SandboxServer {
  package let loop: EventLoop
  private let listener: Listener
  private let drain = DrainFlag()

  /// Binds and listens; connections are served once `run()` is called.
  package init(_ handler: SandboxHandler, on address: SocketAddress, loop: EventLoop) throws(TransportError) {
    self.loop = loop
    let server = HTTPServer(handler: handler, limits: ServerLimits(), drain: drain, loop: loop)
    listener = try Listener(address, loop: loop) { server.accept($0, tls: nil) }
  }

  /// Where it listens: with the port that the system chose, if that was left to it.
  package var address: SocketAddress { listener.address }

  /// Serves until `stop()`; the calling thread becomes the loop's.
  package func run() { loop.run() }

  /// Stops listening and ends what is open. Call it on the loop.
  package func stop() {
    drain.set()
    listener.close()
    loop.interruptIdleSockets()
    loop.stop()
  }
}
