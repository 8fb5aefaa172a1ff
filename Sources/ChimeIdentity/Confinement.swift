internal import Primitives
package import StrictJSON

/// What kind of resource a member must name for its caller to be confined by it.
package enum ConfiningResource: Sendable, Hashable {
  case appInstance, user, bot, userOrBot
  /// An AppInstance or whatever lies in one.
  case anything

  fileprivate func accepts(_ resource: ChimeARN.Resource) -> Bool {
    switch self {
    case .appInstance: resource == .appInstance
    case .user: resource == .user
    case .bot: resource == .bot
    case .userOrBot: resource == .user || resource == .bot
    case .anything: true
    }
  }
}

extension ModelValidator {
  /// Every member of the request, in body, path and query, that names an AppInstance or something in one. The caller
  /// may do what it asks only if each of them is the caller's.
  ///
  /// | operations | confined by |
  /// | --- | --- |
  /// | CreateAppInstance, ListAppInstances | nothing: they name no AppInstance |
  /// | Describe-, Update-, DeleteAppInstance, Get- and PutAppInstanceRetentionSettings, ListAppInstanceAdmins | AppInstanceArn (path) |
  /// | CreateAppInstanceAdmin | AppInstanceArn (path), AppInstanceAdminArn (body) |
  /// | Describe-, DeleteAppInstanceAdmin | AppInstanceArn, AppInstanceAdminArn (path) |
  /// | CreateAppInstanceUser, CreateAppInstanceBot | AppInstanceArn (body) |
  /// | ListAppInstanceUsers, ListAppInstanceBots | AppInstanceArn (query) |
  /// | Describe-, Update-, DeleteAppInstanceBot | AppInstanceBotArn (path) |
  /// | all others on users and their endpoints | AppInstanceUserArn (path) |
  /// | TagResource, UntagResource | ResourceARN (body) |
  /// | ListTagsForResource | ResourceARN (query, `arn`) |
  ///
  /// The ResourceArn of RegisterAppInstanceUserEndpoint is a Pinpoint application's, and LexBotAliasArn a bot's in
  /// Amazon Lex: they name no AppInstance.
  ///
  /// - Parameter visit: is told the member's name and value, and where the parts of the value stand; `nil` when it is
  ///   not, in exact form, what the member must name: nobody can be confined to it, so the request is to be refused like
  ///   one for a foreign AppInstance.
  /// - Throws: when a member that should say it breaks the model, or the query does. A required one that is not
  ///   there is left to `validate`, which refuses the request.
  package static func visitConfinementSubjects(
    of call: IdentifiedCall, document: JSONDocument?,
    _ visit: (_ member: StaticString, _ value: Span<UInt8>, _ arn: ChimeARNParts?) -> Void
  ) throws(ModelViolation) {
    if let violation = call.queryViolation { throw violation }
    let members = call.operation.input.members
    for index in 0..<members.count {
      guard let kind = members[index].confines else { continue }
      let name = members[index].name
      guard members[index].isInBody else {
        if let value = call.value(of: members[index]) {
          visit(name, value.utf8.span, try arn(in: value.utf8.span, of: members[index], naming: kind))
        }
        continue
      }
      guard let document, let node = document.find(name, in: document.root), document.kind(node) != .null
      else { continue }
      if let place = document.plainString(node) {
        let value = document.bytes.span.extracting(place)
        visit(name, value, try arn(in: value, of: members[index], naming: kind))
      } else if let text = document.text(node) {
        visit(name, text.utf8.span, try arn(in: text.utf8.span, of: members[index], naming: kind))
      } else {
        throw ModelViolation(.wrongType(expected: .string), at: "\(name)")
      }
    }
  }

  private static func arn(
    in value: Span<UInt8>, of member: ModelMember, naming kind: ConfiningResource
  ) throws(ModelViolation) -> ChimeARNParts? {
    guard let parts = ChimeARNParts(value) else {
      // Only what the model takes for an ARN can be one of the wrong kind. An exact one is an ARN to the model too.
      do { try target(value, member.shape) } catch { throw error.inside(member.name) }
      return nil
    }
    return kind.accepts(parts.resource) ? parts : nil
  }
}
