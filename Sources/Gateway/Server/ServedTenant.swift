internal import Configuration

/// A tenant as requests need it: made once a load, shared by all requests of a snapshot.
final class ServedTenant: Sendable {
  let configured: Tenant
  /// Its place in the snapshot's list.
  let index: Int

  init(_ configured: Tenant, index: Int) {
    self.configured = configured
    self.index = index
  }
}
