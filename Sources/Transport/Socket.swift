internal import CLibevent
internal import Glibc

/// What a socket that waits without a task wakes.
protocol ParkedConnection: AnyObject {
  func wake(_ wake: Socket.Wake)
}

/// A non-blocking socket of one loop, with edge-triggered readiness kept as flags.
///
/// The event is added once, for reading and writing, and never changed: no system call per wait. A read that came back
/// short means that the socket was empty then, so nothing is tried again before the next edge. One task at a time waits.
/// Whoever opens a socket closes it; the loop holds it until then.
final class Socket {
  enum Wake: Sendable {
    case ready, timedOut, interrupted
    /// Idle for so long that its task should end and `park` instead of waiting.
    case parkable
  }
  enum Interest { case read, write }

  let loop: EventLoop
  let descriptor: Int32
  var registryIndex = 0
  /// On the loop's monotonic clock; `.max` when there is none.
  var deadline = Int64.max
  /// Drain may wake this socket's task.
  var isInterruptible = false
  /// When an interruptible wait is worth parking, on the loop's monotonic clock.
  var parkableAt = Int64.max

  private(set) var isReadable = false
  private(set) var isWritable = true
  private(set) var isOpen = true
  /// The peer will send no more; what it sent before may still be unread.
  private var sawEnd = false
  private var event: OpaquePointer?
  private var waiter: UnsafeContinuation<Wake, Never>?
  private var parked: (any ParkedConnection)?
  private var interest = Interest.read

  /// Takes over `descriptor`, which must be non-blocking.
  init(descriptor: Int32, loop: EventLoop) throws(TransportError) {
    self.loop = loop
    self.descriptor = descriptor
    event = event_new(
      loop.base, descriptor, Int16(EV_READ | EV_WRITE | EV_CLOSED | EV_ET) | Int16(EV_PERSIST),
      { _, what, context in
        guard let context else { return }
        Unmanaged<Socket>.fromOpaque(context).takeUnretainedValue().becameReady(what)
      }, Unmanaged.passUnretained(self).toOpaque())
    guard let event, event_add(event, nil) == 0 else {
      let code = errno
      if let event { event_free(event) }
      Glibc.close(descriptor)
      isOpen = false
      throw .system(call: "event_add", errno: code)
    }
    loop.register(self)
  }

  deinit { assert(!isOpen, "a socket was forgotten, not closed") }

  /// Idempotent.
  func close() {
    guard isOpen else { return }
    isOpen = false
    parked = nil
    event_free(event)
    Glibc.close(descriptor)
    loop.unregister(self)
    resume(.ready)
  }

  /// Whether a wait for `interest` would end at once.
  func isReady(for interest: Interest) -> Bool { interest == .read ? isReadable : isWritable }

  /// Suspends until the socket may be ready for `interest`, its deadline passes, or drain interrupts it.
  func wait(for interest: Interest) async throws(TransportError) {
    if isReady(for: interest) { return }
    guard isOpen else { throw .closed }
    let wake = await withUnsafeContinuation { (continuation: UnsafeContinuation<Wake, Never>) in
      precondition(waiter == nil, "two tasks wait on one socket")
      waiter = continuation
      self.interest = interest
    }
    switch wake {
    case .ready: if !isOpen { throw .closed }
    case .timedOut: throw .timedOut
    case .interrupted: throw .interrupted
    case .parkable: throw .parkable
    }
  }

  /// Waits without a task: `connection` is told once, on the loop, when there is something to read, the deadline passes or
  /// drain interrupts. Ten thousand idle connections then keep no stacks.
  func park(_ connection: any ParkedConnection) {
    interest = .read
    guard !isReadable else { return connection.wake(.ready) }
    parked = connection
  }

  var isParked: Bool { parked != nil }

  func resume(_ wake: Wake) {
    if let connection = parked {
      parked = nil
      return connection.wake(wake)
    }
    guard let continuation = waiter else { return }
    waiter = nil
    continuation.resume(returning: wake)
  }

  private func becameReady(_ what: Int16) {
    if Int32(what) & EV_CLOSED != 0 { sawEnd = true }
    if Int32(what) & (EV_READ | EV_CLOSED) != 0 { isReadable = true }
    if Int32(what) & EV_WRITE != 0 { isWritable = true }
    if isReady(for: interest) { resume(.ready) }
  }
}

extension Socket {
  /// Reads once into `buffer`: the count, 0 at the end of the stream, `nil` when it would block.
  func receive(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> Int? {
    guard isReadable else { return nil }
    while true {
      let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
      if count >= 0 {
        // A short read emptied the socket; only a known end is worth another call.
        if count < buffer.count, count > 0, !sawEnd { isReadable = false }
        return count
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        isReadable = false
        return nil
      case ECONNRESET, EPIPE, ETIMEDOUT: throw .closed
      default: throw .system(call: "recv", errno: errno)
      }
    }
  }

  /// Looks at what can be read, up to `limit` bytes, without taking it.
  /// - Returns: how many bytes there are, and whether no more will come.
  func peek(
    into buffer: UnsafeMutableRawBufferPointer, upTo limit: Int
  ) throws(TransportError) -> (count: Int, isEnd: Bool) {
    // Known before looking: what came before the end is then all there.
    let isEnd = sawEnd
    while true {
      let count = recv(descriptor, buffer.baseAddress, min(limit, buffer.count), Int32(MSG_PEEK))
      if count >= 0 { return (count, isEnd || count == 0) }
      switch errno {
      case EINTR: continue
      case EAGAIN: return (0, false)
      case ECONNRESET, EPIPE, ETIMEDOUT: throw .closed
      default: throw .system(call: "recv", errno: errno)
      }
    }
  }

  /// Takes `count` bytes that `peek` has shown.
  func discard(_ count: Int, with buffer: UnsafeMutableRawBufferPointer) throws(TransportError) {
    guard recv(descriptor, buffer.baseAddress, count, 0) == count else { throw .closed }
  }

  /// Writes what fits: the count, `nil` when it would block.
  func send(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int? {
    while true {
      let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
      if count >= 0 {
        if count < bytes.count { isWritable = false }
        return count
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        isWritable = false
        return nil
      case EPIPE, ECONNRESET, ETIMEDOUT: throw .closed
      default: throw .system(call: "send", errno: errno)
      }
    }
  }

  /// TLS reads and writes the descriptor itself and says what it then waits for.
  func wouldBlock(on interest: Interest) {
    switch interest {
    case .read: if !sawEnd { isReadable = false }
    case .write: isWritable = false
    }
  }

  /// TLS read the descriptor until it was empty, and has handed out all of it.
  func wasEmptied() {
    if !sawEnd { isReadable = false }
  }

  /// Waits for a non-blocking `connect` to end.
  func finishConnecting() async throws(TransportError) {
    isWritable = false
    try await wait(for: .write)
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
      throw .system(call: "getsockopt", errno: errno)
    }
    guard code == 0 else { throw .system(call: "connect", errno: code) }
  }
}
