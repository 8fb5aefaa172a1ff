package import ChimeIdentity

/// The operations that policies have a say in, so that no call leads round them, and what each is held to.
package enum Governance: UInt8, Sendable, CaseIterable {
  case createUser
  case updateUser
  case putExpiration
  case tagUser
  case untagUser

  package var operation: Operation {
    switch self {
    case .createUser: .createAppInstanceUser
    case .updateUser: .updateAppInstanceUser
    case .putExpiration: .putAppInstanceUserExpirationSettings
    case .tagUser: .tagResource
    case .untagUser: .untagResource
    }
  }

  var checksUserID: Bool { self == .createUser }
  var checksName: Bool { self == .createUser || self == .updateUser }
  var checksMetadata: Bool { checksName }
  var checksExpiration: Bool { self == .createUser || self == .putExpiration }
  /// Whether the request holds all tags of the user, so that one can be missing or added.
  var checksAllTags: Bool { self == .createUser }
}

extension GovernedRequest {
  /// Which checks apply; `nil` when policies have no say in the request.
  package var governance: Governance? {
    switch operation {
    case .createAppInstanceUser: .createUser
    case .updateAppInstanceUser: .updateUser
    case .putAppInstanceUserExpirationSettings: .putExpiration
    case .tagResource: isAboutUser ? .tagUser : nil
    case .untagResource: isAboutUser ? .untagUser : nil
    default: nil
    }
  }

  /// An ARN that is not surely something else's is taken for a user's: no spelling leads round the rules.
  private var isAboutUser: Bool {
    guard let resourceArn, let arn = ChimeARNParts(resourceArn) else { return true }
    return arn.resource == .user
  }
}
