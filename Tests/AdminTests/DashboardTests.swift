import OpenSSLCrypto
import Primitives
import StrictJSON
import Testing

@testable import Admin

private let ours = "Origin: http://127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n"

extension Answer {
  /// `NAME=VALUE` of the cookie that it sets.
  fileprivate var cookie: String? {
    head.split(separator: "\r\n").first { $0.hasPrefix("Set-Cookie: ") }?.dropFirst(12).split(separator: ";")
      .first
      .map(String.init)
  }
}

@Suite struct DashboardRoutingTests {
  @Test(arguments: [
    ("/api/overview", "overview"), ("/api/health", "health"), ("/api/tenants", "tenants"),
    ("/api/policies", "policies"), ("/api/requests", "requests "),
    ("/api/counts?countBy=tenant%2Cday", "counts countBy=tenant,day"),
    ("/api/requests?tag=A%3D1&tag=B%3D%20&tenant=crm", "requests tag=A=1&tag=B= &tenant=crm"),
    ("/api/requests/0000-11", "request 0000-11"), ("/api/requests/a%20b", "request a b"),
  ])
  func eachResourceIsTheSources(_ path: String, _ said: String) async throws {
    let answer = try await ask("GET", path, fields: bearer)
    #expect(answer.status == 200)
    #expect(answer.body == #"{"said":"\#(said)"}"#)
    #expect(answer.head.contains("Content-Type: application/json\r\n"))
    #expect(answer.head.contains("Cache-Control: no-store\r\n"))
  }

  @Test func aQuestionIsPosted() async throws {
    #expect(
      try await ask("POST", "/api/explain", fields: bearer, body: "{}").body == #"{"said":"explain 2"}"#)
    #expect(try await ask("GET", "/api/explain", fields: bearer).status == 405)
    #expect(try await ask("POST", "/api/overview", fields: bearer).status == 405)
    #expect(try await ask("GET", "/api/nothing", fields: bearer).status == 404)
  }

  @Test(arguments: ["a+b", "a;b", "a==b"])
  func aQueryThatCanBeReadInTwoWaysIsRefused(_ query: String) async throws {
    let answer = try await ask("GET", "/api/requests?tag=\(query)", fields: bearer)
    #expect(answer.status == 400)
    #expect(answer.body.contains("%20"))
  }

  @Test func theDescriptionIsJSON() async throws {
    let answer = try await ask("GET", "/api/openapi.json", fields: bearer)
    let document = try JSONDocument(parsing: Array(answer.body.utf8))
    #expect(document.member("openapi", of: document.root).flatMap(document.text) == "3.1.0")
  }

  /// A question costs more than a page of elsewhere may have a browser ask for.
  @Test(arguments: ["Sec-Fetch-Site: cross-site\r\n", "Origin: http://attacker.example\r\n"])
  func aPageOfElsewhereIsNotAnswered(_ fields: String) async throws {
    #expect(try await ask("GET", "/api/requests", fields: bearer + fields).status == 403)
    #expect(try await ask("GET", "/api/requests", fields: fields, isOpen: true).status == 403)
  }

  @Test func thePageRunsItsOwnScriptsAlone() async throws {
    for (path, fields, status) in [("/", bearer, 200), ("/", "", 401)] {
      let answer = try await ask("GET", path, fields: fields)
      #expect(answer.status == status)
      #expect(answer.head.contains("Content-Type: text/html; charset=utf-8\r\n"))
      #expect(answer.head.contains("Content-Security-Policy: default-src 'none'; script-src 'sha256-"))
      #expect(answer.head.contains("frame-ancestors 'none'"))
      #expect(answer.head.contains("X-Content-Type-Options: nosniff\r\n"))
      #expect(answer.head.contains("Referrer-Policy: same-origin\r\n"))
    }
  }
}

@Suite struct LoginTests {
  @Test func whoHasNoTokenIsAskedForIt() async throws {
    let answer = try await ask("GET", "/")
    #expect(answer.status == 401)
    #expect(answer.head.contains("WWW-Authenticate: Bearer\r\n"))
    #expect(answer.body.contains(#"<form method="post" action="/login">"#))
    #expect(!answer.body.contains("That is not the token."))
  }

