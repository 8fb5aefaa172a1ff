internal import ChimeIdentity
internal import Primitives

/// Which part of a list is asked for.
struct Page {
  let size: Int
  /// The last element of the page before.
  let after: Text?

  /// The service's own page size, which is also the most that can be asked for.
  private static let standardSize = 50

  init(_ call: IdentifiedCall) throws(SandboxFailure) {
    size = call.member("MaxResults").flatMap { Int($0.string) } ?? Self.standardSize
    guard let token = call.member("NextToken") else {
      after = nil
      return
    }
    guard let last = Base64.decode(token.utf8).flatMap({ Text(validating: $0) }) else {
      throw SandboxFailure(.badRequest, "`NextToken` is none that the sandbox has given")
    }
    after = last
  }

  /// What a caller hands back to get the page after `last`. Opaque to it, as with AWS.
  static func token(after last: Text) -> Text { Text(Base64.encode(last.utf8)) }
}
