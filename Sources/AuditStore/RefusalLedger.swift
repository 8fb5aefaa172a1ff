package import AuditTrail
package import Primitives

/// A request that was answered without being forwarded, as far as it decides whether it gets a record of its own.
package struct UnforwardedRequest: Sendable {
  package let decision: AuditDecision
  /// The source that it counts for: an address, or an IPv6 network.
  package let source: Text
  /// Whether anybody can make any number of such: then their records have a budget (`audit.refusals`).
  package let isBudgeted: Bool

  package init(_ decision: AuditDecision, from source: Text, isBudgeted: Bool) {
    self.decision = decision
    self.source = source
    self.isBudgeted = isBudgeted
  }
}

/// How many bytes a second the records of refused requests may add to the journal.
package struct RefusalBudget: Sendable, Hashable {
  package let perSecond: Int
  package let perSourcePerSecond: Int

  package init(perSecond: Int, perSourcePerSecond: Int) {
    self.perSecond = perSecond
    self.perSourcePerSecond = perSourcePerSecond
  }

  package static let standard = RefusalBudget(perSecond: 256 << 10, perSourcePerSecond: 32 << 10)
}

/// Decides which requests that were not forwarded get a record, and counts those that get none: a `suppressed` record
/// tells of them. What anybody can cause may cost a served request nothing, neither its record nor time, and must not
/// fill the disk.
///
/// Its memory is bounded, however many sources there are. One that was forgotten and comes back has its budget again,
/// and is counted again among the sources that are not named; the budget of all together is not forgotten.
struct RefusalLedger {
  private struct Source {
    let name: Text
    var budget = ByteBudget()
    /// How many of its requests the next `suppressed` record tells of.
    var suppressed = 0
  }

  /// What a change of it finds used up under the old numbers is so, in time, under the new.
  var limits: RefusalBudget
  private var total = ByteBudget()
  private var sources: [Source] = []
  private var places: [Text: Int] = [:]
  /// Where the search goes on for a source to forget.
  private var hand = 0
  /// Sources that were forgotten with suppressed requests.
  private var forgotten = 0
  /// Bytes of records that the writer has and has not written.
  private var waiting = 0
  private var tally: SuppressedRequests?
  private var tellAfter = MonotonicInstant(nanoseconds: .min)
  /// Whether the disk's room is left to served requests.
  var isSpaceLow = false
  /// Of all time.
  private(set) var suppressed = 0
  /// Outcomes of forwarded requests that the journal lacks and no `suppressed` record has told of.
  private(set) var untoldOutcomes = 0

  var sourceCount: Int { sources.count }

  static let mostSources = 4096
  /// How many sources are looked at for the one to forget.
  private static let sampleSize = 8
  /// What may wait for a slow or failing disk.
  static let mostWaiting = 4 << 20
  /// A record's place in the chain, and its line feed.
  private static let frame = 140
  private static let namedSources = 10
  private static let second: Int64 = 1_000_000_000

  init(_ limits: RefusalBudget) { self.limits = limits }

  /// - Parameters:
  ///   - bytes: of its record.
  ///   - time: when it came.
  /// - Returns: whether it gets its record. If not, it is counted.
  mutating func admit(
    _ request: UnforwardedRequest, bytes: Int, now: MonotonicInstant, time: WallClockTime
  ) -> Bool {
    if !isSpaceLow, waiting + bytes <= Self.mostWaiting, isWithinBudget(request, bytes + Self.frame, now) {
      waiting += bytes
      return true
    }
    suppressed += 1
    note(at: now, time)
    tally?.add(request.decision, bytes: bytes)
    sources[place(of: request.source, now)].suppressed += 1
    return false
  }

  /// Records that were admitted are written, or given up.
  mutating func settle(bytes: Int) { waiting -= bytes }

