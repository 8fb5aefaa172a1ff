package import HTTPWire
internal import OpenSSLCrypto
internal import Primitives
internal import StrictJSON
package import Transport

/// Health, metrics, reload and the dashboard, for operators.
package final class AdminHandler: HTTPHandler {
  private let source: any AdminSource
  private let dashboard: DashboardHandler
  /// Asked at each request, since a reload changes it.
  private let access: @Sendable () -> AdminAccess
  private let sessions = AdminSessions()

  package init(
    source: any AdminSource, dashboard: any DashboardSource, drain: DrainFlag = DrainFlag(),
    access: @escaping @Sendable () -> AdminAccess
  ) {
    self.source = source
    self.dashboard = DashboardHandler(source: dashboard, drain: drain)
    self.access = access
  }

  package func reply(to request: RequestMessage, on connection: ByteStream) async -> Reply {
    let head = request.head
    let access = access()
    guard let range = head.first(.host),
      let host = Authority(String(decoding: head.bytes[range], as: UTF8.self)),
      access.admits(host)
    else {
      return .json(
        status: 421, error: "the Host header names neither an IP address, localhost nor one of `admin.hosts`")
    }
    let path = String(decoding: head.bytes[head.path], as: UTF8.self)
    let method = String(decoding: head.bytes[head.method], as: UTF8.self)
    let isOurs = RequestOrigin.isOurs(head, host: host)
    guard method == "GET" || method == "HEAD" || isOurs else {
      return .json(status: 403, error: "a page of another origin changes nothing here")
    }
    switch (path, method) {
    case ("/healthz", "GET"), ("/healthz", "HEAD"):
      return .json(status: 200, JSONWriter.object { $0.member("status", "ok") })
    case ("/readyz", "GET"), ("/readyz", "HEAD"): return readyz()
    case ("/login", "POST"): return logIn(request, access, host, on: connection)
    default: break
    }
    guard isAllowed(head, host, on: connection) else {
      return path == "/" && (method == "GET" || method == "HEAD") ? .login(isRetry: false) : .unauthorized
    }
    switch (path, method) {
    case ("/metrics", "GET"), ("/metrics", "HEAD"): return metrics(head)
    case ("/reload", "POST"): return await reload()
    case ("/logout", "POST"): return .sendingHome(cookie: sessions.end(head, host: host))
    case ("/healthz", _), ("/readyz", _), ("/metrics", _), ("/", "POST"): return .notAllowed("GET")
    case ("/reload", _), ("/login", _), ("/logout", _): return .notAllowed("POST")
    case ("/", "GET"), ("/", "HEAD"): return .page(DashboardPage.main)
    case (let path, _) where path.hasPrefix("/api/"):
      // It changes nothing, but costs more than what a page of elsewhere may make a browser ask for.
      guard isOurs else { return .json(status: 403, error: "a page of another origin is not answered here") }
      return await dashboard.reply(to: request, path: path.dropFirst(5), method: method, on: connection) {
        isAllowed(head, host, on: connection)
      }
    case ("/", _): return .notAllowed("GET")
    default:
      return .json(
        status: 404,
        error: "nothing is here; see /, /api/openapi.json, /healthz, /readyz, /metrics and POST /reload")
    }
  }

  package func reply(toUnreadable fault: UnreadableRequest, on connection: ByteStream) async -> Reply {
    switch fault {
    case .violation(let violation): .json(status: 400, error: violation.description, closes: true)
    case .tooSlow: .json(status: 408, error: "the request did not arrive in time", closes: true)
    case .tooMuchContent: .json(status: 503, error: "too many bodies are awaited at the moment", closes: true)
    }
  }

  /// Whether the request bears the token that is in force now, or the cookie of a session.
  private func isAllowed(_ head: RequestHead, _ host: Authority, on connection: ByteStream) -> Bool {
    let access = access()
    guard let token = access.token, !access.authorizes(head) else { return true }
    return sessions.holds(head, host: host, token: token, now: connection.loop.turnBegan)
  }

  /// The token for a cookie. Where none is asked for there is nothing to log in to.
  private func logIn(
    _ request: RequestMessage, _ access: AdminAccess, _ host: Authority, on connection: ByteStream
  ) -> Reply {
    guard let token = access.token else { return .sendingHome(cookie: nil) }
    guard let given = LoginForm.token(in: request.bodyArray), Secret.constantTimeEqual(token, given) else {
      return .login(isRetry: true)
    }
    let cookie = sessions.begin(
      for: token, of: request.head, host: host, now: connection.loop.turnBegan)
    return .sendingHome(cookie: cookie)
  }

  private func readyz() -> Reply {
    let (isReady, body) = source.readinessObject()
    return .json(status: isReady ? 200 : 503, body)
  }

  private func metrics(_ head: RequestHead) -> Reply {
    let form = MetricsForm(
      accepting: head.values(named: "accept").map { String(decoding: head.bytes[$0], as: UTF8.self) })
    var lines = ByteBuffer()
    lines.append(field: "Content-Type", literal: form.contentType)
    return Reply(status: 200, fieldLines: lines, body: source.metrics(as: form))
  }

  private func reload() async -> Reply {
    switch await source.reload() {
    case .done(let revision):
      .json(status: 200, JSONWriter.object { $0.member("policyRevision", revision) })
    case .failed(let problems):
      .json(
        status: 409,
        JSONWriter.object { writer in
          writer.member("error", "the configuration was not taken over; what ran before goes on")
          writer.key("problems")
          writer.beginArray()
          problems.forEach { writer.string($0) }
          writer.endArray()
        })
    }
  }
}

extension Reply {
  /// Asks for the token.
  fileprivate static func login(isRetry: Bool) -> Reply {
    var reply = page(isRetry ? DashboardPage.loginAgain : DashboardPage.login, status: 401)
    reply.fieldLines.append(field: "WWW-Authenticate", literal: "Bearer")
    return reply
  }

  fileprivate static func sendingHome(cookie: String?) -> Reply {
    var lines = ByteBuffer()
    lines.append("Location: /\r\nCache-Control: no-store\r\n")
    if let cookie { lines.append(field: "Set-Cookie", Array(cookie.utf8)) }
    return Reply(status: 303, fieldLines: lines)
  }
}
