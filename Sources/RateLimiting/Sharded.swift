internal import Synchronization

/// A table that several loops use, cut into parts by the hash of the key, each behind a lock of its
/// own, so that loops seldom wait for each other.
///
/// For this module only: generic code is not specialised across modules, so each table here has a type
/// of its own for others to use.
final class Sharded<State: Sendable>: Sendable {
  private final class Shard: Sendable {
    let state: Mutex<State>
    init(_ state: sending State) { self.state = Mutex(state) }
  }

  private let shards: [Shard]
  /// What the standard library seeds its hashes with, new in each process.
  private let seed = UInt64(UInt(bitPattern: Hasher().finalize()))

  /// `count` is rounded up to a power of two, and is at most 256.
  init(count: Int, _ make: () -> State) {
    let size = 1 << (Int.bitWidth - (min(max(1, count), 256) - 1).leadingZeroBitCount)
    shards = (0..<size).map { _ in Shard(make()) }
  }

  var count: Int { shards.count }

  /// Runs `body` with a part that `bits` choose, of which any are as good as any. It must not come back to this table.
  func withShard<Result>(choosing bits: UInt64, _ body: (inout State) -> Result) -> Result {
    // The seed keeps callers from choosing the part.
    let mixed = ((bits ^ seed) &* 0x9E37_79B9_7F4A_7C15) &>> 56
    return shards[Int(mixed) & (shards.count - 1)].state.withLock { state in
      let result = body(&state)
      return result
    }
  }

  /// Runs `body` with the part that `key` belongs to. It must not come back to this table.
  func withShard<Result>(
    of key: some Hashable, _ body: (inout State) -> Result
  ) -> Result {
    // The high bits choose the shard; a dictionary inside it goes by the low ones.
    let hash = UInt(bitPattern: key.hashValue) >> (UInt(UInt.bitWidth) - 8)
    return shards[Int(hash) & (shards.count - 1)].state.withLock { state in
      let result = body(&state)
      return result
    }
  }

  /// Runs `body` with each part, one after another. It must not come back to this table.
  func forEach(_ body: (State) -> Void) {
    for shard in shards { shard.state.withLock { body($0) } }
  }

  /// The sum over the parts, each under its own lock.
  func sum(_ body: (State) -> Int) -> Int {
    shards.reduce(0) { total, shard in total + shard.state.withLock { body($0) } }
  }
}
