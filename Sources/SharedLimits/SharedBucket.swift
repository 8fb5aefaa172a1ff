internal import Primitives
package import RateLimiting

/// One limit that a request is under, as the store is asked about it.
package struct SharedBucket: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// - Parameter queueFor: nanoseconds that a request may wait for its turn, which is then its own.
    case rate(GCRA, queueFor: Int64)
    /// So many requests in flight.
    case concurrency(Int)
  }

  /// What its decision means for the others'.
  package enum Charge: UInt8, Sendable, Hashable {
    /// A request that it refuses costs the others nothing, and it costs nothing where another refuses.
    case enforced = 0x65
    /// As that, but it is counted whatever the others say.
    case always = 0x61
    /// It stops nothing.
    case warns = 0x77
  }

  package let key: [UInt8]
  package let kind: Kind
  package let charge: Charge

  package init(key: [UInt8], _ kind: Kind, _ charge: Charge) {
    self.key = key
    self.kind = kind
    self.charge = charge
  }

  fileprivate var isRate: Bool {
    if case .rate = kind { true } else { false }
  }
}

/// What the store says of one bucket.
package struct BucketDecision: Sendable, Hashable {
  package let isAllowed: Bool
  /// Nanoseconds until the request's turn, if it is allowed, and otherwise until one would be.
  package let wait: Int64
  /// Of a rate, nanoseconds until the whole burst is there again; of concurrency, requests in flight.
  package let used: Int64

  package init(isAllowed: Bool, wait: Int64, used: Int64) {
    self.isAllowed = isAllowed
    self.wait = wait
    self.used = used
  }

  /// As a local limit would have said it.
  package func limit(_ policy: GCRA) -> LimitDecision {
    LimitDecision(isAllowed: isAllowed, wait: wait, ahead: used, policy: policy)
  }
}

/// What the store says of a request's buckets, in the order in which they were asked about.
package struct SharedDecision: Sendable, Hashable {
  package let buckets: [BucketDecision]

  package init(_ buckets: [BucketDecision]) { self.buckets = buckets }

  /// - Parameter numbers: what the script answered; the first is the time.
  /// - Returns: `nil` when that is no answer about these buckets.
  package init?(_ numbers: [Int64], about asked: [SharedBucket]) {
    guard numbers.count == 1 + 3 * asked.count else { return nil }
    var buckets: [BucketDecision] = []
    buckets.reserveCapacity(asked.count)
    for place in asked.indices {
      let (allowed, wait, used) = (
        numbers[3 * place + 1], numbers[3 * place + 2], numbers[3 * place + 3]
      )
      guard allowed == 0 || allowed == 1, Self.sane.contains(wait), Self.sane.contains(used) else {
        return nil
      }
      let unit: Int64 = asked[place].isRate ? 1000 : 1
      buckets.append(BucketDecision(isAllowed: allowed == 1, wait: wait * 1000, used: used * unit))
    }
    self.buckets = buckets
  }

  /// A century, in microseconds: no sum of such overflows.
  private static let sane: ClosedRange<Int64> = 0...3_200_000_000_000_000
}
