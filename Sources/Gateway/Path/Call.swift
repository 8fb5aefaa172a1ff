internal import AuditStore
internal import AuditTrail
internal import ChimeIdentity
internal import HTTPWire
internal import PolicyEngine
internal import Primitives
internal import RateLimiting
internal import Transport

/// One request on its way through the gateway: what came, and what the stages found out for the journal, the log and the
/// metrics. It proves nothing; what a later stage relies on are the proofs (see `Stages/`).
final class Call {
  let id: RequestID
  let head: RequestHead
  let body: [UInt8]
  /// Where the body stands in the head's bytes.
  let bodyRange: Range<Int>
  let receivedAt: MonotonicInstant
  let time: WallClockTime
  let connection: ByteStream
  let snapshot: Snapshot
  /// Whoever called, behind trusted proxies.
  let source: Source

  var operation: ChimeIdentity.Operation?
  var tenant: Text?
  var accessKeyId: Text?
  var actor: Text?
  /// The facts and what policies found about them; `nil` until the body is read.
  var judged: JudgedRequest?
  /// What breaks one of the gateway's own rules.
  var gatewayViolation: Violation?
  var repeatOf: RequestID?
  /// Under which repeats of this request wait for its answer.
  var replayKey: ReplayKey?
  /// Among the tenant's requests in flight.
  var place: ConcurrencyPermit?
  /// The sequence number of the intent, once it is recorded.
  var intent: Int?
  /// What the outcome must be handed over with when the disk did not answer in time.
  var lateIntent: LateIntent?
  var attempts = 0
  /// What attempts before the last one may have left behind upstream.
  var traces = AttemptTraces.none
  var upstreamNanoseconds: Int64 = 0

  /// - Parameter message: `nil` when it could not be read.
  init(
    _ message: RequestMessage?, id: RequestID, on connection: ByteStream, snapshot: Snapshot, source: Source,
    now: MonotonicInstant, time: WallClockTime
  ) {
    self.id = id
    head = message?.head ?? .absent
    body = message?.bodyArray ?? []
    bodyRange = message?.body.range ?? 0..<0
    receivedAt = now
    self.time = time
    self.connection = connection
    self.snapshot = snapshot
    self.source = source
  }

  func text(of name: FieldName) -> Text? {
    head.first(name).flatMap { Text(validating: head.bytes[$0]) }
  }
}

extension Call {
  /// What the journal keeps of the request as received, with the decision as it stands.
  func audited(_ decision: AuditDecision) -> AuditedRequest {
    var entry = AuditedRequest(id: id, time: time, decision: decision)
    entry.tenant = tenant
    entry.accessKeyId = accessKeyId
    entry.actor = actor
    entry.sourceIp = source.address
    entry.userAgent = text(of: .userAgent)
    entry.operation = operation?.text
    if operation == nil, !head.bytes.isEmpty {
      entry.method = Text(validating: head.bytes[head.method])
      entry.path = Text(validating: head.bytes[head.path])
    }
    if let judged {
      Self.copy(judged.facts, to: &entry)
      entry.violations = judged.decision.violations.map(Self.finding)
      entry.warnings = judged.decision.warnings.map(Self.finding)
      entry.changes = judged.facts.changes.map { .init(field: $0.field, from: $0.from, to: $0.to) }
      if judged.isDecided { entry.policyRevision = snapshot.policyRevision }
    }
    if let gatewayViolation { entry.violations.append(Self.finding(gatewayViolation)) }
    entry.repeatOf = repeatOf
    return entry
  }

  private static func copy(_ request: borrowing GovernedRequest, to entry: inout AuditedRequest) {
    if !request.appInstanceArn.isEmpty { entry.appInstanceArn = request.appInstanceArn.uncheckedText }
    entry.appInstanceUserId = request.appInstanceUserId?.uncheckedText
    entry.appInstanceUserArn = request.appInstanceUserArn?.uncheckedText
    entry.resourceArn = request.resourceArn?.uncheckedText
    entry.name = request.name?.uncheckedText
    entry.metadata = request.metadata?.uncheckedText
    for index in 0..<request.receivedTagCount {
      entry.tags.append(
        .init(
          key: request.tagKey(index).uncheckedText, value: request.receivedTagValue(index).uncheckedText))
    }
    for index in 0..<request.tagKeyCount {
      entry.tagKeys.append(request.tagKeyToRemove(index).uncheckedText)
    }
    entry.expirationDays = request.receivedExpirationDays
  }

  private static func finding(_ violation: Violation) -> AuditedRequest.Finding {
    .init(policy: violation.policy, rule: violation.rule, field: violation.field, message: violation.message)
  }
}
