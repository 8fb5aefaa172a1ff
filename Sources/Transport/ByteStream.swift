internal import Glibc
package import Primitives

/// A connection, plain or TLS, as one task of a loop sees it. Whoever opens it closes it.
package final class ByteStream {
  package let loop: EventLoop
  package let peer: SocketAddress
  /// The peer's address without the port, written once a connection.
  package private(set) lazy var peerText = peer.hostText
  /// URI and DNS names of the peer's verified certificate.
  package private(set) var peerNames: [Text] = []
  /// What whoever serves the connection wants to find again at its next request.
  package var attachment: AnyObject?
  private let socket: Socket
  private let tls: TLSSession?
  /// TLS may have to write in order to read; waiting follows what it asked for.
  private var readNeeds = Socket.Interest.read

  /// Takes over an accepted connection; with `tls`, `handshake()` comes next.
  package init(
    _ connection: AcceptedConnection, loop: EventLoop, tls context: TLSContext?
  ) throws(TransportError) {
    self.loop = loop
    peer = connection.peer
    Self.disableDelay(connection.descriptor)
    socket = try Socket(descriptor: connection.descriptor, loop: loop)
    do {
      tls = try context.map { (context) throws(TransportError) in
        try TLSSession(context, descriptor: connection.descriptor)
      }
      tls?.beServer()
    } catch {
      socket.close()
      throw error
    }
  }

  private init(_ socket: Socket, peer: SocketAddress, tls: TLSSession?) {
    loop = socket.loop
    self.peer = peer
    self.socket = socket
    self.tls = tls
  }

  /// Connects to `address`, with TLS and the name to verify if `tls` is given, by `deadline` (monotonic nanoseconds).
  package static func connect(
    to address: SocketAddress, tls: (context: TLSContext, host: String, isAddress: Bool)?, loop: EventLoop,
    deadline: Int64
  ) async throws(TransportError) -> ByteStream {
    let descriptor = Glibc.socket(
      address.family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw .system(call: "socket", errno: errno) }
    disableDelay(descriptor)
    let status = address.withSockaddr { Glibc.connect(descriptor, $0, $1) }
    guard status == 0 || errno == EINPROGRESS else {
      let code = errno
      Glibc.close(descriptor)
      throw .system(call: "connect", errno: code)
    }
    let socket = try Socket(descriptor: descriptor, loop: loop)
    socket.deadline = deadline
    do {
      if status != 0 { try await socket.finishConnecting() }
      let session = try tls.map { (tls) throws(TransportError) in
        let session = try TLSSession(tls.context, descriptor: descriptor)
        session.beClient(host: tls.host, isAddress: tls.isAddress)
        return session
      }
      let stream = ByteStream(socket, peer: address, tls: session)
      try await stream.handshake()
      return stream
    } catch {
      socket.close()
      throw error
    }
  }

  /// Idempotent.
  package func close() {
    if socket.isOpen { tls?.shutdown() }
    socket.close()
  }

  /// Until when any wait may last, on the loop's monotonic clock in nanoseconds.
  package var deadline: Int64 {
    get { socket.deadline }
    set { socket.deadline = newValue }
  }

  /// From when on an interruptible wait throws `.parkable`.
  var parkableAt: Int64 {
    get { socket.parkableAt }
    set { socket.parkableAt = newValue }
  }

  /// Waits without a task; `handler` is told whether there is something to read (and otherwise the connection is over).
  func park(_ handler: @escaping (_ isReadable: Bool) -> Void) {
    socket.park { handler($0 == .ready) }
  }

  /// Whether drain may end the wait that comes.
  package var isInterruptible: Bool {
    get { socket.isInterruptible }
    set { socket.isInterruptible = newValue }
  }

  /// For an idle pooled connection: the peer has closed it, or sent what nobody asked for.
  package var hasStirred: Bool {
    guard socket.isOpen else { return true }
    guard socket.isReadable else { return false }
    // A TLS record may be no data at all (a new session ticket); only OpenSSL can tell.
    guard let tls, let progress = try? tls.read(into: loop.scratch), case .needs(let interest) = progress
    else {
      return true
    }
    socket.wouldBlock(on: interest)
    return socket.isReadable
  }

  /// Completes the TLS handshake; nothing to do on a plain connection.
  package func handshake() async throws(TransportError) {
    guard let tls else { return }
    while true {
      switch try tls.handshake() {
      case .done:
        peerNames = tls.peerNames()
        return
      case .needs(let interest):
        socket.wouldBlock(on: interest)
        try await socket.wait(for: interest)
      case .ended: throw .closed
      }
    }
  }

  /// Gives what can be read at once to `consume`: the count, 0 at the end, `nil` when it would block.
  package func receiveAvailable(
    _ consume: (UnsafeRawBufferPointer) -> Void
  ) throws(TransportError) -> Int? {
    let count: Int?
    if let tls {
      switch try tls.read(into: loop.scratch) {
      case .done(let read): count = read
      case .ended: count = 0
      case .needs(let interest):
        socket.wouldBlock(on: interest)
        readNeeds = interest
        count = nil
      }
    } else {
      count = try socket.receive(into: loop.scratch)
    }
    if let count, count > 0 { consume(UnsafeRawBufferPointer(rebasing: loop.scratch[..<count])) }
    return count
  }

  /// Suspends until `receiveAvailable` is worth another call.
  package func waitReadable() async throws(TransportError) {
    try await socket.wait(for: readNeeds)
  }

  /// Writes all of `bytes`.
  package func write(_ bytes: [UInt8]) async throws(TransportError) {
    var written = 0
    while written < bytes.count {
      let step = try bytes.span.withUnsafeBytes { (buffer) throws(TransportError) in
        try writeOnce(UnsafeRawBufferPointer(rebasing: buffer[written...]))
      }
      switch step {
      case .done(let count): written += count
      case .ended: throw .closed
      case .needs(let interest):
        socket.wouldBlock(on: interest)
        try await socket.wait(for: interest)
      }
    }
  }

  private func writeOnce(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> TLSSession.Progress {
    if let tls { return try tls.write(bytes) }
    return try socket.send(bytes).map { .done($0) } ?? .needs(.write)
  }

  /// Closes after an answer that ends the connection while the peer may still be sending: closing at once would reset
  /// the connection and could take the answer with it (RFC 9112 section 9.6).
  package func closeLingering() async {
    tls?.shutdown()
    Glibc.shutdown(socket.descriptor, Int32(SHUT_WR))
    socket.deadline = loop.clock.monotonic().nanoseconds + Self.lingerNanoseconds
    var budget = Self.lingerBytes
    do throws(TransportError) {
      while budget > 0 {
        if let count = try socket.receive(into: loop.scratch) {
          if count == 0 { break }
          budget -= count
        } else {
          try await socket.wait(for: .read)
        }
      }
    } catch {
      // The peer is gone or slow: there is nothing left to protect.
    }
    socket.close()
  }

  private static let lingerNanoseconds: Int64 = 1_000_000_000
  private static let lingerBytes = 1 << 20

  private static func disableDelay(_ descriptor: Int32) {
    var one: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
  }
}
