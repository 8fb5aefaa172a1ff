internal import ChimeIdentity
internal import Primitives
internal import StrictJSON

/// What CreateAppInstanceUser asks for. Requests with one token must be equal in all of it.
struct CreateUserRequest: Hashable, Sendable {
  let appInstanceArn: Text
  let userId: Text
  let name: Text
  let metadata: Text?
  let token: Text
  let tags: [Tag]
  let expirationDays: Int?

  init(_ body: RequestBody) throws(SandboxFailure) {
    appInstanceArn = body.text("AppInstanceArn")
    userId = body.text("AppInstanceUserId")
    name = body.text("Name")
    metadata = body.optionalText("Metadata")
    token = try body.clientRequestToken()
    tags = body.tags
    expirationDays = body.expirationDays
  }
}

/// What CreateAppInstance asks for.
struct CreateAppInstanceRequest: Hashable, Sendable {
  let name: Text
  let metadata: Text?
  let token: Text
  let tags: [Tag]

  init(_ body: RequestBody) throws(SandboxFailure) {
    name = body.text("Name")
    metadata = body.optionalText("Metadata")
    token = try body.clientRequestToken()
    tags = body.tags
  }
}

/// Reads the members of a body that the service model has accepted: required ones are there, types are right, and
/// `null` stands for absence.
struct RequestBody {
  private let document: JSONDocument?

  init(_ document: JSONDocument?) { self.document = document }

  func text(_ name: Text) -> Text { optionalText(name) ?? "" }

  func optionalText(_ name: Text) -> Text? {
    document.flatMap { document in member(name).flatMap { document.text($0) } }
  }

  /// The service wants a token where its model says so; the model's validation lets it be absent because the gateway
  /// fills it in.
  func clientRequestToken() throws(SandboxFailure) -> Text {
    guard let token = optionalText("ClientRequestToken") else {
      throw SandboxFailure(.badRequest, "`ClientRequestToken` is required")
    }
    return token
  }

  var tags: [Tag] {
    guard let document, let list = member("Tags") else { return [] }
    return document.elements(list).compactMap { element in
      guard let key = document.member("Key", of: element).flatMap({ document.text($0) }),
        let value = document.member("Value", of: element).flatMap({ document.text($0) })
      else { return nil }
      return Tag(key: key, value: value)
    }
  }

  var tagKeys: [Text] {
    guard let document, let list = member("TagKeys") else { return [] }
    return document.elements(list).compactMap { document.text($0) }
  }

  var expirationDays: Int? {
    guard let document, let settings = member("ExpirationSettings") else { return nil }
    return document.member("ExpirationDays", of: settings).flatMap { document.integer($0) }
  }

  private func member(_ name: Text) -> JSONNode? {
    document.flatMap { $0.member(name, of: $0.root) }
  }
}
