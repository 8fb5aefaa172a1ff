internal import Glibc
package import OpenSSLCrypto
package import Primitives

/// A connection, plain or TLS, as one task of a loop sees it. Whoever opens it closes it.
package final class ByteStream {
  package let loop: EventLoop
  package let peer: SocketAddress
  /// Whom the connection counts for, without the port, written once a connection: the peer, or whom a PROXY header names.
  package var sourceText: Text {
    if let writtenSource { return writtenSource }
    let text = Text((proxyHeader?.source ?? peer.host).description)
    writtenSource = text
    return text
  }
  private var writtenSource: Text?
  /// What a proxy said of the connection, where that is asked for.
  package private(set) var proxyHeader: ProxyHeader?
  /// URI and DNS names of the peer's verified certificate.
  package private(set) var peerNames: [CertificateName] = []
  /// What whoever serves the connection wants to find again at its next request.
  package var attachment: AnyObject?
  /// The handler has written its answer itself (`AnswerStream`), and with it the connection ends.
  var isAnswered = false
  private let socket: Socket
  private let tls: TLSSession?
  /// TLS may have to write in order to read; waiting follows what it asked for.
  private var readNeeds = Socket.Interest.read
  private var writeNeeds = Socket.Interest.write

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

  /// Waits without a task until there is something to read, or until the connection is over.
  func park(_ connection: any ParkedConnection) { socket.park(connection) }

  /// Whether drain may end the wait that comes.
  package var isInterruptible: Bool {
    get { socket.isInterruptible }
    set { socket.isInterruptible = newValue }
  }

  /// Whether an idle connection can still be used: the peer has neither closed it nor sent what nobody asked for. Looks
  /// into what has come since, which with TLS may be a record without data.
  func checkIdle() -> Bool {
    guard socket.isOpen else { return false }
    guard socket.isReadable || tls?.hasPending == true else { return true }
    // A TLS record may be no data at all (a new session ticket); only OpenSSL can tell.
    guard let tls, let progress = try? tls.read(into: loop.scratch), case .needs(let interest) = progress
    else {
      return false
    }
    socket.wouldBlock(on: interest)
    return !socket.isReadable
  }

  /// Takes the PROXY header from the socket, and nothing behind it: what follows may be TLS, which reads for itself.
  func readProxyHeader() async throws(TransportError) {
    let loop = loop
    while true {
      let (count, isEnd) = try socket.peek(into: loop.scratch, upTo: ProxyHeader.longestBlock)
      let header: ProxyHeader?
      do throws(ProxyHeader.Malformed) {
        header = try ProxyHeader.read(loop.received(count))
      } catch {
        throw .proxyHeader(error)
      }
      if let header {
        try socket.discard(header.length, with: loop.scratch)
        proxyHeader = header
        return
      }
      // Without a byte it was somebody who only looked whether the port is open.
      guard !isEnd else { throw count == 0 ? .closed : .proxyHeader(.length(count)) }
      socket.wouldBlock(on: .read)
      try await socket.wait(for: .read)
    }
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

  /// Reads what can be read at once into the loop's scratch buffer (`EventLoop.received`): the count, 0 at the end, `nil`
  /// when it would block.
  package func receive() throws(TransportError) -> Int? {
    guard let tls else { return try socket.receive(into: loop.scratch) }
    // What was handed out before may have left data with OpenSSL, for which no event comes.
    guard socket.isReadable || tls.hasPending || readNeeds == .write else { return nil }
    switch try tls.read(into: loop.scratch) {
    case .done(let count):
      readNeeds = .read
      if tls.hasEmptiedSocket { socket.wasEmptied() }
      return count
    case .ended: return 0
    case .needs(let interest):
      socket.wouldBlock(on: interest)
      readNeeds = interest
      return nil
    }
  }

  /// Suspends until `receive` is worth another call.
  package func waitReadable() async throws(TransportError) {
    try await socket.wait(for: readNeeds)
  }

  /// Writes all of `bytes`.
  package func write(_ bytes: borrowing ByteBuffer) async throws(TransportError) {
    let written = try writeAvailable(bytes, from: 0)
    if written < bytes.count { try await write(bytes, from: written) }
  }

  private func write(_ bytes: borrowing ByteBuffer, from start: Int) async throws(TransportError) {
    var written = start
    while written < bytes.count {
      try await socket.wait(for: writeNeeds)
      written = try writeAvailable(bytes, from: written)
    }
  }

  /// Writes what can be written at once. Returns how much of `bytes` is written then; what the wait for the rest is for is
  /// in `writeNeeds`.
  package func writeAvailable(_ bytes: borrowing ByteBuffer, from start: Int) throws(TransportError) -> Int {
    var written = start
    while written < bytes.count {
      let step = try bytes.withBytes { (buffer) throws(TransportError) in
        try writeOnce(UnsafeRawBufferPointer(rebasing: buffer[written...]))
      }
      switch step {
      case .done(let count): written += count
      case .ended: throw .closed
      case .needs(let interest):
        socket.wouldBlock(on: interest)
        writeNeeds = interest
        return written
      }
    }
    return written
  }

  private func writeOnce(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> TLSSession.Progress {
    if let tls { return try tls.write(bytes) }
    return try socket.send(bytes).map { .done($0) } ?? .needs(.write)
  }

  /// Closes after an answer that ends the connection while the peer may still be sending: closing at once would reset
  /// the connection and could take the answer with it (RFC 9112 section 9.6). SDKs write their whole request before they
  /// read, over TLS without a look at what came meanwhile, so it is taken as far as the bounds go, and thrown away.
  package func closeLingering() async {
    tls?.shutdown()
    Glibc.shutdown(socket.descriptor, Int32(SHUT_WR))
    let end = loop.now + Self.lingerNanoseconds
    var (budget, turn) = (Self.lingerBytes, Self.lingerBytesPerTurn)
    do throws(TransportError) {
      while budget > 0, loop.now < end {
        if let count = try socket.receive(into: loop.scratch) {
          if count == 0 { break }
          budget -= count
          turn -= count
          if turn <= 0 {
            // Others have their turn.
            turn = Self.lingerBytesPerTurn
            await Task.yield()
          }
        } else {
          socket.deadline = min(end, loop.now + Self.lingerPause)
          try await socket.wait(for: .read)
        }
      }
    } catch {
      // The peer is gone or slow: there is nothing left to protect.
    }
    socket.close()
  }

  /// As long as a head may take by default, so that nobody holds a connection longer by this than without it.
  private static let lingerNanoseconds: Int64 = 10_000_000_000
  /// Without a byte.
  private static let lingerPause: Int64 = 1_000_000_000
  /// A hundred times what a body may have by default, at the cost of copying it out of the kernel.
  private static let lingerBytes = 32 << 20
  private static let lingerBytesPerTurn = 1 << 20

  private static func disableDelay(_ descriptor: Int32) {
    var one: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
  }
}
