internal import HTTPWire
internal import Primitives
internal import StrictJSON
internal import Transport

extension Reply {
  static func json(status: Int, _ body: [UInt8], closes: Bool = false) -> Reply {
    var lines = ByteBuffer()
    lines.append(field: "Content-Type", literal: "application/json")
    lines.append(field: "Cache-Control", literal: "no-store")
    lines.append("X-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n")
    return Reply(status: status, fieldLines: lines, body: body, closes: closes)
  }

  static func json(status: Int, error: String, closes: Bool = false) -> Reply {
    json(status: status, JSONWriter.object { $0.member("error", error) }, closes: closes)
  }

  static func api(_ answer: APIAnswer) -> Reply { json(status: answer.status, answer.body) }

  static func notAllowed(_ method: StaticString) -> Reply {
    var reply = json(status: 405, error: "expected \(method)")
    reply.fieldLines.append(field: "Allow", literal: method)
    return reply
  }

  /// Somebody who may not see this is asked for the token.
  static var unauthorized: Reply {
    var reply = Reply.json(
      status: 401, error: "expected `Authorization: Bearer TOKEN` with the token of tokenFile")
    reply.fieldLines.append(field: "WWW-Authenticate", literal: "Bearer")
    return reply
  }

  /// A document that runs its own scripts and nothing else, in no other's frame.
  static func page(_ page: StaticPage, status: Int = 200) -> Reply {
    var lines = ByteBuffer()
    lines.append(field: "Content-Type", literal: "text/html; charset=utf-8")
    lines.append(field: "Cache-Control", literal: "no-store")
    lines.append(field: "Content-Security-Policy", literal: page.policy)
    // With `no-referrer` a browser would send `Origin: null` with the login's form, which is what strangers send.
    lines.append(
      "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nReferrer-Policy: same-origin\r\n")
    lines.append("Cross-Origin-Opener-Policy: same-origin\r\nCross-Origin-Resource-Policy: same-origin\r\n")
    return Reply(status: status, fieldLines: lines, body: page.bytes)
  }
}

/// A document that is in the binary.
struct StaticPage: Sendable {
  let text: StaticString
  /// Its Content-Security-Policy, with the hashes of its own style and script.
  let policy: StaticString

  var bytes: [UInt8] { text.withUTF8Buffer { Array($0) } }
}
