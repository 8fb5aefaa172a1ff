package import Primitives

/// How many requests of each tenant are in flight, used from several loops. Tenants without any are not
/// stored.
package final class ConcurrencyTable: Sendable {
  private let counts: Sharded<[Text: Int]>

  package init(shardCount: Int = 16) {
    counts = Sharded(count: shardCount) { [:] }
  }

  /// A permit for one request, or `nil` when `limit` are in flight already.
  package func acquire(_ tenant: Text, limit: Int) -> ConcurrencyPermit? {
    let isAllowed = counts.withShard(of: tenant) { counts in
      let inFlight = counts[tenant, default: 0]
      guard inFlight < limit else { return false }
      counts[tenant] = inFlight + 1
      return true
    }
    return isAllowed ? ConcurrencyPermit(tenant: tenant, table: self) : nil
  }

  package func inFlight(_ tenant: Text) -> Int {
    counts.withShard(of: tenant) { $0[tenant, default: 0] }
  }

  fileprivate func release(_ tenant: Text) {
    counts.withShard(of: tenant) { counts in
      let inFlight = counts[tenant, default: 0]
      counts[tenant] = inFlight > 1 ? inFlight - 1 : nil
    }
  }
}

/// The right to have one request in flight. It cannot be copied, and gives its place back exactly
/// once: when it is released or goes out of scope.
package struct ConcurrencyPermit: ~Copyable, Sendable {
  private let tenant: Text
  private let table: ConcurrencyTable

  fileprivate init(tenant: Text, table: ConcurrencyTable) {
    self.tenant = tenant
    self.table = table
  }

  /// Gives the place back now.
  package consuming func release() {}

  deinit { table.release(tenant) }
}
