internal import HTTPWire
package import AuditShipping
package import AuditStore
internal import AuditTrail
internal import Configuration
package import CredentialSupply
internal import Glibc
internal import OpenSSLCrypto
internal import LimitStore
package import Logging
package import Primitives
internal import ServiceManager
internal import SharedLimits
internal import Synchronization
package import Transport
internal import Threads

/// A running gateway: its loops, listeners and journal, and what operators can ask of it.
package final class GatewayServer: Sendable {
  let workers: [Worker]
  let shared: SharedState
  let logger: Logger
  let clock: any TimeSource
  let reloader: Reloader
  let supply: CredentialKeeper
  /// `nil` when records are sent nowhere.
  let shipper: JournalShipper?
  let listeners: GatewayListeners
  let follower: FileFollower
  let dashboard: Dashboard
  /// Where limits were counted at the start; it stays so.
  let limitStore: GatewayConfiguration.RateLimit.Store
  /// What the start has read.
  private let files: LoadedFiles
  /// What a service manager wants, if one started the process.
  let service: ServiceContext
  private let background: any BackgroundWork
  private let draining = Mutex(DrainMachine())

  /// Opens what serving needs, in an order that leaves nothing behind when a step fails: listeners come last.
  package init(
    snapshot: Snapshot, supply: CredentialKeeper, journal: Journal, shipper: JournalShipper? = nil,
    reloader: Reloader, logSink: LogSink, logger: Logger, clock: any TimeSource,
    background: any BackgroundWork, lookup: (any RequestLookup)? = nil, service: ServiceContext = .none,
    files: LoadedFiles = LoadedFiles(), traces: TraceSettings? = nil
  ) throws(TransportError) {
    let configuration = snapshot.configuration
    self.logger = logger
    self.clock = clock
    self.reloader = reloader
    self.background = background
    self.service = service
    self.files = files
    self.shipper = shipper
    self.supply = supply
    dashboard = Dashboard(lookup: lookup, startedAt: clock.wallClock())
    let count = configuration.workers > 0 ? configuration.workers : Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let share = try Descriptors.share(for: configuration, loops: count, logger)
    let storeSettings = try configuration.rateLimit.store.settings()
    limitStore = configuration.rateLimit.store
    let store = storeSettings.map {
      SharedStore(
        keys: $0.keys,
        health: StoreHealth(
          workers: count, report: Self.storeReporter(logger, configuration.rateLimit.store.name)))
    }
    shared = SharedState(
      journal: journal, configuration: configuration, logSink: logSink,
      connections: ConnectionGate(
        .init(
          connections: share.connections, perSource: configuration.limits.connectionsPerSource,
          admin: share.admin), report: Self.connectionReporter(logger)),
      supply: supply, store: store, now: clock.monotonic(),
      report: Self.reporter(logger))
    let targets = try PoolTarget.targets(of: configuration.upstream)
    let limits = Self.poolLimits(
      configuration, connections: max(1, share.upstream / (count * targets.count)))
    let resolver = Resolver()
    for target in targets.all { resolver.prepare(target.host, clock: clock) }
    var workers: [Worker] = []
    let gateway = Hex.encode(randomBytes(8))
    for number in 0..<count {
      let loop = try EventLoop(clock: clock)
      let pools = targets.map { target -> any Upstream in
        UpstreamPool(target: target, limits: limits, resolver: resolver, loop: loop)
      }
      var client: StoreClient?
      if let storeSettings, let store {
        client = StoreClient(
          storeSettings, worker: number, gateway: gateway, on: loop, resolver: resolver,
          health: store.health, entropy: SystemEntropy())
      }
      let tracer = try traces.map { settings throws(TransportError) in
        try Tracer(settings, with: resolver, on: loop, report: Self.traceReporter(logger))
      }
      workers.append(
        Worker(
          loop: loop, shared: shared, snapshot: snapshot, upstreams: pools, store: client, tracer: tracer))
    }
    self.workers = workers
    listeners = GatewayListeners(snapshot: snapshot)
    follower = FileFollower(on: workers[0].loop, logger)
  }

  /// Serves until SIGTERM or SIGINT, then drains. The calling thread becomes the first worker's.
  package func run() throws(TransportError) {
    let first = workers[0].loop
    // Before anybody can know that it listens: whoever does may signal at once.
    let signals = SignalSource([SIGTERM, SIGINT, SIGHUP, SIGUSR1], on: first) { [self] in received($0) }
    // Before the first request, which may need a tenant's session.
    supplyCredentials()
    do throws(TransportError) {
      try listeners.open(for: self, inheriting: service.sockets)
    } catch {
      supply.close()
      throw error
    }
    let others = try workers.dropFirst().map { worker throws(TransportError) in
      try Self.thread { worker.loop.run() }
    }
    let backgroundThread = try Self.thread { [background] in
      PosixThread.giveWay()
      background.run()
    }
    for worker in workers { worker.loop.spawn { worker.startHousekeeping() } }
    first.spawn { [shared, clock] in first.onTick { shared.connections.check(now: clock.monotonic()) } }
    first.spawn { [self] in first.onTick { [self] in keepHistory() } }
    superviseLoops()
    first.spawn { [self] in
      follower.start { [self] in _ = await reload() }
      follower.follow(files, isWanted: workers[0].snapshot.configuration.reload.watch)
    }
    first.spawn { [self] in tell(.ready(status: serviceStatus())) }
    ProcessMemory.releaseFreed()
    // What the first requests need once may go as well.
    first.spawn {
      ProcessMemory.releaseProgramPages()
      await first.sleep(nanoseconds: Self.settlingTime)
      ProcessMemory.releaseProgramPages()
    }
    first.run()
    for thread in others { thread.join() }
    withExtendedLifetime(signals) {}
    supply.close()
    // What goes on in the background is on the journal's disk as well.
    if closeJournal() { backgroundThread.join() }
    logger.info("stopped")
    for worker in workers { worker.accessLog.flush() }
  }

  /// Has credentials from now on, and says when the first are there: without them nothing is served. It is said by the
  /// first loop, so once it listens.
  private func supplyCredentials() {
    let identities = workers[0].snapshot.identities
    let report = Self.credentialReporter(logger)
    let (logger, count, first) = (logger, workers.count, workers[0].loop)
    let sayReady: @Sendable () -> Void = {
      first.spawn { logger.info("ready", metadata: ["workers": "\(count)"]) }
    }
    supply.reporting { event in
      if case .supplied = event { sayReady() } else { report(event) }
    }
    if identities.gateway.inForce.held != nil { sayReady() }
    supply.putInForce(identities)
  }

  /// After that long a gateway does what it will go on doing; nanoseconds.
  private static let settlingTime: Int64 = 10_000_000_000

  private static func thread(
    _ body: @escaping @Sendable () -> Void
  ) throws(TransportError) -> PosixThread {
    do throws(ThreadFault) {
      return try PosixThread(body)
    } catch {
      throw .system(call: "pthread_create", errno: error.code)
    }
  }

  /// When draining is over; `nil` before it has begun.
  package var drainEnd: MonotonicInstant? { draining.withLock { $0.end } }

  /// With everything written, unless the disk does not answer for what is left of `drainTimeout`.
  /// - Returns: whether the disk answered.
  private func closeJournal() -> Bool {
    let now = clock.monotonic()
    let time = draining.withLock { $0.timeForJournal(now: now) }
    guard !shared.journal.close(timeout: time) else {
      let lost = shared.journal.statistics.lostOutcomes
      if lost > 0 {
        logger.error(
          "the audit journal lacks outcomes",
          metadata: ["count": "\(lost)", "advice": "gatehouse audit reconcile"])
      }
      return true
    }
    logger.error(
      "the audit journal's disk does not answer; what is not written of it is given up",
      metadata: ["advice": "gatehouse audit reconcile"])
    return false
  }

  private func received(_ signal: Int32) {
    switch signal {
    case SIGHUP: workers[0].loop.spawn { [self] in _ = await reload() }
    case SIGUSR1: rotate()
    default: beginDrain()
    }
  }

  private func rotate() {
    logger.info("the next record begins a new journal segment")
    shared.journal.rotate()
  }

  /// Stops accepting, lets what is under way finish within `drainTimeout`, and then ends the loops.
  private func beginDrain() {
    let timeout = workers[0].snapshot.configuration.drainTimeout
    let now = clock.monotonic()
    guard draining.withLock({ $0.begin(now: now, timeout: timeout.nanoseconds) }) else { return }
    shared.drain.set()
    tell(.stopping(status: "Draining \(shared.connections.open) connections"))
    logger.info("draining", metadata: ["connections": "\(shared.connections.open)", "timeout": "\(timeout)"])
    listeners.close(for: self)
    background.stop()
    workers[0].loop.spawn { [self] in await drain() }
  }

  private func drain() async {
    while true {
      let (open, now) = (shared.connections.open, clock.monotonic())
      switch draining.withLock({ $0.check(openConnections: open, now: now) }) {
      case .interruptIdle(let wait):
        for worker in workers { worker.loop.spawn { worker.loop.interruptIdleSockets() } }
        await workers[0].loop.sleep(nanoseconds: wait)
      case .stop(let abandoned):
        if abandoned > 0 { logger.warning("drain timed out", metadata: ["connections": "\(abandoned)"]) }
        let end = draining.withLock { $0.endForSpans(now: now) }
        for worker in workers {
          worker.loop.spawn {
            await worker.tracer?.close(by: end)
            worker.loop.stop()
          }
        }
        return
      }
    }
  }

  private static func poolLimits(
    _ configuration: GatewayConfiguration, connections: Int
  ) -> UpstreamPool.Limits {
    let upstream = configuration.upstream
    return UpstreamPool.Limits(
      connections: connections,
      connectTimeout: upstream.connectTimeout.nanoseconds, idleTimeout: upstream.idleTimeout.nanoseconds,
      response: .init(headerBytes: 64 << 10, bodyBytes: 4 << 20))
  }
}
