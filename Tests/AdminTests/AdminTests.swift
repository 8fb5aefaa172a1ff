import HTTPWire
import OpenSSLCrypto
import Primitives
import StrictJSON
import TestSupport
import Testing
import Transport

@testable import Admin

let token = "admin-token-for-tests"
let bearer = "Authorization: Bearer \(token)\r\n"

@Suite struct AdminAuthorizationTests {
  @Test(arguments: ["/healthz", "/readyz"])
  func healthIsShownWithoutAToken(_ path: String) async throws {
    #expect(try await ask("GET", path).status == 200)
  }

  @Test(
    arguments: [
      ("GET", "/metrics"), ("POST", "/reload"), ("GET", "/"), ("GET", "/api/x"), ("GET", "/nothing"),
    ])
  func everythingElseNeedsTheToken(_ method: String, _ path: String) async throws {
    let answer = try await ask(method, path)
    #expect(answer.status == 401)
    #expect(answer.head.contains("WWW-Authenticate: Bearer\r\n"))
    #expect(try await ask(method, path, fields: bearer).status != 401)
  }

  @Test(arguments: [
    "Authorization: Bearer \(token)x\r\n", "Authorization: Bearer \(token.dropLast())\r\n",
    "Authorization: Basic \(token)\r\n", "Authorization: Bearer\r\n", "Authorization: \(token)\r\n",
    "X-Authorization: Bearer \(token)\r\n", bearer + bearer,
  ])
  func anythingButTheTokenIsRefused(_ fields: String) async throws {
    let answer = try await ask("POST", "/reload", fields: fields)
    #expect(answer.status == 401)
    #expect(!answer.body.contains(token), "the answer shows the token")
  }

  @Test func theSchemeIsReadInAnyCase() async throws {
    #expect(try await ask("GET", "/metrics", fields: "authorization: bEARER \(token)\r\n").status == 200)
  }

  @Test func withoutATokenFileNothingIsAskedFor() async throws {
    #expect(try await ask("GET", "/metrics", isOpen: true).status == 200)
  }
}

@Suite struct AdminHostTests {
  @Test(arguments: [
    "localhost", "LOCALHOST:9901", "127.0.0.1", "127.0.0.1:9901", "[::1]", "[::1]:9901", "10.1.2.3:80",
    "gateway.example", "Gateway.Example:9901",
  ])
  func addressesAndLocalhostAreServed(_ host: String) async throws {
    #expect(try await ask("GET", "/healthz", host: host).status == 200)
  }

  /// A page in a browser can make its own name resolve to the admin listener, and can then read what that answers.
  @Test(arguments: [
    "rebind.attacker.example", "rebind.attacker.example:9901", "127.0.0.1.attacker.example:9901",
    "localhost.attacker.example", "notlocalhost",
  ])
  func aNameOfSomebodyElseIsNot(_ host: String) async throws {
    for (method, path) in [("GET", "/healthz"), ("GET", "/metrics"), ("POST", "/reload")] {
      #expect(try await ask(method, path, host: host, fields: bearer).status == 421, "\(method) \(path)")
    }
  }
}

/// A page of another site can have a browser send requests here, with what the browser keeps for us.
@Suite struct AdminOriginTests {
  @Test(arguments: [
    ("localhost:9901", "http://localhost:9901"), ("LOCALHOST:9901", "http://localhost:9901"),
    ("127.0.0.1", "http://127.0.0.1"), ("127.0.0.1:80", "http://127.0.0.1"),
    ("[::1]:9901", "http://[::1]:9901"),
    ("gateway.example", "https://gateway.example"), ("gateway.example:443", "https://gateway.example"),
    ("gateway.example", "https://Gateway.Example:443"),
  ])
  func aPageOfOursReloads(_ host: String, _ origin: String) async throws {
    let fields = bearer + "Origin: \(origin)\r\n"
    for site in ["", "Sec-Fetch-Site: same-origin\r\n", "Sec-Fetch-Site: none\r\n"] {
      #expect(try await ask("POST", "/reload", host: host, fields: fields + site).status == 200, "\(site)")
    }
  }

