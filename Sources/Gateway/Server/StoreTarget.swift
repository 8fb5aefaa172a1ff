internal import Configuration
internal import LimitStore
internal import OpenSSLCrypto
internal import SharedLimits
internal import Transport

extension GatewayConfiguration.RateLimit.Store {
  /// Under which names buckets stand; `nil`: they stand in this process.
  var keys: StoreKeys? {
    guard case .redis(let store) = self else { return nil }
    return StoreKeys(prefix: store.prefix)
  }

  /// As `/readyz` names it.
  var name: String {
    switch self {
    case .local: "local"
    case .redis(let store): "redis " + store.urls.map(\.address).joined(separator: ", ")
    }
  }

  /// Where it is and how it is asked, over TLS where its URLs want that; `nil`: nowhere.
  func settings() throws(TransportError) -> StoreSettings? {
    guard case .redis(let store) = self, let first = store.urls.first else { return nil }
    let tls = first.usesTLS ? try store.trust.context() : nil
    return StoreSettings(
      targets: store.urls.map { PoolTarget(host: $0.host, port: $0.port, tls: tls) },
      topology: store.topology.asAsked, user: first.user, password: store.password,
      database: first.database, keys: StoreKeys(prefix: store.prefix), timeout: store.timeout.nanoseconds)
  }

  /// What a running gateway cannot change of it: other counts would begin.
  var identity: String {
    guard case .redis(let store) = self else { return "local" }
    return "\(store.urls) \(store.topology) \(store.prefix)"
  }
}

extension GatewayConfiguration.RedisStore.Topology {
  fileprivate var asAsked: StoreSettings.Topology {
    switch self {
    case .single: .single
    case .sentinel(let master): .sentinel(master: master)
    case .cluster: .cluster
    }
  }
}
