internal import CLibevent
internal import Glibc

/// A socket that listens and belongs to no loop yet. Whoever has it gives it to a `Listener` or closes it.
package final class ListeningSocket {
  /// `nil` once it has been given away.
  private var descriptor: Int32?
  package let address: SocketAddress

  private init(descriptor: Int32, address: SocketAddress) {
    self.descriptor = descriptor
    self.address = address
  }

  deinit { if let descriptor { Glibc.close(descriptor) } }

  /// The descriptor, which is the caller's from now on.
  func take() -> Int32 {
    guard let taken = descriptor else { preconditionFailure("a socket is given away once") }
    descriptor = nil
    return taken
  }
}

// Opened here.
extension ListeningSocket {
  /// Binds and listens.
  /// - Parameter joining: whether the port is this process's already, held by a listener of another loop.
  package convenience init(_ requested: SocketAddress, joining: Bool = false) throws(TransportError) {
    if !joining { try Self.refuseTaken(requested) }
    let descriptor = try Self.bound(to: requested, options: [SO_REUSEADDR, SO_REUSEPORT])
    guard listen(descriptor, 4096) == 0 else {
      let code = errno
      Glibc.close(descriptor)
      throw .listening(on: requested.description, errno: code)
    }
    guard let address = Self.address(of: descriptor) else {
      let code = errno
      Glibc.close(descriptor)
      throw .system(call: "getsockname", errno: code)
    }
    self.init(descriptor: descriptor, address: address)
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

  private static func address(of descriptor: Int32) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let status = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    return status == 0 ? SocketAddress(&storage) : nil
  }
}

// Opened by whoever started the process.
extension ListeningSocket {
  /// Takes over `descriptor` if it is a TCP socket that listens; else it stays as it is.
  package convenience init(inherited descriptor: Int32) throws(TransportError) {
    guard let kind = Self.option(SO_TYPE, of: descriptor) else {
      throw .inheriting(descriptor, "it is no socket")
    }
    guard kind == SOCK_STREAM.rawValue, Self.option(SO_ACCEPTCONN, of: descriptor) == 1,
      let address = Self.address(of: descriptor)
    else { throw .inheriting(descriptor, "it is no TCP socket that listens") }
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0,
      fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
    else { throw .system(call: "fcntl", errno: errno) }
    self.init(descriptor: descriptor, address: address)
  }

  /// Another descriptor of the same socket, for another loop: what one accepts the others do not get, and nothing that
  /// waits is lost with one of them.
  package func duplicate() throws(TransportError) -> ListeningSocket {
    guard let descriptor else { preconditionFailure("a socket that was given away has no copies") }
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw .system(call: "fcntl", errno: errno) }
    return ListeningSocket(descriptor: copy, address: address)
  }

  private static func option(_ name: Int32, of descriptor: Int32) -> UInt32? {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 else { return nil }
    return UInt32(bitPattern: value)
  }
}