  /// Outcomes of forwarded requests for which there was no room.
  mutating func lose(outcomes count: Int, bytes: Int, now: MonotonicInstant, time: WallClockTime) {
    suppressed += count
    untoldOutcomes += count
    note(at: now, time)
    tally?.add(.allowed, count: count, bytes: bytes)
  }

  /// What is to be told now: once a second at most.
  /// - Parameter isLast: nothing more will come.
  mutating func take(now: MonotonicInstant, isLast: Bool) -> SuppressedRequests? {
    guard isLast || now >= tellAfter, var told = tally else { return nil }
    let loud = sources.filter { $0.suppressed > 0 }.sorted { $0.suppressed > $1.suppressed }
    told.loudest = loud.prefix(Self.namedSources).map { .init(address: $0.name, count: $0.suppressed) }
    told.more = loud.count - told.loudest.count + forgotten
    for index in sources.indices { sources[index].suppressed = 0 }
    forgotten = 0
    untoldOutcomes = 0
    tally = nil
    tellAfter = now.advanced(byNanoseconds: Self.second)
    return told
  }

  private mutating func note(at now: MonotonicInstant, _ time: WallClockTime) {
    guard tally == nil else { return }
    tally = SuppressedRequests(since: time)
    tellAfter = max(tellAfter, now.advanced(byNanoseconds: Self.second))
  }

  private mutating func isWithinBudget(
    _ request: UnforwardedRequest, _ bytes: Int, _ now: MonotonicInstant
  ) -> Bool {
    guard request.isBudgeted else { return true }
    let place = place(of: request.source, now)
    guard total.holds(bytes, perSecond: limits.perSecond, now: now),
      sources[place].budget.holds(bytes, perSecond: limits.perSourcePerSecond, now: now)
    else { return false }
    total.take(bytes, perSecond: limits.perSecond, now: now)
    sources[place].budget.take(bytes, perSecond: limits.perSourcePerSecond, now: now)
    return true
  }

  private mutating func place(of name: Text, _ now: MonotonicInstant) -> Int {
    if let place = places[name] { return place }
    let place: Int
    if sources.count < Self.mostSources {
      place = sources.count
      sources.append(Source(name: name))
    } else {
      place = quietest(now)
      if sources[place].suppressed > 0 { forgotten += 1 }
      places[sources[place].name] = nil
      sources[place] = Source(name: name)
    }
    places[name] = place
    return place
  }

  /// One of a few: of those with the fewest suppressed requests, the one whose budget is used least.
  private mutating func quietest(_ now: MonotonicInstant) -> Int {
    let sample = (0..<Self.sampleSize).map { (hand + $0) % sources.count }
    hand = (hand + Self.sampleSize) % sources.count
    return sample.min {
      (sources[$0].suppressed, sources[$0].budget.debt(now)) < (
        sources[$1].suppressed, sources[$1].budget.debt(now)
      )
    } ?? hand
  }
}

/// A rate of bytes with a burst of one second, from one stored time. What is larger than the burst passes when all of it
/// is there, so that there is some record at any rate.
struct ByteBudget {
  private static let second: Int64 = 1_000_000_000

  /// When all of the burst will be there again; `nil`: it is.
  private var fullAt: MonotonicInstant?

  /// Nanoseconds until all of the burst is there again.
  func debt(_ now: MonotonicInstant) -> Int64 { max(0, fullAt?.nanoseconds(since: now) ?? 0) }

  func holds(_ bytes: Int, perSecond rate: Int, now: MonotonicInstant) -> Bool {
    let debt = debt(now)
    return debt == 0 || debt + Self.cost(bytes, rate) <= Self.second
  }

  mutating func take(_ bytes: Int, perSecond rate: Int, now: MonotonicInstant) {
    fullAt = now.advanced(byNanoseconds: debt(now) + Self.cost(bytes, rate))
  }

  private static func cost(_ bytes: Int, _ rate: Int) -> Int64 {
    Int64(bytes) * second / Int64(max(1, rate))
  }
}
