package import RateLimiting

/// One limit that a request is under, as the store is asked about it.
package struct SharedBucket: Sendable {
  package let key: StoreKey
  package let limit: SharedLimit
  /// Where the limit is the account's quota. Such a bucket is a request's last, and there is one at most.
  package let wish: QuotaWish?

  package init(_ key: StoreKey, _ limit: SharedLimit, _ wish: QuotaWish? = nil) {
    self.key = key
    self.limit = limit
    self.wish = wish
  }
}

/// What the store says of one bucket.
package struct BucketDecision: Sendable, Hashable {
  package enum Outcome: Sendable, Hashable {
    case refused
    case allowed
    /// It stands in its tenant's queue for a turn in the account's quota.
    case waiting(ticket: Int64)
    /// The quota was not asked, since something else refuses the request or lets it wait, or does not know the ticket.
    case unasked
  }

  package let outcome: Outcome
  /// Nanoseconds until the request's turn, and if it is refused until one would be allowed.
  package let wait: Int64
  /// Of a rate, nanoseconds until the whole burst is there again; of concurrency, requests in flight.
  package let used: Int64
  /// What part of the configured rate is in force.
  package let factor: Double

  package init(_ outcome: Outcome, wait: Int64, used: Int64, factor: Double = 1) {
    self.outcome = outcome
    self.wait = wait
    self.used = used
    self.factor = factor
  }

  package var isRefused: Bool { outcome == .refused }

  /// As a local limit would have said it.
  package func limit(_ policy: GCRA) -> LimitDecision {
    LimitDecision(isAllowed: !isRefused, wait: wait, ahead: used, policy: policy)
  }
}

/// What the store says of a request's buckets, in the order in which they were asked about.
package struct SharedDecision: Sendable, Hashable {
  package let buckets: [BucketDecision]

  package init(_ buckets: [BucketDecision]) { self.buckets = buckets }

  /// - Parameter numbers: what the script answered; the first is the time.
  /// - Returns: `nil` when that is no answer about these buckets.
  package init?(_ numbers: [Int64], about asked: [SharedBucket]) {
    let (asked, numbers) = (asked.span, numbers.span)
    var buckets: [BucketDecision] = []
    buckets.reserveCapacity(asked.count)
    var place = 1
    for bucket in asked.indices {
      let length = asked[bucket].limit.answerLength
      guard numbers.count >= place + length,
        let decision = BucketDecision(
          numbers.extracting(place..<place + length), isRate: asked[bucket].limit.isRate)
      else { return nil }
      buckets.append(decision)
      place += length
    }
    guard place == numbers.count else { return nil }
    self.buckets = buckets
  }
}

extension BucketDecision {
  /// A century, in microseconds: no sum of such overflows.
  private static let sane: ClosedRange<Int64> = 0...3_200_000_000_000_000

  /// - Parameter numbers: three, or five of a budget.
  fileprivate init?(_ numbers: Span<Int64>, isRate: Bool) {
    let (turn, wait, used) = (numbers[0], numbers[1], numbers[2])
    guard Self.sane.contains(wait), Self.sane.contains(used) else { return nil }
    guard numbers.count == 5 else {
      guard turn == 0 || turn == 1 else { return nil }
      self.init(turn == 1 ? .allowed : .refused, wait: wait * 1000, used: isRate ? used * 1000 : used)
      return
    }
    let factor = numbers[3]
    guard 1...1_000_000 ~= factor else { return nil }
    let outcome: Outcome
    switch turn {
    case 0: outcome = .refused
    case 1: outcome = .allowed
    case 2: outcome = .waiting(ticket: numbers[4])
    case 3: outcome = .unasked
    default: return nil
    }
    self.init(outcome, wait: wait * 1000, used: used * 1000, factor: Double(factor) / 1_000_000)
  }
}
