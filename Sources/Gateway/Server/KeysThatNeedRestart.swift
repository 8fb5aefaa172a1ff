internal import Configuration

extension GatewayConfiguration {
  /// The keys whose change a running process cannot take over.
  func keysThatNeedRestart(since running: GatewayConfiguration) -> [String] {
    var keys: [String] = []
    func compare(_ key: String, _ value: (GatewayConfiguration) -> some Equatable) {
      if value(self) != value(running) { keys.append(key) }
    }
    compare("listeners") { $0.listeners.map { "\($0.address) \($0.tls == nil) \($0.proxyProtocol)" } }
    compare("admin") { $0.admin?.address }
    // One that is another is asked for at once; one that is gone is still asked for.
    compare("admin.tokenFile") { $0.admin?.token == nil }
    compare("upstream.maxConnections") { $0.upstream.maxConnections }
    compare("upstream.connectTimeout") { $0.upstream.connectTimeout }
    compare("upstream.idleTimeout") { $0.upstream.idleTimeout }
    compare("upstream.circuitBreaker") { "\($0.upstream.circuitBreaker)" }
    compare("upstream.retry.budgetPercent") { $0.upstream.retry.budgetPercent }
    compare("authentication.replayWindow") { $0.authentication.replayWindow }
    compare("audit.directory") { $0.audit.directory.path }
    compare("audit") { "\($0.audit.durability) \($0.audit.onFailure) \($0.audit.segmentSize)" }
    compare("audit.postgres") {
      $0.audit.postgres.map {
        "\($0.url.shown) \($0.schema) \($0.gatewayId ?? "") \($0.batch) \($0.connectTimeout)"
      }
    }
    compare("limits") { "\($0.limits)" }
    compare("admin.connections") { $0.admin?.connections }
    compare("workers") { $0.workers }
    compare("log.level") { $0.log.level }
    return keys
  }
}
