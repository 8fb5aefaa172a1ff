package import Configuration
internal import OpenSSLCrypto
package import Primitives
package import Transport

extension PoolTarget {
  /// Where the configuration's `upstream` says for each region, over TLS where an endpoint wants that.
  package static func targets(
    of upstream: GatewayConfiguration.Upstream
  ) throws(TransportError) -> PerRegion<PoolTarget> {
    let regions = upstream.regions
    let tls = regions.all.contains { $0.endpoint.usesTLS } ? try upstream.trust.context() : nil
    return regions.map {
      PoolTarget(
        host: $0.endpoint.host, port: $0.endpoint.port, tls: $0.endpoint.usesTLS ? tls : nil)
    }
  }
}

extension GatewayConfiguration.UpstreamTrust {
  func context() throws(TransportError) -> TLSContext {
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
