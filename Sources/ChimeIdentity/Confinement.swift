package import Primitives
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

/// A member of a request that says which AppInstance it is about.
package struct ConfinementSubject: Sendable {
  let name: StaticString
  /// `nil` when the value is not, in exact form, what the member must name: nobody can be confined to it, so the
  /// request is to be refused like one for a foreign AppInstance.
  package let arn: ChimeARN?

  /// `AppInstanceUserArn`
  package var member: Text { Text(name) }
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
  /// - Throws: when a member that should say it breaks the model, or the query does. A required one that is not
  ///   there is left to `validate`, which refuses the request.
  package static func confinementSubjects(
    of call: IdentifiedCall, document: JSONDocument?
  ) throws(ModelViolation) -> [ConfinementSubject] {
    if let violation = call.queryViolation { throw violation }
    var subjects: [ConfinementSubject] = []
    for member in call.operation.input.members {
      guard let kind = member.confines else { continue }
      let value = member.isInBody ? try bodyMember(member, in: document) : call.value(of: member)
      guard let value else { continue }
      let arn = ChimeARN(value)
      if arn == nil {
        // Only what the model takes for an ARN can be one of the wrong kind. An exact one is an ARN to the model too.
        do { try target(value, member.shape) } catch { throw error.inside(member.name) }
      }
      subjects.append(
        ConfinementSubject(name: member.name, arn: arn.flatMap { kind.accepts($0.resource) ? $0 : nil }))
    }
    return subjects
  }

  private static func bodyMember(
    _ member: ModelMember, in document: JSONDocument?
  ) throws(ModelViolation) -> Text? {
    guard let document, let node = document.find(member.name, in: document.root),
      document.kind(node) != .null
    else { return nil }
    guard let text = document.text(node) else {
      throw ModelViolation(.wrongType(expected: .string), at: "\(member.name)")
    }
    return text
  }
}
