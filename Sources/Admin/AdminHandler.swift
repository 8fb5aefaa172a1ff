package import HTTPWire
internal import Primitives
internal import StrictJSON
package import Transport

/// What the admin listener shows and does; the gateway provides it.
package protocol AdminSource: Sendable {
  /// What must be in order for requests to be served.
  func readiness() -> [ReadinessCheck]
  /// Everything counted, in Prometheus' text format 0.0.4.
  func metrics() -> [UInt8]
  /// Loads the configuration anew; on failure the running set stays in force.
  func reload() async -> ReloadResult
}

package struct ReadinessCheck: Sendable {
  package let name: String
  package let isReady: Bool
  /// For people: what is wrong, or what is there.
  package let detail: String
  /// What some checks tell besides.
  package enum Fact: Sendable {
    case text(String?)
    case number(Int?)
  }
  package let facts: [(name: String, value: Fact)]

  package init(_ name: String, isReady: Bool, detail: String, facts: [(name: String, value: Fact)] = []) {
    self.name = name
    self.isReady = isReady
    self.detail = detail
    self.facts = facts
  }
}

package enum ReloadResult: Sendable {
  case done(revision: String)
  /// `file:line:column: error: …` each.
  case failed(problems: [String])
}

/// Health, metrics and reload for operators.
package final class AdminHandler: HTTPHandler {
  private let source: any AdminSource
  /// Asked at each request, since a reload changes it.
  private let access: @Sendable () -> AdminAccess

  package init(source: any AdminSource, access: @escaping @Sendable () -> AdminAccess) {
    self.source = source
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
    guard method == "GET" || method == "HEAD" || RequestOrigin.isOurs(head, host: host) else {
      return .json(status: 403, error: "a page of another origin changes nothing here")
    }
    switch (path, method) {
    case ("/healthz", "GET"), ("/healthz", "HEAD"):
      return .json(status: 200, Self.object { $0.member("status", "ok") })
    case ("/readyz", "GET"), ("/readyz", "HEAD"): return readyz()
    default: break
    }
    guard access.authorizes(head) else {
      var reply = Reply.json(
        status: 401, error: "expected `Authorization: Bearer TOKEN` with the token of tokenFile")
      reply.fieldLines.append(field: "WWW-Authenticate", literal: "Bearer")
      return reply
    }
    switch (path, method) {
    case ("/metrics", "GET"), ("/metrics", "HEAD"): return metrics()
    case ("/reload", "POST"): return await reload()
    case ("/healthz", _), ("/readyz", _), ("/metrics", _): return .notAllowed("GET")
    case ("/reload", _): return .notAllowed("POST")
    case ("/", _):
      return .json(
        status: 501,
        error: "the dashboard is not available in this version; see /healthz, /readyz, /metrics, /reload")
    default:
      return .json(status: 404, error: "nothing is here; see /healthz, /readyz, /metrics and POST /reload")
    }
  }

  package func reply(toUnreadable fault: UnreadableRequest, on connection: ByteStream) async -> Reply {
    switch fault {
    case .violation(let violation): .json(status: 400, error: violation.description, closes: true)
    case .tooSlow: .json(status: 408, error: "the request did not arrive in time", closes: true)
    case .tooMuchContent: .json(status: 503, error: "too many bodies are awaited at the moment", closes: true)
    }
  }

  private func readyz() -> Reply {
    let checks = source.readiness()
    let isReady = checks.allSatisfy(\.isReady)
    let body = Self.object { writer in
      writer.key("ready")
      writer.boolean(isReady)
      writer.key("checks")
      writer.beginObject()
      for check in checks {
        writer.key(text: Text(check.name))
        writer.beginObject()
        writer.key("ok")
        writer.boolean(check.isReady)
        writer.member("detail", check.detail)
        for fact in check.facts {
          writer.key(text: Text(fact.name))
          switch fact.value {
          case .text(let text?): writer.string(text)
          case .number(let number?): writer.integer(number)
          case .text(nil), .number(nil): writer.null()
          }
        }
        writer.endObject()
      }
      writer.endObject()
    }
    return .json(status: isReady ? 200 : 503, body)
  }

  private func metrics() -> Reply {
    var lines = ByteBuffer()
    lines.append(field: "Content-Type", literal: "text/plain; version=0.0.4; charset=utf-8")
    return Reply(status: 200, fieldLines: lines, body: source.metrics())
  }

  private func reload() async -> Reply {
    switch await source.reload() {
    case .done(let revision):
      .json(status: 200, Self.object { $0.member("policyRevision", revision) })
    case .failed(let problems):
      .json(
        status: 409,
        Self.object { writer in
          writer.member("error", "the configuration was not taken over; what ran before goes on")
          writer.key("problems")
          writer.beginArray()
          problems.forEach { writer.string($0) }
          writer.endArray()
        })
    }
  }

  fileprivate static func object(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    members(&writer)
    writer.endObject()
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}

extension JSONWriter {
  fileprivate mutating func member(_ name: StaticString, _ value: String) {
    key(name)
    string(value)
  }
}

extension Reply {
  fileprivate static func json(status: Int, _ body: [UInt8], closes: Bool = false) -> Reply {
    var lines = ByteBuffer()
    lines.append(field: "Content-Type", literal: "application/json")
    lines.append(field: "Cache-Control", literal: "no-store")
    return Reply(status: status, fieldLines: lines, body: body, closes: closes)
  }

  fileprivate static func json(status: Int, error: String, closes: Bool = false) -> Reply {
    json(status: status, AdminHandler.object { $0.member("error", error) }, closes: closes)
  }

  fileprivate static func notAllowed(_ method: StaticString) -> Reply {
    var reply = json(status: 405, error: "expected \(method)")
    reply.fieldLines.append(field: "Allow", literal: method)
    return reply
  }
}
