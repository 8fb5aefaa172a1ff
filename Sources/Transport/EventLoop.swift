internal import CLibevent
internal import Glibc
package import Primitives
internal import Synchronization

/// One libevent loop on one thread, and the executor of every task that belongs to it.
///
/// A connection's task runs on its loop from accept to close: a read that would block suspends on a continuation which
/// the loop's own event callback resumes, so nothing hops between threads. Jobs that come from other threads (the
/// journal's writer waking requests) are queued under a lock and announced through an eventfd, once a batch.
///
/// `@unchecked Sendable`: everything but `foreign`, `wakeDescriptor` and `owner` is touched only by the loop's thread;
/// `assertOnLoop()` says so where it is not evident.
package final class EventLoop: TaskExecutor, @unchecked Sendable {
  package let clock: any TimeSource
  let base: OpaquePointer
  private let wakeDescriptor: Int32
  private var wakeEvent: OpaquePointer?
  private var tickEvent: OpaquePointer?
  private let owner = Atomic<UInt>(0)
  private let foreign = Mutex<[UnownedJob]>([])
  private var ready: [UnownedJob] = []
  private var running: [UnownedJob] = []
  private var isStopped = false

  /// Every open socket of this loop, for deadlines and drain; a socket knows its place.
  private var sockets: [Socket] = []
  private var tickHandlers: [() -> Void] = []
  private var turnHandlers: [() -> Void] = []

  /// Where reads land before a parser copies what it keeps. One a loop, so that idle connections own no buffer.
  let scratch: UnsafeMutableRawBufferPointer

  package init(clock: any TimeSource) throws(TransportError) {
    self.clock = clock
    guard let base = event_base_new() else { throw .system(call: "event_base_new", errno: errno) }
    self.base = base
    wakeDescriptor = gh_eventfd()
    guard wakeDescriptor >= 0 else { throw .system(call: "eventfd", errno: errno) }
    scratch = .allocate(byteCount: Self.scratchSize, alignment: 64)
    let context = Unmanaged.passUnretained(self).toOpaque()
    wakeEvent = event_new(
      base, wakeDescriptor, Int16(EV_READ | EV_PERSIST),
      { _, _, context in EventLoop.from(context).collectForeignJobs() }, context)
    tickEvent = event_new(
      base, -1, Int16(EV_PERSIST), { _, _, context in EventLoop.from(context).tick() }, context)
    event_add(wakeEvent, nil)
    var period = timeval(tv_sec: 0, tv_usec: Int(Self.tickNanoseconds / 1000))
    event_add(tickEvent, &period)
  }

  deinit {
    event_free(wakeEvent)
    event_free(tickEvent)
    event_base_free(base)
    close(wakeDescriptor)
    scratch.deallocate()
  }

  /// Enough for the largest head plus a usual body in one read.
  private static let scratchSize = 64 * 1024
  /// How late a deadline may be noticed. Every wait of the gateway is at least ten times as long.
  private static let tickNanoseconds: Int64 = 50_000_000
  /// How many jobs may run before sockets are looked at again.
  private static let jobsPerTurn = 256

  /// Runs until `stop()`; the calling thread becomes the loop's.
  package func run() {
    owner.store(UInt(pthread_self()), ordering: .relaxed)
    while !isStopped {
      runJobs()
      for handler in turnHandlers { handler() }
      event_base_loop(base, ready.isEmpty ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK)
    }
  }

  /// Ends `run()` after the current turn. Call it on the loop.
  package func stop() {
    assertOnLoop()
    isStopped = true
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isCurrent {
      ready.append(job)
      return
    }
    let wasEmpty = foreign.withLock { jobs in
      jobs.append(job)
      return jobs.count == 1
    }
    guard wasEmpty else { return }
    var one: UInt64 = 1
    // The counter cannot overflow: it is read whenever it is not zero.
    _ = write(wakeDescriptor, &one, 8)
  }

  /// Starts `operation` as a task of this loop, from any thread.
  package func spawn(_ operation: sending @escaping () async -> Void) {
    Task(executorPreference: self, operation: operation)
  }

  var isCurrent: Bool { owner.load(ordering: .relaxed) == UInt(pthread_self()) }

  func assertOnLoop() { precondition(isCurrent, "called from outside the loop's thread") }

  private func runJobs() {
    var budget = Self.jobsPerTurn
    while !ready.isEmpty, budget > 0 {
      swap(&ready, &running)
      budget -= running.count
      for job in running { job.runSynchronously(on: asUnownedTaskExecutor()) }
      running.removeAll(keepingCapacity: true)
    }
  }

  private func collectForeignJobs() {
    var count: UInt64 = 0
    _ = read(wakeDescriptor, &count, 8)
    foreign.withLock { jobs in
      ready.append(contentsOf: jobs)
      jobs.removeAll(keepingCapacity: true)
    }
  }

  static func from(_ context: UnsafeMutableRawPointer?) -> EventLoop {
    guard let context else { preconditionFailure("libevent lost a callback's context") }
    return Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue()
  }
}

extension EventLoop {
  func register(_ socket: Socket) {
    assertOnLoop()
    socket.registryIndex = sockets.count
    sockets.append(socket)
  }

  func unregister(_ socket: Socket) {
    let index = socket.registryIndex
    let last = sockets.removeLast()
    if index < sockets.count {
      sockets[index] = last
      last.registryIndex = index
    }
  }

  package var openSockets: Int { sockets.count }

  /// Wakes every task that waits on an interruptible socket (an idle keep-alive connection): they see `.interrupted`.
  package func interruptIdleSockets() {
    assertOnLoop()
    for socket in sockets where socket.isInterruptible || socket.isParked {
      socket.resume(.interrupted)
    }
  }

  /// Calls `handler` about twenty times a second, for housekeeping that need not be exact.
  package func onTick(_ handler: @escaping () -> Void) {
    assertOnLoop()
    tickHandlers.append(handler)
  }

  /// Calls `handler` each time that the jobs at hand are done and the sockets are looked at next: for what is cheaper
  /// done once for many requests.
  package func onTurnEnd(_ handler: @escaping () -> Void) {
    assertOnLoop()
    turnHandlers.append(handler)
  }

  private func tick() {
    let now = clock.monotonic().nanoseconds
    for socket in sockets {
      if socket.deadline <= now {
        socket.resume(.timedOut)
      } else if socket.isInterruptible, socket.parkableAt <= now, !socket.isParked {
        socket.resume(.parkable)
      }
    }
    for handler in tickHandlers { handler() }
  }

  /// Suspends the calling task for about `nanoseconds`.
  package func sleep(nanoseconds: Int64) async {
    await withUnsafeContinuation { continuation in
      let context = Unmanaged.passRetained(SleepContext(continuation)).toOpaque()
      var delay = timeval(
        tv_sec: Int(nanoseconds / 1_000_000_000), tv_usec: Int(nanoseconds % 1_000_000_000 / 1000))
      let status = event_base_once(
        base, -1, Int16(EV_TIMEOUT),
        { _, _, context in
          guard let context else { return }
          Unmanaged<SleepContext>.fromOpaque(context).takeRetainedValue().continuation.resume()
        }, context, &delay)
      precondition(status == 0, "libevent refused a timer")
    }
  }
}

private final class SleepContext {
  let continuation: UnsafeContinuation<Void, Never>
  init(_ continuation: UnsafeContinuation<Void, Never>) { self.continuation = continuation }
}
