package import OpenSSLCrypto
package import SharedLimits
package import Transport

/// Where the store is, and who asks there.
package struct StoreSettings: Sendable {
  package enum Topology: Sendable, Hashable {
    /// The targets are servers.
    case single
    /// They are sentinels, which know where the server of this name is.
    case sentinel(master: String)
    /// They are nodes of a cluster.
    case cluster
  }

  /// At least one.
  package let targets: [PoolTarget]
  package let topology: Topology
  /// `nil`: the server's default user.
  package let user: String?
  package let password: Secret?
  package let database: Int
  package let keys: StoreKeys
  /// Nanoseconds that a request waits at most.
  package let timeout: Int64

  package init(
    targets: [PoolTarget], topology: Topology, user: String?, password: Secret?, database: Int,
    keys: StoreKeys, timeout: Int64
  ) {
    self.targets = targets
    self.topology = topology
    self.user = user
    self.password = password
    self.database = database
    self.keys = keys
    self.timeout = timeout
  }
}
