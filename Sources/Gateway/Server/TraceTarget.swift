internal import Configuration
internal import HTTPWire
internal import OpenSSLCrypto
internal import Transport

extension Tracer {
  /// With a connection of its own to the collector, verified by the system's authorities.
  convenience init(
    _ settings: TraceSettings, with resolver: Resolver, on loop: EventLoop,
    report: @escaping @Sendable (Event) -> Void
  ) throws(TransportError) {
    var tls: TLSContext?
    if settings.endpoint.usesTLS {
      do throws(TLSFault) {
        tls = try .client(authorities: nil)
      } catch {
        throw .tls(error.message)
      }
    }
    let pool = UpstreamPool(
      target: PoolTarget(host: settings.endpoint.host, port: settings.endpoint.port, tls: tls),
      limits: .init(
        connections: 1, connectTimeout: 2_000_000_000, idleTimeout: 30_000_000_000,
        response: HTTPLimits(headerBytes: 16 << 10, bodyBytes: 256 << 10)),
      resolver: resolver, loop: loop)
    self.init(settings, collector: pool, on: loop, report: report)
  }
}
