internal import Primitives
internal import StrictJSON

extension Tenant.Role {
  static let form = Form<Self>.object("an object with a \"roleArn\"") { keys in
    let arn = keys.required("roleArn", .roleArn, "ARN of the role that the gateway assumes for the tenant.")
    let setsIdentity = keys.value(
      "sourceIdentity", .boolean, default: false,
      "Whether the session's SourceIdentity is the tenant's id; the role must allow sts:SetSourceIdentity.")
    return arn.map { Self(arn: $0, setsSourceIdentity: setsIdentity) }
  }

  /// The session bears the tenant's id, which STS must take.
  static func judge(_ role: Self, of id: PolicyDocument.Located<Text>, _ keys: Keys) {
    guard !isRoleSessionName(id.value.string) else { return }
    keys.error(
      at: id.position,
      "the tenant has \"assumeRole\", and its id \(quoted(id.value.string)) cannot be a role session's name; expected"
        + " 2 to 64 letters, digits and _ + = , . @ -")
  }
}
