internal import AuditStore
internal import ChimeIdentity
internal import Configuration
internal import CredentialSupply
internal import HTTPWire
internal import LimitStore
internal import PolicyEngine
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
  /// Where requests go in each region.
  let upstreams: PerRegion<any Upstream>
  /// The first region's, at hand.
  let upstream: any Upstream
  /// This worker's connection to the store of limits; `nil`: there is none.
  let store: StoreClient?
  /// `nil`: nobody wants spans.
  let tracer: Tracer?
  let entropy: StockedEntropy
  var snapshot: Snapshot
  var signing = SigningWorkspace()
  /// What was in force of the gateway's credentials when it was last looked.
  @exclusivity(unchecked) var own = OwnCredentials()
  var accessLog: AccessLog
  /// What the journal is told in this turn of the loop.
  let records: RecordCollector
  /// Emptied facts whose memory can be used again.
  private var spareFacts: [JudgedRequest] = []

  init(
    loop: EventLoop, shared: SharedState, snapshot: Snapshot, upstreams: PerRegion<any Upstream>,
    store: StoreClient? = nil, tracer: Tracer? = nil, entropy: StockedEntropy = StockedEntropy()
  ) {
    self.store = store
    self.tracer = tracer
    self.entropy = entropy
    self.loop = loop
    self.shared = shared
    self.snapshot = snapshot
    self.upstreams = upstreams
    upstream = upstreams.first
    records = RecordCollector(for: shared.journal, under: snapshot.sensitivity) { _ in loop.wake() }
    accessLog = AccessLog(
      sink: shared.logSink, isEnabled: snapshot.configuration.log.level.admitsInfo)
  }

  /// To be called on the loop, once.
  func startHousekeeping() {
    store?.start { [metrics] duration in
      metrics.update { $0.storeDuration.record(nanoseconds: duration) }
    }
    loop.onTurnEnd { [records] in records.handOver() }
    loop.onWake { [records] in records.deliver() }
    loop.onTick { [self] in
      for upstream in upstreams.all { upstream.sweep() }
      tracer?.tick()
      accessLog.flush()
      shared.journal.watch(
        now: loop.turnBegan,
        timeout: snapshot.configuration.upstream.requestTimeout.nanoseconds)
      metrics.update {
        $0.connections = shared.connections.open
        $0.pools = upstreams.map { .init(idle: $0.idleCount, inUse: $0.inUseCount) }
      }
    }
  }

  /// - Parameter request: `nil` when it could not be read.
  func begin(_ request: RequestMessage?, from peer: Peer) -> Call {
    let now = loop.clock.monotonic()
    return Call(
      request, id: RequestID(from: entropy), from: peer, snapshot: snapshot,
      source: source(of: request?.head, peer, now: now), now: now, time: loop.wallClock(at: now))
  }

  /// Whom a request counts for. Its peer keeps it: but behind trusted proxies it is the same for all of its requests.
  private func source(of head: RequestHead?, _ peer: Peer, now: MonotonicInstant) -> Source {
    let mayForward = snapshot.hasTrustedProxies && !peer.isAnnounced
    if let known = peer.source, !mayForward { return known }
    let trusted = mayForward ? snapshot.configuration.trustedProxies : []
    let address = SourceAddress.of(head, peer: peer.address, trusted: trusted)
    if let known = peer.source, known.address == address { return known }
    let source = shared.limits.source(at: address, now: now)
    peer.source = source
    return source
  }

  /// The facts of a request, in memory that another one has used before, if there is some.
  func takeJudged(for target: IdentifiedCall, of call: Call, by tenant: TenantPolicies) -> JudgedRequest {
    let (bytes, body) = (call.head.bytes, call.body.range)
    guard let spare = spareFacts.popLast() else {
      return JudgedRequest(target, in: bytes, body: body, by: tenant)
    }
    spare.reuse(for: target, in: bytes, body: body, by: tenant)
    return spare
  }

  /// The call is over and recorded: nobody looks at its facts any more.
  func giveBack(_ call: Call) {
    guard let judged = call.trail.judged, spareFacts.count < Self.mostSpareFacts else { return }
    call.trail.judged = nil
    judged.removeAll()
    spareFacts.append(judged)
  }

  private static let mostSpareFacts = 64

  /// What is known of a connection's other end, made at its first request.
  func peer(of connection: ByteStream) -> Peer {
    if let known = connection.attachment as? Peer { return known }
    let peer = Peer(
      address: connection.sourceText, certificateNames: connection.peerNames,
      isAnnounced: connection.proxyHeader != nil)
    connection.attachment = peer
    return peer
  }

  /// A request that could not be read is refused and recorded like any other.
  package func reply(toUnreadable fault: UnreadableRequest, on connection: ByteStream) async -> Reply {
    let call = begin(nil, from: peer(of: connection))
    metrics.began()
    // It counts for its source as any other; else it would be the cheapest way to have the gateway work and write.
    do throws(Refusal) { try admitSource(of: call) } catch { return conclude(call, refusing: error) }
    if let store { settleWithoutWaiting(call, store) }
    switch fault {
    case .violation(let violation): return conclude(call, refusing: .unreadable(violation))
    case .tooSlow: return conclude(call, refusing: .tooSlow)
    case .tooMuchContent: return conclude(call, refusing: .tooMuchContent)
    }
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
