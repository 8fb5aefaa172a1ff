internal import CLibevent
internal import Glibc

/// A listening socket of one loop. Several loops listen on one port with SO_REUSEPORT, and the kernel shares out the
/// connections; or they have descriptors of one socket, and the one that is faster takes a connection.
package final class Listener {
  package let address: SocketAddress
  private let loop: EventLoop
  private let descriptor: Int32
  private var event: OpaquePointer?
  private var spare: Int32
  private let ranOut: () -> Void
  private let accepted: (AcceptedConnection) -> Void

  /// Binds and listens; `accepted` is called on the loop for each connection and owns it from then on.
  /// - Parameters:
  ///   - joining: whether the port is this process's already, held by a listener of another loop.
  ///   - ranOut: called when a connection could not be taken for want of descriptors or memory.
  package convenience init(
    _ requested: SocketAddress, joining: Bool = false, loop: EventLoop, ranOut: @escaping () -> Void = {},
    accepted: @escaping (AcceptedConnection) -> Void
  ) throws(TransportError) {
    let socket = try ListeningSocket(requested, joining: joining)
    self.init(socket, loop: loop, ranOut: ranOut, accepted: accepted)
  }

  /// Takes connections of a socket that listens already.
  package init(
    _ socket: ListeningSocket, loop: EventLoop, ranOut: @escaping () -> Void = {},
    accepted: @escaping (AcceptedConnection) -> Void
  ) {
    self.loop = loop
    self.ranOut = ranOut
    self.accepted = accepted
    address = socket.address
    descriptor = socket.take()
    spare = Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
    event = event_new(
      loop.base, descriptor, Int16(EV_READ | EV_PERSIST),
      { _, _, context in
        guard let context else { return }
        Unmanaged<Listener>.fromOpaque(context).takeUnretainedValue().acceptAll()
      }, Unmanaged.passUnretained(self).toOpaque())
    event_add(event, nil)
  }

  deinit { close() }

  /// Stops accepting. Idempotent.
  package func close() {
    guard let open = event else { return }
    event = nil
    event_free(open)
    Glibc.close(descriptor)
    if spare >= 0 { Glibc.close(spare) }
  }

  private func acceptAll() {
    // Bounded, so that a flood of connections does not starve the open ones.
    for _ in 0..<64 {
      var storage = sockaddr_storage()
      var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
      let connection = withUnsafeMutablePointer(to: &storage) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          gh_accept(descriptor, $0, &length)
        }
      }
      if connection >= 0 {
        guard let peer = SocketAddress(&storage) else {
          Glibc.close(connection)
          continue
        }
        accepted(AcceptedConnection(descriptor: connection, peer: peer.unmapped))
        continue
      }
      switch errno {
      case EINTR, ECONNABORTED: continue
      case EAGAIN: return
      case EMFILE, ENFILE:
        ranOut()
        guard shedOne() else { return pause() }
      default:
        ranOut()
        return pause()
      }
    }
  }

  /// Out of descriptors: the spare one is given up to accept a connection and close it.
  /// - Returns: whether there is a spare one again. Another thread may have been faster.
  private func shedOne() -> Bool {
    if spare >= 0 { Glibc.close(spare) }
    let connection = accept(descriptor, nil, nil)
    if connection >= 0 { Glibc.close(connection) }
    return findSpare()
  }

  private func findSpare() -> Bool {
    spare = Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
    return spare >= 0
  }

  /// Nothing can be done for those who wait, and they would keep the socket readable and the loop busy.
  private func pause() {
    guard let event else { return }
    event_del(event)
    loop.call(after: Self.pauseNanoseconds) { [weak self] in self?.goOn() }
  }

  private func goOn() {
    guard let event else { return }
    guard spare >= 0 || findSpare() else { return pause() }
    event_add(event, nil)
  }

  private static let pauseNanoseconds: Int64 = 100_000_000
}

/// A connection that was accepted and not yet taken into a stream. Its owner opens a `ByteStream` on it or discards it.
package struct AcceptedConnection: Sendable {
  let descriptor: Int32
  package let peer: SocketAddress

  package func discard() { Glibc.close(descriptor) }
}