  @Test(arguments: [
    "Origin: http://attacker.example\r\n", "Origin: null\r\n", "Origin: \r\n",
    "Origin: http://127.0.0.1:9902\r\n",
    "Origin: http://localhost:9901\r\n", "Origin: http://127.0.0.1:9901.attacker.example\r\n",
    "Origin: https://127.0.0.1:99010\r\n", "Origin: 127.0.0.1:9901\r\n", "Origin: ftp://127.0.0.1:9901\r\n",
    "Origin: https://gateway.example\r\n", "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n",
    "Sec-Fetch-Site: same-origin, cross-site\r\n",
    "Origin: http://127.0.0.1:9901\r\nOrigin: http://attacker.example\r\n",
    "Origin: http://127.0.0.1:9901\r\nSec-Fetch-Site: cross-site\r\n",
  ])
  func aPageOfElsewhereChangesNothing(_ fields: String) async throws {
    let answer = try await ask("POST", "/reload", host: "127.0.0.1:9901", fields: bearer + fields)
    #expect(answer.status == 403)
    #expect(!answer.body.contains("sha256"))
  }

  @Test func whatChangesNothingIsShownWithAnyOrigin() async throws {
    let fields = bearer + "Origin: http://attacker.example\r\nSec-Fetch-Site: cross-site\r\n"
    #expect(try await ask("GET", "/metrics", fields: fields).status == 200)
  }
}

@Suite struct AdminRoutingTests {
  @Test(arguments: [
    ("POST", "/healthz", "GET"), ("DELETE", "/readyz", "GET"), ("PUT", "/metrics", "GET"),
    ("GET", "/reload", "POST"),
  ])
  func anotherMethodIsNamedWithTheOneExpected(_ method: String, _ path: String, _ expected: String)
    async throws
  {
    let answer = try await ask(method, path, fields: bearer)
    #expect(answer.status == 405)
    #expect(answer.head.contains("Allow: \(expected)\r\n"))
  }

  @Test(arguments: ["/nothing", "/metrics/", "/Healthz", "/reload/now"])
  func anotherPathIsNotFound(_ path: String) async throws {
    #expect(try await ask("GET", path, fields: bearer).status == 404)
  }

  @Test func metricsAreThoseOfTheSource() async throws {
    let answer = try await ask("GET", "/metrics", fields: bearer)
    #expect(answer.body == "up 1\n")
    #expect(answer.head.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
  }

  @Test(arguments: [
    ("application/openmetrics-text", true), ("application/openmetrics-text; version=1.0.0", true),
    ("Application/OpenMetrics-Text;version=\"1.0.0\";q=0.5, text/plain;version=0.0.4;q=0.3,*/*;q=0.2", true),
    (
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        + "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,/;q=0.2", true
    ),
    ("application/openmetrics-text;version=2.0.0", false), ("application/openmetrics-text;q=0", false),
    ("application/openmetrics-text;q=0.2,text/plain", false), ("application/openmetrics-text;q=x", false),
    ("*/*", false), ("text/plain", false), ("", false), (";;q=,;", false), ("application/json", false),
  ])
  func openMetricsAreForThoseWhoAskForThem(_ accept: String, _ isOpen: Bool) async throws {
    let answer = try await ask("GET", "/metrics", fields: bearer + "Accept: \(accept)\r\n")
    let type = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    #expect(answer.head.contains("Content-Type: \(type)\r\n") == isOpen)
    #expect(answer.body == (isOpen ? "up 2\n" : "up 1\n"))
  }
}

@Suite struct ReadinessAndReloadTests {
  @Test func readinessShowsEveryCheck() async throws {
    let answer = try await ask("GET", "/readyz")
    let document = try JSONDocument(parsing: Array(answer.body.utf8))
    let checks = try #require(document.member("checks", of: document.root))
    #expect(document.member("ready", of: document.root).flatMap(document.boolean) == true)
    for name: Text in ["policies", "journal"] {
      let check = try #require(document.member(name, of: checks))
      #expect(document.member("ok", of: check).flatMap(document.boolean) == true)
    }
  }

  @Test func oneFailedCheckMakesItUnready() async throws {
    var source = FixedSource()
    source.journalIsReady = false
    let answer = try await ask("GET", "/readyz", source: source)
    #expect(answer.status == 503)
    let document = try JSONDocument(parsing: Array(answer.body.utf8))
    #expect(document.member("ready", of: document.root).flatMap(document.boolean) == false)
    let checks = try #require(document.member("checks", of: document.root))
    let journal = try #require(document.member("journal", of: checks))
    #expect(document.member("ok", of: journal).flatMap(document.boolean) == false)
    #expect(document.member("detail", of: journal).flatMap(document.text) == "disk \"full\"")
    let policies = try #require(document.member("policies", of: checks))
    #expect(document.member("ok", of: policies).flatMap(document.boolean) == true)
  }

  @Test func unreadinessIsNotIllness() async throws {
    var source = FixedSource()
    source.journalIsReady = false
    #expect(try await ask("GET", "/healthz", source: source).status == 200)
  }

