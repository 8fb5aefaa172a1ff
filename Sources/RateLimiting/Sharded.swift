public import Synchronization

/// A table that several loops use, cut into parts by the hash of the key, each behind a lock of its
/// own, so that loops seldom wait for each other.
///
/// Inlinable, because generic code is not specialised across modules otherwise.
@usableFromInline package final class Sharded<State: Sendable>: Sendable {
  @usableFromInline final class Shard: Sendable {
    @usableFromInline let state: Mutex<State>
    @inlinable init(_ state: sending State) { self.state = Mutex(state) }
  }

  @usableFromInline let shards: [Shard]

  /// `count` is rounded up to a power of two.
  @inlinable package init(count: Int = 16, _ make: () -> State) {
    let size = 1 << (Int.bitWidth - max(0, count - 1).leadingZeroBitCount)
    shards = (0..<size).map { _ in Shard(make()) }
  }

  @inlinable package var count: Int { shards.count }

  /// Runs `body` with the part that `key` belongs to. It must not come back to this table.
  @inlinable package func withShard<Result>(
    of key: some Hashable, _ body: (inout State) -> Result
  ) -> Result {
    // The high bits choose the shard; a dictionary inside it goes by the low ones.
    let hash = UInt(bitPattern: key.hashValue) >> (UInt(UInt.bitWidth) - 8)
    return shards[Int(hash) & (shards.count - 1)].state.withLock { state in
      let result = body(&state)
      return result
    }
  }
}