  @Test func theTokenGivesACookieThatIsTakenLikeTheBearer() async throws {
    let handler = handler()
    let login = try await ask("POST", "/login", fields: ours, body: "token=\(token)", of: handler)
    #expect(login.status == 303)
    #expect(login.head.contains("Location: /\r\n"))
    let attributes = "; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict\r\n"
    #expect(login.head.contains(attributes))
    let cookie = try #require(login.cookie)
    #expect(!cookie.contains(token))
    for path in ["/", "/api/overview", "/metrics"] {
      #expect(try await ask("GET", path, fields: "Cookie: other=1; \(cookie)\r\n", of: handler).status == 200)
    }
    #expect(
      try await ask("POST", "/reload", fields: "Cookie: \(cookie)\r\n" + ours, of: handler).status == 200)
  }

  @Test func itIsMarkedSecureBehindTLS() async throws {
    let fields = "Origin: https://gateway.example\r\n"
    let login = try await ask(
      "POST", "/login", host: "gateway.example", fields: fields, body: "token=\(token)")
    #expect(login.head.contains("; SameSite=Strict; Secure\r\n"))
  }

  @Test(arguments: [
    "token=wrong", "token=", "", "token=\(token)x", "tokens=\(token)", "token=\(token)&token=x", "token=%2",
  ])
  func anythingElseIsAskedForAgain(_ body: String) async throws {
    let answer = try await ask("POST", "/login", fields: ours, body: body)
    #expect(answer.status == 401)
    #expect(answer.cookie == nil)
    #expect(answer.body.contains("That is not the token."))
    #expect(!answer.body.contains(token))
  }

  /// Else a page of elsewhere could log somebody in, or find out that a token is right.
  @Test func aPageOfElsewhereCannotLogIn() async throws {
    let fields = "Origin: http://attacker.example\r\n"
    let answer = try await ask("POST", "/login", fields: fields, body: "token=\(token)")
    #expect(answer.status == 403)
    #expect(answer.cookie == nil)
  }

  @Test func aCookieOfSomebodyElseIsNothing() async throws {
    let handler = handler()
    let cookie = try #require(
      try await ask("POST", "/login", fields: ours, body: "token=\(token)", of: handler).cookie)
    for wrong in [
      cookie.dropLast() + "", cookie + "0", "gatehouse-session-0=", "gatehouse-session-0=\(token)",
    ] {
      #expect(try await ask("GET", "/metrics", fields: "Cookie: \(wrong)\r\n", of: handler).status == 401)
    }
    // Another port is another gateway.
    let other = try await ask(
      "GET", "/metrics", host: "127.0.0.1:99", fields: "Cookie: \(cookie)\r\n", of: handler)
    #expect(other.status == 401)
  }

  @Test func loggingOutEndsIt() async throws {
    let handler = handler()
    let cookie = try #require(
      try await ask("POST", "/login", fields: ours, body: "token=\(token)", of: handler).cookie)
    let logout = try await ask("POST", "/logout", fields: "Cookie: \(cookie)\r\n" + ours, of: handler)
    #expect(logout.status == 303)
    #expect(logout.head.contains("Max-Age=0"))
    #expect(try await ask("GET", "/metrics", fields: "Cookie: \(cookie)\r\n", of: handler).status == 401)
  }

  @Test func withoutATokenFileThereIsNothingToLogInTo() async throws {
    let answer = try await ask("POST", "/login", body: "token=x", isOpen: true)
    #expect(answer.status == 303)
    #expect(answer.cookie == nil)
    #expect(try await ask("GET", "/", isOpen: true).status == 200)
  }

  @Test func formsEncodeWhatTokensMayHold() {
    #expect(LoginForm.token(in: Array("token=a%2Bb+c%3D".utf8)) == Array("a+b c=".utf8))
  }
}

@Suite struct SessionTableTests {
  private let token = SHA256.digest(Array("a token".utf8))
  private func moment(_ seconds: Int64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: seconds * 1_000_000_000)
  }

  @Test func aSessionLastsAWorkingDay() {
    var table = SessionTable()
    table.begin([1], token: token, now: moment(0))
    #expect(table.holds([1], token: token, now: moment(SessionTable.seconds - 1)))
    #expect(!table.holds([1], token: token, now: moment(SessionTable.seconds)))
    #expect(!table.holds([2], token: token, now: moment(0)))
  }

  @Test func anotherTokenEndsIt() {
    var table = SessionTable()
    table.begin([1], token: token, now: moment(0))
    #expect(!table.holds([1], token: SHA256.digest(Array("another".utf8)), now: moment(1)))
  }

  @Test func theOldestGivesWay() {
    var table = SessionTable()
    for number in 0...UInt8(SessionTable.most) {
      table.begin([number], token: token, now: moment(Int64(number)))
    }
    #expect(!table.holds([0], token: token, now: moment(100)))
    #expect(table.holds([1], token: token, now: moment(100)))
    #expect(table.holds([UInt8(SessionTable.most)], token: token, now: moment(100)))
  }
}
