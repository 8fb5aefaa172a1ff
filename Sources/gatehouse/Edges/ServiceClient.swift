import HTTPWire
import OpenSSLCrypto
import Primitives
import SigV4
import Transport

/// A request to the Chime SDK Identity API, before it is signed.
struct ServiceRequest {
  let method: StaticString
  /// As it goes on the wire: percent-encoded.
  let path: [UInt8]
  /// In canonical form, without `?`; empty for none.
  var query: [UInt8] = []
  /// JSON; empty for none.
  var body: [UInt8] = []
}

/// Signs requests and sends them to one place, over one connection. It belongs to one loop.
final class ServiceClient {
  private let host: [UInt8]
  private let timeout: Int64
  private let loop: EventLoop
  private let pool: UpstreamPool
  private let signer: Signer
  private var workspace = SigningWorkspace()

  /// - Parameters:
  ///   - host: what the Host field says.
  ///   - connectTimeout: nanoseconds until there must be a connection.
  ///   - timeout: nanoseconds that one exchange may take, connecting included.
  init(
    _ target: PoolTarget, host: String, region: String, credentials: Credentials, connectTimeout: Int64,
    timeout: Int64, loop: EventLoop
  ) {
    self.host = Array(host.utf8)
    self.timeout = timeout
    self.loop = loop
    signer = Signer(SigningScope(region: Text(region)), credentials: credentials, host: Array(host.utf8))
    pool = UpstreamPool(
      target: target,
      limits: .init(
        connections: 1, connectTimeout: connectTimeout, idleTimeout: timeout,
        response: HTTPLimits(headerBytes: 64 << 10, bodyBytes: 4 << 20)),
      resolver: Resolver(), loop: loop)
  }

  func send(_ request: ServiceRequest) async throws(ExchangeFailure) -> ResponseMessage {
    let deadline = loop.clock.monotonic().nanoseconds + timeout
    return try await pool.exchange(signed(request), deadline: deadline)
  }

  func close() { pool.close() }

  private static let json = Array("application/json".utf8)

  private func signed(_ request: ServiceRequest) -> ByteBuffer {
    let method = Array(request.method.description.utf8)
    let contentType = request.body.isEmpty ? nil : Self.json[...]
    var out = ByteBuffer()
    RequestWriter.appendLine(
      method: method.span, path: request.path.span, query: request.query.span, into: &out)
    out.append(field: "host", host)
    if let contentType {
      out.append(field: "content-type", contentType.span)
      out.append(field: "content-length", decimal: request.body.count)
    }
    signer.sign(
      OutboundRequest(
        method: method.span, path: request.path.span, canonicalQuery: request.query.span,
        contentType: contentType?.span, payloadHash: SHA256.digest(request.body)),
      at: loop.clock.wallClock(), workspace: &workspace, into: &out)
    out.append("\r\n")
    out.append(request.body)
    return out
  }
}

extension ResponseHead {
  /// The value of the first field of that name, which is in lower case.
  func text(of name: StaticString) -> String? {
    first(named: name).map { String(decoding: bytes[$0], as: UTF8.self) }
  }
}
