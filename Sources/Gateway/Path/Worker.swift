internal import AuditStore
internal import ChimeIdentity
internal import Configuration
internal import HTTPWire
internal import Primitives
internal import SigV4
package import Transport

/// What one loop has to serve with: its own connections to upstream, signing keys, counters and log lines, and the
/// snapshot that new requests begin with.
///
/// `@unchecked Sendable`: everything that changes is touched only by the loop's thread; other threads reach the worker by
/// spawning a task on its loop.
package final class Worker: @unchecked Sendable {
  package let loop: EventLoop
  package let metrics = Metrics()
  let shared: SharedState
  let pool: UpstreamPool
  let entropy = StockedEntropy()
  let upstreamHost: [UInt8]
  var snapshot: Snapshot
  var signing = SigningWorkspace()
  var accessLog: AccessLog
  let records: RecordCollector

  init(
    loop: EventLoop, shared: SharedState, snapshot: Snapshot, target: PoolTarget,
    poolLimits: UpstreamPool.Limits
  ) throws(TransportError) {
    self.loop = loop
    self.shared = shared
    self.snapshot = snapshot
    records = RecordCollector(for: shared.journal, under: shared.sensitivity) { _ in loop.wake() }
    pool = try UpstreamPool(target: target, limits: poolLimits, loop: loop)
    upstreamHost = Array(snapshot.configuration.upstream.endpoint.authority.utf8)
    accessLog = AccessLog(
      sink: shared.logSink, isEnabled: snapshot.configuration.log.level.admitsInfo)
  }

  /// To be called on the loop, once.
  func startHousekeeping() {
    loop.onTurnEnd { [records] in records.handOver() }
    loop.onWake { [records] in records.deliver() }
    loop.onTick { [self] in
      pool.sweep()
      accessLog.flush()
      shared.journal.watch(
        now: loop.clock.monotonic(),
        timeout: snapshot.configuration.upstream.requestTimeout.nanoseconds)
      metrics.update {
        $0.connections = shared.connections.open
        $0.upstreamIdle = pool.idleCount
        $0.upstreamInUse = pool.inUseCount
      }
    }
  }

  /// - Parameter request: `nil` when it could not be read.
  func begin(_ request: RequestMessage?, on connection: ByteStream) -> Call {
    let now = loop.clock.monotonic()
    return Call(
      request, id: RequestID(from: entropy), on: connection, snapshot: snapshot,
      source: source(of: request?.head, on: connection, now: now), now: now, time: loop.clock.wallClock())
  }

  /// Whom a request counts for. The connection keeps it: but behind trusted proxies it is the same for all of its requests.
  private func source(of head: RequestHead?, on connection: ByteStream, now: MonotonicInstant) -> Source {
    let known = connection.attachment as? Source
    let trusted = snapshot.configuration.trustedProxies
    if let known, trusted.isEmpty { return known }
    let address = SourceAddress.of(head, peer: connection.peerText, trusted: trusted)
    if let known, known.address == address { return known }
    let source = shared.limits.source(at: address, now: now)
    connection.attachment = source
    return source
  }

  /// A request that could not be read is refused and recorded like any other.
  package func reply(toUnreadable fault: UnreadableRequest, on connection: ByteStream) async -> Reply {
    let refusal: Refusal =
      switch fault {
      case .violation(let violation): .unreadable(violation)
      case .tooSlow: .tooSlow
      }
    return conclude(begin(nil, on: connection), refusing: refusal)
  }
}

extension GatewayConfiguration.Log.Level {
  fileprivate var admitsInfo: Bool {
    switch self {
    case .trace, .debug, .info: true
    case .notice, .warning, .error, .critical: false
    }
  }
}
