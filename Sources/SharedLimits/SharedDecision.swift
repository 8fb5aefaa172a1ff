package import RateLimiting

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

/// What the store says of a request's buckets.
package struct SharedDecision: Sendable, Hashable {
  /// In the order in which they were asked about; empty: all let the request pass at once.
  private let told: [BucketDecision]
  /// How far the first is used up, where nothing else is told.
  private let firstUsed: Int64

  package init(_ buckets: [BucketDecision]) { (told, firstUsed) = (buckets, 0) }

  fileprivate init(firstUsed: Int64) { (told, self.firstUsed) = ([], firstUsed) }

  package var isPlain: Bool { told.isEmpty }

  package subscript(place: Int) -> BucketDecision {
    told.isEmpty ? BucketDecision(.allowed, wait: 0, used: place == 0 ? firstUsed : 0) : told[place]
  }
}

/// Reads what the script says of the requests of a call, one after the other.
package struct DecisionReader {
  private let numbers: [Int64]
  /// The first is the time.
  private var place = 1

  package init(_ numbers: [Int64]) { self.numbers = numbers }

  package var isAtEnd: Bool { place == numbers.count }

  /// - Returns: `nil`: what comes is no answer about these.
  package mutating func decision(about asked: [SharedBucket]) -> SharedDecision? {
    guard let isPlain = next() else { return nil }
    guard isPlain == 1 else { return isPlain == 0 ? decisions(about: asked).map(SharedDecision.init) : nil }
    guard let used = next(), BucketDecision.sane.contains(used) else { return nil }
    return SharedDecision(firstUsed: asked.first?.limit.isRate == true ? used * 1000 : used)
  }

  /// What is said of a request that waits.
  package mutating func look(at bucket: SharedBucket) -> SharedDecision? {
    decisions(about: [bucket]).map(SharedDecision.init)
  }

  private mutating func next() -> Int64? {
    guard place < numbers.count else { return nil }
    defer { place += 1 }
    return numbers[place]
  }

  private mutating func decisions(about asked: [SharedBucket]) -> [BucketDecision]? {
    // By spans, which lend what loops over arrays would copy.
    let numbers = self.numbers
    let (asked, span) = (asked.span, numbers.span)
    var end = place
    var decisions: [BucketDecision] = []
    decisions.reserveCapacity(asked.count)
    for bucket in asked.indices {
      let length = asked[bucket].limit.answerLength
      guard span.count >= end + length,
        let decision = BucketDecision(
          span.extracting(end..<end + length), isRate: asked[bucket].limit.isRate)
      else { return nil }
      decisions.append(decision)
      end += length
    }
    place = end
    return decisions
  }
}

extension BucketDecision {
  /// A century, in microseconds: no sum of such overflows.
  fileprivate static let sane: ClosedRange<Int64> = 0...3_200_000_000_000_000

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