  @Test func aReloadTellsTheNewRevision() async throws {
    let answer = try await ask("POST", "/reload", fields: bearer)
    #expect(answer.status == 200)
    #expect(answer.body.contains("sha256:abc"))
  }

  @Test func aFailedReloadListsEveryProblem() async throws {
    var source = FixedSource()
    source.problems = ["a.json:1:2: error: one", "b.json:3:4: error: two"]
    let answer = try await ask("POST", "/reload", fields: bearer, source: source)
    #expect(answer.status == 409)
    let document = try JSONDocument(parsing: Array(answer.body.utf8))
    let problems = try #require(document.member("problems", of: document.root))
    #expect(document.elements(problems).compactMap { document.text($0)?.string } == source.problems)
  }
}

struct FixedSource: AdminSource {
  var journalIsReady = true
  var problems: [String] = []

  func readiness() -> [ReadinessCheck] {
    [
      ReadinessCheck("policies", isReady: true, detail: "sha256:abc"),
      ReadinessCheck("journal", isReady: journalIsReady, detail: journalIsReady ? "" : "disk \"full\""),
    ]
  }
  func metrics(as form: MetricsForm) -> [UInt8] { Array((form == .text ? "up 1\n" : "up 2\n").utf8) }
  func reload() async -> ReloadResult {
    problems.isEmpty ? .done(revision: "sha256:abc") : .failed(problems: problems)
  }
}

struct Answer: Sendable {
  let status: Int
  /// The status line and the field lines.
  let head: String
  let body: String
}

/// Says what it was asked.
struct FixedDashboard: DashboardSource {
  private func say(_ text: String) -> APIAnswer { APIAnswer(body: Array(#"{"said":"\#(text)"}"#.utf8)) }
  var live: LiveFeed? { nil }
  func overview() async -> APIAnswer { say("overview") }
  func health() async -> APIAnswer { say("health") }
  func tenants() async -> APIAnswer { say("tenants") }
  func policies() async -> APIAnswer { say("policies") }
  func requests(_ parameters: [APIParameter]) async -> APIAnswer {
    say("requests " + parameters.map { "\($0.name)=\($0.value)" }.joined(separator: "&"))
  }
  func counts(_ parameters: [APIParameter]) async -> APIAnswer {
    say("counts " + parameters.map { "\($0.name)=\($0.value)" }.joined(separator: "&"))
  }
  func request(_ id: Text, _ parameters: [APIParameter]) async -> APIAnswer { say("request \(id)") }
  func explain(_ body: [UInt8]) async -> APIAnswer { say("explain \(body.count)") }
}

/// A handler whose token and clock a test may change.
func handler(_ source: FixedSource = FixedSource(), isOpen: Bool = false) -> AdminHandler {
  let access = AdminAccess(token: isOpen ? nil : Secret(Array(token.utf8)), hosts: ["gateway.example"])
  return AdminHandler(source: source, dashboard: FixedDashboard()) { access }
}

/// One request to a listener, over loopback.
/// - Parameter handler: `nil`: one of its own.
func ask(
  _ method: String, _ path: String, host: String = "127.0.0.1", fields: String = "", body: String = "",
  isOpen: Bool = false, source: FixedSource = FixedSource(), of known: AdminHandler? = nil
) async throws -> Answer {
  let text =
    "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  let handler = known ?? handler(source, isOpen: isOpen)
  return try await LoopHarness().run { loop in
    let listening = try SocketAddress(parsing: "127.0.0.1:0")
    let server = HTTPServer(handler: handler, limits: ServerLimits(), drain: DrainFlag(), loop: loop)
    let listener = try Listener(listening, loop: loop) { server.accept($0, tls: nil) }
    defer { listener.close() }
    let pool = UpstreamPool(
      target: PoolTarget(host: "127.0.0.1", port: listener.address.port, tls: nil),
      limits: UpstreamPool.Limits(
        connections: 1, connectTimeout: 5_000_000_000, idleTimeout: 60_000_000_000, response: HTTPLimits()),
      resolver: Resolver(), loop: loop)
    let message = try await pool.exchange(
      ByteBuffer(Array(text.utf8)), deadline: loop.clock.monotonic().nanoseconds + 10_000_000_000)
    return Answer(
      status: message.head.status,
      head: String(decoding: message.head.bytes[..<message.body.lowerBound], as: UTF8.self),
      body: String(decoding: message.bodyArray, as: UTF8.self))
  }
}
