internal import Configuration
internal import CredentialSources
internal import HTTPWire
internal import OpenSSLCrypto
internal import Primitives
internal import SigV4
internal import Transport

/// A few requests to one endpoint over one connection, all of them within one limit. It belongs to one loop.
final class HTTPSession {
  struct Answer {
    let status: Int
    let body: [UInt8]
  }

  private let who: String
  private let host: [UInt8]
  private let pool: UpstreamPool
  private let deadline: Int64
  private var workspace = SigningWorkspace(keys: SigningKeyCache(capacity: 2))

  /// - Parameters:
  ///   - who: what messages call it.
  ///   - limit: nanoseconds.
  init(
    _ endpoint: UpstreamEndpoint, who: String, limit: Int64, _ fetcher: CredentialFetcher
  ) throws(CredentialFailure) {
    self.who = who
    host = Array(endpoint.authority.utf8)
    deadline = fetcher.loop.clock.monotonic().nanoseconds + limit
    var tls: TLSContext?
    if endpoint.usesTLS {
      let file = fetcher.surroundings.environment.nonEmpty("AWS_CA_BUNDLE")
      let authorities = file.flatMap { fetcher.surroundings.read($0) }
      if let file, authorities == nil { throw .file(file, reason: "AWS_CA_BUNDLE names it") }
      do throws(TLSFault) {
        tls = try .client(authorities: authorities)
      } catch {
        throw .unreachable(who, reason: error.message)
      }
    }
    pool = UpstreamPool(
      target: PoolTarget(host: endpoint.host, port: endpoint.port, tls: tls),
      limits: .init(
        connections: 1, connectTimeout: limit, idleTimeout: limit,
        response: HTTPLimits(headerBytes: 64 << 10, bodyBytes: 256 << 10)),
      resolver: fetcher.resolver, loop: fetcher.loop)
  }

  func close() { pool.close() }

  func send(
    _ method: StaticString, _ path: String, query: String = "", _ fields: [(StaticString, String)]
  ) async throws(CredentialFailure) -> Answer {
    var out = ByteBuffer()
    begin(method, path, query: query, into: &out)
    for (name, value) in fields { out.append(field: name, Array(value.utf8)) }
    if method.description != "GET" { out.append(field: "Content-Length", decimal: 0) }
    out.append("\r\n")
    return try await exchange(out)
  }

  /// A form to `/`.
  func post(
    _ form: [UInt8], contentType: String, at time: WallClockTime, by signer: Signer?
  ) async throws(CredentialFailure) -> Answer {
    var out = ByteBuffer()
    begin("POST", "/", query: "", into: &out)
    let (method, path, type, none) = (
      Array("POST".utf8), Array("/".utf8), Array(contentType.utf8), [UInt8]()
    )
    out.append(field: "Content-Type", type)
    signer?.sign(
      OutboundRequest(
        method: method.span, path: path.span, canonicalQuery: none.span, contentType: type.span,
        payloadHash: SHA256.digest(form)), at: time, workspace: &workspace, into: &out)
    out.append(field: "Content-Length", decimal: form.count)
    out.append("\r\n")
    out.append(form)
    return try await exchange(out)
  }

  private func begin(_ method: StaticString, _ path: String, query: String, into out: inout ByteBuffer) {
    let (method, path, query) = (Array(method.description.utf8), Array(path.utf8), Array(query.utf8))
    RequestWriter.appendLine(method: method.span, path: path.span, query: query.span, into: &out)
    out.append(field: "Host", host)
    out.append(field: "User-Agent", literal: "gatehouse")
    out.append(field: "Accept", literal: "*/*")
  }

  private func exchange(_ request: consuming ByteBuffer) async throws(CredentialFailure) -> Answer {
    do throws(ExchangeFailure) {
      let message = try await pool.exchange(request, deadline: deadline)
      return Answer(status: message.head.status, body: Array(message.head.bytes[message.body.range]))
    } catch {
      switch error {
      case .notSent(let reason), .lost(let reason): throw .unreachable(who, reason: "\(reason)")
      case .unreadable(let violation): throw .unreadable(who, reason: "\(violation)")
      case .timedOut: throw .unreachable(who, reason: "no answer in time")
      }
    }
  }
}
