internal import ChimeIdentity
internal import Primitives

/// A request that the service recognises when it comes again. Requests with one token must be equal in all that they ask.
protocol TokenedRequest: Hashable, Sendable {
  var token: Text { get }
}

/// Requests that made something, by their ClientRequestToken, for as long as what they made is there. AWS does not say
/// for how long it knows a token.
struct ServedRequests<Request: TokenedRequest>: Sendable {
  private var served: [Text: (request: Request, id: Text)] = [:]

  /// The ID of what this very request made already.
  func made(by request: Request) throws(SandboxFailure) -> Text? {
    guard let earlier = served[request.token] else { return nil }
    guard earlier.request == request else {
      throw SandboxFailure(.conflict, "this ClientRequestToken was given with another request")
    }
    return earlier.id
  }

  /// The ID of what a request with this token made.
  func made(under token: Text) -> Text? { served[token]?.id }

  mutating func remember(_ request: Request, made id: Text) { served[request.token] = (request, id) }

  mutating func forget(_ token: Text) { served[token] = nil }
}
