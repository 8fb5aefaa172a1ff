internal import Configuration
internal import Primitives

/// Policies that put in or require what a tag policy refuses on users, so that every such request is refused.
struct TagPolicyReview {
  private(set) var problems: [Problem] = []

  init(_ policies: [CompiledPolicy], _ tagPolicies: [CompiledTagPolicy]) {
    let enforced = tagPolicies.filter { $0.mode(on: .user) == .enforce }
    guard !enforced.isEmpty else { return }
    for policy in policies where policy.document.mode != .off && policy.governs(.createUser) {
      guard let tags = policy.document.tags else { continue }
      for required in tags.required {
        review(required.key, required.defaultValue, in: policy.document, against: enforced)
      }
      for (key, value) in tags.set { review(key, value, in: policy.document, against: enforced) }
    }
  }

  private mutating func review(
    _ key: PolicyDocument.Located<Text>, _ value: PolicyDocument.Located<Text>?, in document: PolicyDocument,
    against tagPolicies: [CompiledTagPolicy]
  ) {
    for tagPolicy in tagPolicies {
      let tag = "the tag `\(MessageText.shown(key.value))`"
      let whose = "`\(MessageText.shown(tagPolicy.document.name.value))`"
      if tagPolicy.key.differsOnlyInCase(from: key.value) {
        warn(
          document, key,
          "\(tag) differs only in case from `\(MessageText.shown(tagPolicy.key.text))`, which \(whose) enforces"
        )
      } else if tagPolicy.key.text == key.value, let value, let constant = Self.constant(value.value),
        !tagPolicy.accepts(constant)
      {
        warn(
          document, value, "the value of \(tag) that \(document.isPutIn) is not among the values of \(whose)")
      }
    }
  }

  /// Of values that hang on tenant or request nothing can be said here.
  private static func constant(_ source: Text) -> Text? {
    guard let template = try? Template(source), template.isConstant else { return nil }
    return source
  }

  private mutating func warn(
    _ document: PolicyDocument, _ place: PolicyDocument.Located<Text>, _ message: String
  ) {
    problems.append(document.problem(at: place.position, severity: .warning, message))
  }
}
