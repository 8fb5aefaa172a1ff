internal import Primitives

/// States of rate limits by keys that callers choose, so there may be any number of them.
///
/// A state whose time is past is as good as a new one. When the table is full it lets go of such states, and if there are
/// none, of one that is nearly idle: whoever brings that many keys gains little by it.
struct BucketTable: Sendable {
  private var states: [UInt64: BucketState] = [:]
  private let capacity: Int
  private var swept: MonotonicInstant?

  /// How many states are looked at for the one to let go of, when all are in use.
  private static let sampleSize = 8
  /// Nanoseconds between looks at all states, so that a flood of new ones does not pay for it each time.
  private static let sweepEvery: Int64 = 100_000_000

  init(capacity: Int) { self.capacity = capacity }

  var count: Int { states.count }

  mutating func with<Result>(_ key: UInt64, now: MonotonicInstant, _ body: (inout BucketState) -> Result)
    -> Result
  {
    if states.count >= capacity, states[key] == nil { makeRoom(now: now) }
    return body(&states[key, default: BucketState()])
  }

  /// Another limit is in force for each of them from now on.
  mutating func change(to limit: GCRA, now: MonotonicInstant) {
    for key in states.keys { states[key]?.take(limit, now: now) }
  }

  private mutating func makeRoom(now: MonotonicInstant) {
    if swept.map({ now.nanoseconds(since: $0) >= Self.sweepEvery }) ?? true {
      swept = now
      states = states.filter { $0.value.idleFrom > now }
    }
    guard states.count >= capacity else { return }
    let sample = states.prefix(Self.sampleSize)
    if let idlest = sample.min(by: { $0.value.idleFrom < $1.value.idleFrom }) { states[idlest.key] = nil }
  }
}
