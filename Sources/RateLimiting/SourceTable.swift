package import Primitives

/// From where requests come, as far as their rate is limited together.
package enum SourceKey: Hashable, Sendable {
  case v4(UInt32)
  /// The first half of an IPv6 address: one subscriber commands all addresses of a /64.
  case v6(network: UInt64)
  /// A peer without an IP address, by its name.
  case other(Text)

  /// The key of an IPv6 peer; an IPv4 address mapped into IPv6 is the IPv4 one.
  package static func v6(high: UInt64, low: UInt64) -> SourceKey {
    high == 0 && low >> 32 == 0xFFFF ? .v4(UInt32(truncatingIfNeeded: low)) : .v6(network: high)
  }
}

/// One limiter cell per source, used from several loops. A connection asks once and keeps its source's cell.
///
/// A cell whose time is past is as good as a new one. When a shard is full it lets go of such cells, unless a connection
/// still holds them, and if there are none, of one that is nearly idle: whoever brings that many addresses gains little
/// by it.
package final class SourceTable: Sendable {
  private let shards: Sharded<SourceShard>

  /// - Parameter capacity: sources in all.
  package init(capacity: Int = 65_536, shardCount: Int = 16) {
    shards = Sharded(count: shardCount) {
      SourceShard(capacity: max(1, capacity / max(1, shardCount)))
    }
  }

  package func cell(of key: SourceKey, now: MonotonicInstant) -> LimiterCell {
    shards.withShard(of: key) { $0.cell(of: key, now: now) }
  }

  /// Another limit is in force for each source from now on.
  package func change(to limit: GCRA, now: MonotonicInstant) {
    shards.forEach { $0.change(to: limit, now: now) }
  }
}

struct SourceShard: Sendable {
  private var cells: [SourceKey: LimiterCell] = [:]
  private var swept: MonotonicInstant?
  private let capacity: Int

  /// How many cells are looked at for the one to let go of, when all are in use.
  private static let sampleSize = 8
  /// Nanoseconds between looks at all cells, so that a flood of new ones does not pay for it each time.
  private static let sweepEvery: Int64 = 100_000_000

  init(capacity: Int) { self.capacity = capacity }

  var count: Int { cells.count }

  mutating func cell(of key: SourceKey, now: MonotonicInstant) -> LimiterCell {
    if let cell = cells[key] { return cell }
    if cells.count >= capacity { makeRoom(now: now) }
    let cell = LimiterCell()
    cells[key] = cell
    return cell
  }

  func change(to limit: GCRA, now: MonotonicInstant) {
    for cell in cells.values { cell.change(to: limit, now: now) }
  }

  private mutating func makeRoom(now: MonotonicInstant) {
    if swept.map({ now.nanoseconds(since: $0) >= Self.sweepEvery }) ?? true {
      swept = now
      dropIdle(now: now)
    }
    guard cells.count >= capacity else { return }
    let sample = cells.prefix(Self.sampleSize)
    if let idlest = sample.min(by: { $0.value.idleFrom < $1.value.idleFrom }) { cells[idlest.key] = nil }
  }

  private mutating func dropIdle(now: MonotonicInstant) {
    var idle: [SourceKey] = []
    // Not by `indices`: it holds on to the dictionary, and then nothing in it is referenced once.
    var index = cells.startIndex
    while index != cells.endIndex {
      // What a connection holds counts on: another cell beside it would be a second burst.
      if cells.values[index].idleFrom <= now, isKnownUniquelyReferenced(&cells.values[index]) {
        idle.append(cells.keys[index])
      }
      cells.formIndex(after: &index)
    }
    for key in idle { cells[key] = nil }
  }
}
