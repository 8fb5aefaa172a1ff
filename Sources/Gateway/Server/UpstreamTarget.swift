package import Configuration
internal import OpenSSLCrypto
package import Transport

extension PoolTarget {
  /// Where the configuration's `upstream` says, over TLS when its endpoint wants that.
  package init(_ upstream: GatewayConfiguration.Upstream) throws(TransportError) {
    let endpoint = upstream.endpoint
    self.init(
      host: endpoint.host, port: endpoint.port, tls: endpoint.usesTLS ? try upstream.trust.context() : nil)
  }
}

extension GatewayConfiguration.UpstreamTrust {
  fileprivate func context() throws(TransportError) -> TLSContext {
    switch self {
    case .authorities(let context, _): return context
    case .system:
      do {
        return try .client(authorities: nil)
      } catch {
        throw .tls(error.message)
      }
    }
  }

  /// Whether the authorities are the same. What the system trusts is looked up anew, and counts as the same.
  func isSame(as other: Self) -> Bool {
    switch (self, other) {
    case (.system, .system): true
    case (.authorities(_, let one), .authorities(_, let other)): one == other
    default: false
    }
  }
}
