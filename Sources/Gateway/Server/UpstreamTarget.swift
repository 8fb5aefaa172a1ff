package import Configuration
package import Transport

extension PoolTarget {
  /// Where the configuration's `upstream` says, over TLS when its endpoint wants that.
  package init(_ upstream: GatewayConfiguration.Upstream) throws(TransportError) {
    let endpoint = upstream.endpoint
    let tls: TLSContext? = endpoint.usesTLS ? try .client(caFile: upstream.caFile?.path) : nil
    self.init(host: endpoint.host, port: endpoint.port, tls: tls)
  }
}
