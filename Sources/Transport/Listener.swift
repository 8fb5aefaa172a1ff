internal import CLibevent
internal import Glibc

/// A listening socket of one loop. Several loops listen on one port with SO_REUSEPORT, and the kernel shares out the
/// connections.
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
  package init(
    _ requested: SocketAddress, joining: Bool = false, loop: EventLoop, ranOut: @escaping () -> Void = {},
    accepted: @escaping (AcceptedConnection) -> Void
  ) throws(TransportError) {
    self.loop = loop
    self.ranOut = ranOut
    self.accepted = accepted
    if !joining { try Self.refuseTaken(requested) }
    (descriptor, address) = try Self.open(requested)
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

  /// With SO_REUSEPORT two processes of one user can listen on one port, and each gets some of the connections: a
  /// gateway that somebody forgot would go on applying its old policies to half of the requests.
  private static func refuseTaken(_ requested: SocketAddress) throws(TransportError) {
    Glibc.close(try bound(to: requested, options: [SO_REUSEADDR]))
  }

  private static func bound(to requested: SocketAddress, options: [Int32]) throws(TransportError) -> Int32 {
    let descriptor = socket(
      requested.family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else {
      let code = errno
      throw .listening(on: requested.description, errno: code)
    }
    var one: Int32 = 1
    for option in options {
      setsockopt(descriptor, SOL_SOCKET, option, &one, socklen_t(MemoryLayout<Int32>.size))
    }
    if requested.family == AF_INET6 {
      // `[::]` is IPv6 alone, whatever the system's default: beside it `0.0.0.0` can have the same port.
      setsockopt(
        descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, socklen_t(MemoryLayout<Int32>.size))
    }
    guard requested.withSockaddr({ bind(descriptor, $0, $1) }) == 0 else {
      let code = errno
      Glibc.close(descriptor)
      throw .listening(on: requested.description, errno: code)
    }
    return descriptor
  }

  private static func open(
    _ requested: SocketAddress
  ) throws(TransportError) -> (Int32, SocketAddress) {
    let descriptor = try bound(to: requested, options: [SO_REUSEADDR, SO_REUSEPORT])
    guard listen(descriptor, 4096) == 0 else {
      let code = errno
      Glibc.close(descriptor)
      throw .listening(on: requested.description, errno: code)
    }
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let named = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    guard named == 0, let address = SocketAddress(&storage) else {
      Glibc.close(descriptor)
      throw .system(call: "getsockname", errno: errno)
    }
    return (descriptor, address)
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
        accepted(AcceptedConnection(descriptor: connection, peer: peer))
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
