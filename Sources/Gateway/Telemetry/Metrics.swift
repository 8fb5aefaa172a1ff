internal import AuditTrail
internal import Primitives
internal import Synchronization

/// What one worker has counted (contract section 8). Each worker has its own, so that counting never waits for another
/// loop; a scrape adds them up.
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
    let scope: StaticText
  }

  package struct Counts: Sendable {
    package var requests: [RequestKey: Int] = [:]
    package var violations: [ViolationKey: Int] = [:]
    package var limited: [LimitKey: Int] = [:]
    package var retries: [StaticText: Int] = [:]
    package var requestDuration = Histogram()
    package var upstreamDuration = Histogram()
    package var connections = 0
    package var upstreamIdle = 0
    package var upstreamInUse = 0
  }

  private let counts = Mutex(Counts())

  package init() {}

  package func update(_ change: (inout Counts) -> Void) { counts.withLock { change(&$0) } }
  package var current: Counts { counts.withLock { $0 } }
}

extension Metrics.Counts {
  /// Adds another worker's counts.
  package mutating func add(_ other: Self) {
    requests.merge(other.requests, uniquingKeysWith: +)
    violations.merge(other.violations, uniquingKeysWith: +)
    limited.merge(other.limited, uniquingKeysWith: +)
    retries.merge(other.retries, uniquingKeysWith: +)
    requestDuration.add(other.requestDuration)
    upstreamDuration.add(other.upstreamDuration)
    connections += other.connections
    upstreamIdle += other.upstreamIdle
    upstreamInUse += other.upstreamInUse
  }
}

/// A label value that is a literal of the program.
package struct StaticText: Hashable, Sendable, ExpressibleByStringLiteral {
  package let string: String
  package init(stringLiteral value: String) { string = value }
}

/// Durations in Prometheus buckets, from 0.5 ms to 10 s.
package struct Histogram: Sendable {
  /// Upper bounds in nanoseconds.
  package static let bounds: [Int64] = [
    500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
    500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
  ]

  /// One more than there are bounds: the last is for what is above all of them.
  package private(set) var buckets = [Int](repeating: 0, count: bounds.count + 1)
  package private(set) var totalNanoseconds: Int64 = 0

  package init() {}

  package mutating func record(nanoseconds: Int64) {
    buckets[Self.bounds.firstIndex { nanoseconds <= $0 } ?? Self.bounds.count] += 1
    totalNanoseconds += nanoseconds
  }

  package mutating func add(_ other: Self) {
    for index in buckets.indices { buckets[index] += other.buckets[index] }
    totalNanoseconds += other.totalNanoseconds
  }
}
