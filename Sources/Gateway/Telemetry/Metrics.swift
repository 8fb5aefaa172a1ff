internal import AuditTrail
internal import ChimeIdentity
internal import PolicyEngine
package import Primitives
internal import Synchronization

/// What one worker has counted. Each worker has its own, so that counting never waits for another loop; a scrape adds them
/// up.
package final class Metrics: Sendable {
  package struct RequestKey: Hashable, Sendable {
    let tenant: Text
    let operation: Text
    let decision: AuditDecision
    let status: Int
  }

  package struct ViolationKey: Hashable, Sendable {
    let policy: Text
    let rule: String
    let tenant: Text
    let mode: StaticText
  }

  package struct LimitKey: Hashable, Sendable {
    let tenant: Text
    /// `LimitScope.name`
    let scope: String
  }

  /// What a scrape reads.
  package struct Counts: Sendable {
    package var requests: [RequestKey: Int] = [:]
    /// Users that upstream said to be created, by tenant: a repeat of a request creates none.
    package var created: [Text: Int] = [:]
    package var violations: [ViolationKey: Int] = [:]
    /// Requests by the exceptions that were used.
    package var exceptions: [Text: Int] = [:]
    package var limited: [LimitKey: Int] = [:]
    package var retries: [StaticText: Int] = [:]
    /// Answers of upstream to each attempt, by status.
    package var responses: [Int: Int] = [:]
    package var unauthenticated: [StaticText: Int] = [:]
    package var changes: [ChangeKey: Int] = [:]
    package var requestDurations = OperationDurations()
    package var inFlight = 0
    package var upstreamDuration = DurationHistogram()
    /// Of decisions of the store.
    package var storeDuration = DurationHistogram()
    package var connections = 0
    /// Connections to each region; `nil`: none were counted yet.
    package var pools: PerRegion<Pool>?
  }

  /// What policy changes of requests that are forwarded.
  package struct ChangeKey: Hashable, Sendable {
    let policy: Text
    let field: Text
  }

  package struct Pool: Sendable {
    package var idle: Int
    package var inUse: Int
  }

  private struct State: ~Copyable {
    var requests = CounterTable()
    var responses = CounterTable()
    var changes = ChangeCounter()
    var exemplars = Exemplars()
    /// All but what stands in the tables.
    var others = Counts()
  }

  private let state = Mutex(State())
  private let inFlight = Atomic(0)

  package init() {}

  package func update(_ change: (inout Counts) -> Void) { state.withLock { change(&$0.others) } }

  /// A request has come, which `count` will end.
  func began() { inFlight.add(1, ordering: .relaxed) }

  /// Counts a request that has ended.
  /// - Parameter upstream: nanoseconds; `nil` when it was not forwarded.
  func count(_ labels: RequestLabels, duration: Int64, upstream: Int64?) {
    inFlight.subtract(1, ordering: .relaxed)
    state.withLock { state in
      state.requests.increment(labels.bits)
      state.others.requestDurations.record(nanoseconds: duration, of: labels.operation)
      if let upstream { state.others.upstreamDuration.record(nanoseconds: upstream) }
    }
  }

  /// Keeps a traced request that was counted as an example of those that took as long.
  func note(
    _ trace: RequestTrace, _ labels: RequestLabels, duration: Int64, upstream: Int64?, at end: WallClockTime
  ) {
    state.withLock {
      $0.exemplars.note(
        trace, operation: labels.operation, nanoseconds: duration, upstream: upstream, at: end)
    }
  }

  var exemplars: Exemplars { state.withLock { $0.exemplars } }

  /// Counts what was changed in a request that was forwarded.
  func count(changesOf request: borrowing GovernedRequest, under snapshot: Snapshot) {
    guard request.changeCount > 0 else { return }
    state.withLock { $0.changes.count(request, under: snapshot) }
  }

  /// Upstream has answered an attempt.
  func count(response status: Int) {
    state.withLock { $0.responses.increment(UInt64(clamping: max(1, status))) }
  }

  /// - Parameter tenants: the ids by their numbers.
  func counts(tenants: [Text]) -> Counts {
    state.withLock { state in
      var counts = state.others
      counts.inFlight = inFlight.load(ordering: .relaxed)
      state.responses.forEach { status, count in counts.responses[Int(status)] = count }
      counts.changes = state.changes.counts
      state.requests.forEach { bits, count in
        let labels = RequestLabels(bits: bits)
        let key = labels.key(tenants: tenants)
        counts.requests[key, default: 0] += count
        if labels.isCreation { counts.created[key.tenant, default: 0] += count }
      }
      return counts
    }
  }
}

