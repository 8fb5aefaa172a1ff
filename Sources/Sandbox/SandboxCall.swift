internal import ChimeIdentity
internal import Primitives
internal import StrictJSON

/// A request as the operations see it: what its target and its body say, with the time and the randomness for it.
struct SandboxCall {
  private let call: IdentifiedCall
  let body: RequestBody
  let now: WallClockTime
  private let entropy: any Entropy

  init(_ call: IdentifiedCall, _ document: JSONDocument?, now: WallClockTime, entropy: any Entropy) {
    self.call = call
    body = RequestBody(document)
    self.now = now
    self.entropy = entropy
  }

  /// A member in path or query that the service model requires.
  func target(_ name: Text) -> Text { call.member(name) ?? "" }

  func page() throws(SandboxFailure) -> Page { try Page(call) }

  /// An ID for what the call makes: a UUID, as AWS gives them.
  func newId() -> Text { RequestID(from: entropy).text }
}

/// Reads the members of a body, or of an object in one, that the service model has accepted: required ones are there,
/// types are right, and `null` stands for absence.
struct RequestBody {
  private let document: JSONDocument?
  /// `nil` when there is no such object, which then has no members.
  private let node: JSONNode?

  init(_ document: JSONDocument?) { self.init(document, document?.root) }

  private init(_ document: JSONDocument?, _ node: JSONNode?) {
    self.document = document
    self.node = node
  }

  /// The object under this name.
  func object(_ name: Text) -> RequestBody {
    RequestBody(document, member(name).flatMap { document?.kind($0) == .object ? $0 : nil })
  }

  /// Whether there is such an object.
  var isPresent: Bool { node != nil }

  func text(_ name: Text) -> Text { optionalText(name) ?? "" }

  func optionalText(_ name: Text) -> Text? {
    document.flatMap { document in member(name).flatMap { document.text($0) } }
  }

  func optionalInteger(_ name: Text) -> Int? {
    document.flatMap { document in member(name).flatMap { document.integer($0) } }
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

  var expirationDays: Int? { object("ExpirationSettings").optionalInteger("ExpirationDays") }

  private func member(_ name: Text) -> JSONNode? {
    document.flatMap { document in node.flatMap { document.member(name, of: $0) } }
  }
}
