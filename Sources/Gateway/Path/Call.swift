internal import AuditStore
internal import AuditTrail
internal import ChimeIdentity
internal import HTTPWire
internal import PolicyEngine
internal import Primitives
internal import RateLimiting
internal import Transport

/// One request as it came. Nothing of it changes while it is served; what is found out about it stands in its trail.
final class Call {
  let id: RequestID
  /// Its bytes are the one copy of the request that is made; every fact is a slice of them, or of the side buffer of
  /// `JudgedRequest`.
  let head: RequestHead
  /// Where in `head.bytes` the content stands.
  let body: ByteSlice
  let receivedAt: MonotonicInstant
  let time: WallClockTime
  let peer: Peer
  let snapshot: Snapshot
  /// Whoever called, behind trusted proxies.
  let source: Source
  var trail = Trail()

  /// - Parameter message: `nil` when it could not be read.
  init(
    _ message: RequestMessage?, id: RequestID, from peer: Peer, snapshot: Snapshot, source: Source,
    now: MonotonicInstant, time: WallClockTime
  ) {
    self.id = id
    head = message?.head ?? .absent
    body = message?.body ?? ByteSlice(0..<0)
    receivedAt = now
    self.time = time
    self.peer = peer
    self.snapshot = snapshot
    self.source = source
  }

  /// Where a field's value stands, if that is UTF-8, as the journal's text must be.
  func text(of name: FieldName) -> ByteSlice? {
    let head = head
    guard let value = head.first(name), head[value].isUTF8 else { return nil }
    return value
  }
}

/// What the stages find out about a request on its way, for `conclude` to write down. It proves nothing: what a later stage
/// relies on are the proofs (see `Stages/`).
struct Trail: ~Copyable {
  var operation: ChimeIdentity.Operation?
  /// With which the signature was good.
  var key: ServedKey?
  /// What a request that was refused for its signature claims to be signed with.
  var claimedAccessKeyId: Text?
  /// The value of a signed X-Gatehouse-Actor, in the head's bytes.
  var actor: ByteSlice?
  /// The facts and what policies found about them; `nil` until the body is read.
  var judged: JudgedRequest?
  /// What breaks one of the gateway's own rules.
  var gatewayViolation: Violation?
  /// Limits that it was over, where these only warn.
  var exceeded = LimitScopes()
  var repeatOf: RequestID?
  /// Under which repeats of this request wait for its answer.
  var replayKey: ReplayKey?
  /// Its place among the tenant's requests in flight.
  var permit: ConcurrencyPermit?
  /// What the store has to do with it, from `begin` to `endStore`; `nil` where there is none. Counted by hand: where there
  /// is none, letting go of nothing would still be a call.
  private var heldStore: Unmanaged<StoreTrail>?
  /// The sequence number of the intent, once it is recorded.
  var intent: Int?
  /// What the outcome must be handed over with when the disk did not answer in time.
  var lateIntent: LateIntent?
  var attempts = 0
  /// What attempts before the last one may have left behind upstream.
  var traces = AttemptTraces.none
  var upstreamNanoseconds: Int64 = 0
  /// `nil`: nobody wants its spans.
  var trace: RequestTrace?

  var store: StoreTrail? { heldStore?.takeUnretainedValue() }

  mutating func begin(_ store: StoreTrail) {
    endStore()
    heldStore = .passRetained(store)
  }

  mutating func endStore() {
    heldStore?.release()
    heldStore = nil
  }

  /// Whose signature was good.
  var tenant: ServedTenant? { key?.tenant }
}
