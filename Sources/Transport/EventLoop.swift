internal import CLibevent
internal import Glibc
internal import HTTPWire
package import Primitives
internal import Synchronization

/// One libevent loop on one thread, and the executor of every task that belongs to it.
///
/// A connection's task runs on its loop from its first byte to close: a read that would block suspends on a continuation
/// which the loop's own event callback resumes, so nothing hops between threads. Jobs that come from other threads (the
/// journal's writer waking requests) are queued under a lock; an eventfd announces them when the loop sleeps, and when it
/// does not, it finds them before it would.
///
/// `@unchecked Sendable`: everything but `foreign`, `wakeDescriptor` and `owner` is touched only by the loop's thread;
/// `assertOnLoop()` says so where it is not evident.
package final class EventLoop: TaskExecutor, @unchecked Sendable {
  package let clock: any TimeSource
  /// It owns the loop.
  unowned let driver: (any LoopDriver)?
  let base: OpaquePointer
  private let wakeDescriptor: Int32
  private var wakeEvent: OpaquePointer?
  private var tickEvent: OpaquePointer?
  private let owner = Atomic<UInt>(0)
  private let foreign = Mutex(ForeignJobs())
  // The four below are changed by short methods that call nobody back, on the loop's thread alone; checking each access
  // would cost as much as the access.
  @exclusivity(unchecked) private var ready = JobQueue()
  private var isStopped = false

  /// The monotonic clock when this turn began, nanoseconds: for deadlines, which need not be exact.
  private(set) var now: Int64
  /// The wall clock at the same moment.
  private var wallNow: WallClockTime
  @exclusivity(unchecked) private var date: HTTPDateLine
  @exclusivity(unchecked) private var buffers = BufferPool()

  /// Every open socket of this loop, for deadlines and drain; a socket knows its place.
  @exclusivity(unchecked) var sockets: [Socket] = []
  var tickHandlers: [() -> Void] = []
  private var turnHandlers: [() -> Void] = []
  private var wakeHandlers: [() -> Void] = []

  /// Connections whose task has ended since memory was last released.
  var endedTasks = 0
  private var memoryReleasedAt: Int64 = 0

  /// Where reads land before a parser copies what it keeps. One a loop, so that idle connections own no buffer.
  let scratch: UnsafeMutableRawBufferPointer

  /// What other threads have queued, and whether the loop must be woken for it.
  private struct ForeignJobs: ~Copyable {
    var jobs = JobQueue()
    var isLoopAsleep = false
    /// Somebody called `wake`.
    var isWoken = false

    /// - Returns: whether the loop must be woken.
    mutating func endSleep() -> Bool {
      defer { isLoopAsleep = false }
      return isLoopAsleep
    }
  }

  /// - Parameter driver: takes the loop's steps in place of `run`; `nil`: it is run.
  package init(clock: any TimeSource, driver: (any LoopDriver)? = nil) throws(TransportError) {
    self.clock = clock
    self.driver = driver
    now = clock.monotonic().nanoseconds
    wallNow = clock.wallClock()
    date = HTTPDateLine(wallNow)
    guard let base = event_base_new() else { throw .system(call: "event_base_new", errno: errno) }
    self.base = base
    wakeDescriptor = gh_eventfd()
    guard wakeDescriptor >= 0 else { throw .system(call: "eventfd", errno: errno) }
    scratch = .allocate(byteCount: Self.scratchSize, alignment: 64)
    let context = Unmanaged.passUnretained(self).toOpaque()
    // Edge-triggered, so that its counter need not be read: each write is an edge.
    wakeEvent = event_new(
      base, wakeDescriptor, Int16(EV_READ | EV_ET) | Int16(EV_PERSIST), { _, _, _ in }, context)
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
  /// From how many on the heap is worth a look, and how often that may be.
  private static let endedTasksToRelease = 256
  private static let releaseInterval: Int64 = 1_000_000_000
  /// How many jobs may run before sockets are looked at again.
  private static let jobsPerTurn = 256

  /// Runs until `stop()`; the calling thread becomes the loop's.
  package func run() {
    owner.store(UInt(pthread_self()), ordering: .relaxed)
    var hasLooked = true
    while !isStopped {
      let mayWait = turn()
      if hasLooked && !mayWait {
        // What came meanwhile is done first: the sockets would have to be looked at once more after it.
        hasLooked = false
        continue
      }
      hasLooked = true
      event_base_loop(base, mayWait ? EVLOOP_ONCE : EVLOOP_ONCE | EVLOOP_NONBLOCK)
      // At once, so that what ended the wait does not cost a second look at the sockets.
      _ = collect(beforeWaiting: false)
    }
  }

  /// - Returns: whether there is nothing to do but wait.
  @inline(__always)
  private func turn() -> Bool {
    readClocks()
    runJobs()
    for handler in turnHandlers { handler() }
    return collect(beforeWaiting: true)
  }

  /// One turn of a loop that is driven and not run, with what has come from outside since the last one.
  /// - Parameter ticks: whether its housekeeping is due.
  package func step(ticks: Bool) {
    owner.store(UInt(pthread_self()), ordering: .relaxed)
    if ticks { tick() }
    _ = collect(beforeWaiting: false)
    _ = turn()
  }

  /// Lets go of what its handlers hold, which may be whoever holds the loop.
  package func endSteps() {
    tickHandlers = []
    turnHandlers = []
    wakeHandlers = []
  }

  /// Whether a step would do something.
  package var hasWork: Bool {
    !ready.isEmpty || foreign.withLock { !$0.jobs.isEmpty || $0.isWoken }
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
    let mustWake = foreign.withLock { foreign in
      foreign.jobs.append(job)
      return foreign.endSleep()
    }
    if mustWake { endWait() }
  }

  /// Makes the loop call its wake handlers, for any thread. A loop that does not wait for sockets looks by itself before it
  /// would, and then this costs no system call.
  package func wake() {
    let mustWake = foreign.withLock { foreign in
      foreign.isWoken = true
      return foreign.endSleep()
    }
    if mustWake { endWait() }
  }

  private func endWait() {
    var one: UInt64 = 1
    // The counter is never read; it would take 2^64 writes to overflow.
    _ = write(wakeDescriptor, &one, 8)
  }

  /// Starts `operation` as a task of this loop, from any thread.
  package func spawn(_ operation: sending @escaping () async -> Void) {
    Task(executorPreference: self, operation: operation)
  }

  var isCurrent: Bool { owner.load(ordering: .relaxed) == UInt(pthread_self()) }

  func assertOnLoop() { precondition(isCurrent, "called from outside the loop's thread") }

  /// Calls `handler` each time that the jobs at hand are done and the sockets are looked at next: for what is cheaper
  /// done once for many requests.
  package func onTurnEnd(_ handler: @escaping () -> Void) {
    assertOnLoop()
    turnHandlers.append(handler)
  }

  private func runJobs() {
    let executor = asUnownedTaskExecutor()
    var budget = Self.jobsPerTurn
    while budget > 0, let job = ready.popFirst() {
      job.runSynchronously(on: executor)
      budget -= 1
    }
  }

  /// Takes what other threads have for the loop.
  /// - Returns: whether there is nothing to do but wait.
  private func collect(beforeWaiting: Bool) -> Bool {
    while true {
      let isWoken = foreign.withLock { foreign in
        ready.take(&foreign.jobs)
        let isWoken = foreign.isWoken
        foreign.isWoken = false
        foreign.isLoopAsleep = beforeWaiting && ready.isEmpty && !isWoken
        return isWoken
      }
      guard isWoken else { return ready.isEmpty }
      for handler in wakeHandlers { handler() }
      // What came made no work: there may be nothing to do but wait, after all.
      guard beforeWaiting, ready.isEmpty else { return false }
    }
  }

  /// Calls `handler` on the loop when another thread has called `wake`.
  package func onWake(_ handler: @escaping () -> Void) {
    assertOnLoop()
    wakeHandlers.append(handler)
  }

  /// Tasks that ended leave holes in the heap, many of them at once when a crowd of connections falls idle.
  private func releaseMemory() {
    guard endedTasks >= Self.endedTasksToRelease, now - memoryReleasedAt > Self.releaseInterval else {
      return
    }
    endedTasks = 0
    memoryReleasedAt = now
    ProcessMemory.releaseFreed()
  }

  private func tick() {
    readClocks()
    date.update(to: wallNow)
    wakeLateSockets()
    releaseMemory()
    for handler in tickHandlers { handler() }
  }

  private func readClocks() {
    now = clock.monotonic().nanoseconds
    wallNow = clock.wallClock()
  }

  static func from(_ context: UnsafeMutableRawPointer?) -> EventLoop {
    guard let context else { preconditionFailure("libevent lost a callback's context") }
    return Unmanaged<EventLoop>.fromOpaque(context).takeUnretainedValue()
  }
}

// What time it is, read once a turn: a reading for each question would be a dozen for each request.
extension EventLoop {
  /// When this turn began; some milliseconds ago on a loop that is busy.
  package var turnBegan: MonotonicInstant { MonotonicInstant(nanoseconds: now) }

  /// The wall clock at that moment.
  package var turnBeganAt: WallClockTime { wallNow }

  /// What the wall clock showed at `instant`, a moment of this turn.
  package func wallClock(at instant: MonotonicInstant) -> WallClockTime {
    WallClockTime(nanoseconds: wallNow.nanoseconds + instant.nanoseconds(since: turnBegan))
  }
}

// What requests borrow.
extension EventLoop {
  /// An empty buffer with memory, to be given back.
  package func takeBuffer() -> ByteBuffer { buffers.take() }

  /// Optional: a buffer that is not given back is freed.
  package func giveBack(_ buffer: consuming ByteBuffer) { buffers.giveBack(buffer) }

  /// The first `count` bytes that the last read brought, until the next one.
  @_lifetime(borrow self)
  package func received(_ count: Int) -> RawSpan {
    // The memory is the loop's as long as it lives, and only the next read writes to it.
    let span = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: scratch[..<count]))
    return _overrideLifetime(span, borrowing: self)
  }

  /// Appends the start of an answer with the date of now.
  func appendAnswerStart(status: Int, keepAlive: Bool, to out: inout ByteBuffer) {
    ResponseWriter.appendStart(status: status, keepAlive: keepAlive, date: date, into: &out)
  }
}
