package import Primitives

/// Whose rate is limited.
package enum LimitKey: Hashable, Sendable {
  case tenant(Text)
  case sourceV4(UInt32)
  /// The first half of an IPv6 address: one subscriber commands all addresses of a /64.
  case sourceV6(network: UInt64)

  /// The limit that an IPv6 peer falls under; an IPv4 address mapped into IPv6 is the IPv4 one.
  package static func source(v6 high: UInt64, _ low: UInt64) -> LimitKey {
    high == 0 && low >> 32 == 0xFFFF
      ? .sourceV4(UInt32(truncatingIfNeeded: low)) : .sourceV6(network: high)
  }
}

/// One GCRA state per key, used from several loops.
///
/// A key whose stored time is past is as good as one never seen. When a shard is full it lets go of
/// such keys, and if there are none, of one that is nearly idle: whoever brings that many addresses
/// gains little by it.
package final class LimiterTable: Sendable {
  private let shards: Sharded<LimiterShard>

  /// `capacity`: keys in all.
  package init(capacity: Int = 65_536, shardCount: Int = 16) {
    shards = Sharded(count: shardCount) {
      LimiterShard(capacity: max(1, capacity / max(1, shardCount)))
    }
  }

  package func decide(_ key: LimitKey, limit: GCRA, now: MonotonicInstant) -> LimitDecision {
    shards.withShard(of: key) { $0.decide(key, limit: limit, now: now) }
  }
}

struct LimiterShard: Sendable {
  private var times: [LimitKey: MonotonicInstant] = [:]
  private var swept: MonotonicInstant?
  private let capacity: Int

  /// How many keys are looked at for the one to let go of, when all are in use.
  private static let sampleSize = 8
  /// Nanoseconds between looks at all keys, so that a flood of new ones does not pay for it each time.
  private static let sweepEvery: Int64 = 100_000_000

  init(capacity: Int) { self.capacity = capacity }

  var count: Int { times.count }

  mutating func decide(_ key: LimitKey, limit: GCRA, now: MonotonicInstant) -> LimitDecision {
    var stored = times[key]
    let isNew = stored == nil
    let decision = limit.decide(&stored, now: now)
    if isNew && times.count >= capacity { makeRoom(now: now) }
    times[key] = stored
    return decision
  }

  private mutating func makeRoom(now: MonotonicInstant) {
    if swept.map({ now.nanoseconds(since: $0) >= Self.sweepEvery }) ?? true {
      swept = now
      times = times.filter { $0.value > now }
    }
    guard times.count >= capacity else { return }
    let sample = times.prefix(Self.sampleSize)
    if let idlest = sample.min(by: { $0.value < $1.value }) { times[idlest.key] = nil }
  }
}
