internal import StrictJSON

/// What the AWS CLI prints of a policy: the document stands inside of it as a string.
/// https://docs.aws.amazon.com/cli/latest/reference/organizations/describe-policy.html and …/describe-effective-policy.html
struct PrintedTagPolicy {
  /// The command, the member that holds the rest, and the one that holds the document.
  private static let known = [
    (command: "describe-policy --policy-id ID", wrapper: "Policy", content: "Content"),
    (
      command: "describe-effective-policy --policy-type TAG_POLICY", wrapper: "EffectivePolicy",
      content: "PolicyContent"
    ),
  ]

  let message: String

  /// - Returns: `nil` when `node` is something else.
  init?(_ node: LocatedJSON) {
    guard case .object(let members) = node.value, !members.contains(where: { $0.key == "tags" }),
      let printed = Self.known.first(where: { printed in
        members.contains { $0.key == printed.wrapper || $0.key == printed.content }
      })
    else { return nil }
    let (command, wrapper, content) = printed
    message =
      "this is what the AWS CLI prints around a tag policy, and the document is the string in \(quoted(content));"
      + " expected the document alone, as `aws organizations \(command) --query \(wrapper).\(content)"
      + " --output text` prints it"
  }
}