/// The labels of `gatehouse_requests_total`, and whether a user was created, packed into one number that is never 0.
struct RequestLabels: BitwiseCopyable {
  fileprivate let bits: UInt64

  fileprivate init(bits: UInt64) { self.bits = bits }

  private static let creation: UInt64 = 1 << 23

  /// - Parameter tenant: the number of its meter; 0 when it is not known.
  init(
    tenant: Int, operation: ChimeIdentity.Operation?, decision: AuditDecision, status: Int, isCreation: Bool
  ) {
    let operation = operation.map { UInt64($0.rawValue) + 1 } ?? 0
    bits =
      UInt64(UInt32(truncatingIfNeeded: tenant)) << 32 | operation << 24 | (UInt64(decision.number) + 1) << 16
      | UInt64(UInt16(clamping: status)) | (isCreation ? Self.creation : 0)
  }

  fileprivate var isCreation: Bool { bits & Self.creation != 0 }

  /// 0: none is known; else one more than its place among all.
  fileprivate var operation: Int { Int(UInt8(truncatingIfNeeded: bits >> 24)) }

  fileprivate func key(tenants: [Text]) -> Metrics.RequestKey {
    let tenant = Int(bits >> 32)
    return Metrics.RequestKey(
      tenant: tenant < tenants.count ? tenants[tenant] : "",
      operation: OperationDurations.name(of: operation),
      decision: AuditDecision.allCases[Int(UInt8(truncatingIfNeeded: (bits & ~Self.creation) >> 16)) - 1],
      status: Int(UInt16(truncatingIfNeeded: bits)))
  }
}

extension AuditDecision {
  /// Its place among all cases.
  fileprivate var number: UInt8 {
    switch self {
    case .allowed: 0
    case .denied: 1
    case .throttled: 2
    case .unauthenticated: 3
    case .invalid: 4
    case .refused: 5
    }
  }
}

extension Metrics.Counts {
  /// Adds another worker's counts.
  package mutating func add(_ other: Self) {
    requests.merge(other.requests, uniquingKeysWith: +)
    created.merge(other.created, uniquingKeysWith: +)
    violations.merge(other.violations, uniquingKeysWith: +)
    exceptions.merge(other.exceptions, uniquingKeysWith: +)
    limited.merge(other.limited, uniquingKeysWith: +)
    retries.merge(other.retries, uniquingKeysWith: +)
    responses.merge(other.responses, uniquingKeysWith: +)
    unauthenticated.merge(other.unauthenticated, uniquingKeysWith: +)
    changes.merge(other.changes, uniquingKeysWith: +)
    requestDurations.add(other.requestDurations)
    inFlight += other.inFlight
    upstreamDuration.add(other.upstreamDuration)
    storeDuration.add(other.storeDuration)
    connections += other.connections
    guard let pools, let others = other.pools else { return pools = pools ?? other.pools }
    func sum(_ one: Metrics.Pool, _ other: Metrics.Pool) -> Metrics.Pool {
      .init(idle: one.idle + other.idle, inUse: one.inUse + other.inUse)
    }
    self.pools = PerRegion(
      sum(pools.first, others.first), zip(pools.others, others.others).map { sum($0, $1) })
  }
}

/// A label value that is a literal of the program.
package struct StaticText: Hashable, Sendable, ExpressibleByStringLiteral {
  package let string: String
  package init(stringLiteral value: String) { string = value }
}
