internal import HTTPWire
internal import Primitives
internal import Transport

/// `/api/…`: what the dashboard shows, as JSON.
struct DashboardHandler: Sendable {
  let source: any DashboardSource
  let drain: DrainFlag

  /// - Parameters:
  ///   - path: behind `/api/`.
  ///   - isAllowed: whether whoever asks still may, for answers without end.
  func reply(
    to request: RequestMessage, path: Substring, method: String, on connection: ByteStream,
    while isAllowed: () -> Bool
  ) async -> Reply {
    if path == "explain" {
      return method == "POST" ? .api(await source.explain(request.bodyArray)) : .notAllowed("POST")
    }
    guard method == "GET" || method == "HEAD" else { return .notAllowed("GET") }
    if path == "live" {
      guard method == "GET" else { return .notAllowed("GET") }
      guard let feed = source.live else {
        return .json(status: 404, error: "this gateway has no journal to watch")
      }
      return await LiveAnswer(feed: feed, drain: drain).reply(
        to: request.head, on: connection, while: isAllowed)
    }
    let parameters: [APIParameter]
    do throws(QueryViolation) {
      parameters = try Self.parameters(of: request.head)
    } catch {
      return .json(
        status: 400,
        error:
          "the query is not percent-encoded as RFC 3986 has it; expected `name=value` pairs joined by `&`, "
          + "with `%20` for a space and `%2B` for a plus")
    }
    switch path {
    case "overview": return .api(await source.overview())
    case "health": return .api(await source.health())
    case "tenants": return .api(await source.tenants())
    case "policies": return .api(await source.policies())
    case "requests": return .api(await source.requests(parameters))
    case "counts": return .api(await source.counts(parameters))
    case "openapi.json": return .json(status: 200, DashboardPage.openAPI.withUTF8Buffer { Array($0) })
    default:
      if path.hasPrefix("requests/"), let id = PercentCoding.decode(path.dropFirst(9).utf8),
        let id = Text(validating: id)
      {
        return .api(await source.request(id, parameters))
      }
      return .json(status: 404, error: "no such resource; see /api/openapi.json")
    }
  }

  private static func parameters(of head: RequestHead) throws(QueryViolation) -> [APIParameter] {
    guard let query = head.query else { return [] }
    return try CanonicalQuery(parsing: head.bytes[query]).pairs.map { APIParameter($0.name, $0.value) }
  }
}
