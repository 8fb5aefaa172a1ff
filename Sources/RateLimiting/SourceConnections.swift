/// How many connections each source holds, over all loops. A source without a connection takes no memory.
package final class SourceConnections: Sendable {
  private let shards = Sharded(count: 16) { [SourceKey: Int]() }

  package init() {}

  /// Counts one more connection, also when there are `limit` already: whoever is told so closes it and calls `leave`.
  /// - Returns: whether it is within the limit.
  package func enter(_ source: SourceKey, limit: Int) -> Bool {
    shards.withShard(of: source) { counts in
      let count = counts[source, default: 0] + 1
      counts[source] = count
      return count <= limit
    }
  }

  package func leave(_ source: SourceKey) {
    shards.withShard(of: source) { counts in
      guard let count = counts[source] else { return }
      counts[source] = count > 1 ? count - 1 : nil
    }
  }

  package var count: Int { shards.sum { $0.count } }
}
