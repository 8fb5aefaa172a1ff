internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

/// Rules of one policy that the policy's own changes break. They are warnings: the policy does what
/// it says, which is hardly what its author meant.
struct SelfContradictions {
  private let document: PolicyDocument
  private(set) var problems: [Problem] = []

  init(_ document: PolicyDocument) {
    self.document = document
    if let rules = document.tags { reviewTags(rules) }
  }

  private mutating func warn(_ position: SourcePosition, _ message: String) {
    problems.append(document.problem(at: position, severity: .warning, message))
  }

  private mutating func reviewTags(_ rules: PolicyDocument.TagRules) {
    for required in rules.required {
      let key = required.key
      if let value = required.defaultValue { reviewValue(value, of: required, "default") }
      for other in rules.required where FoldedKey(key.value).differsOnlyInCase(from: other.key.value) {
        warn(key.position, "another required tag differs from `\(Wording.shown(key.value))` only in case")
      }
    }
    for (key, value) in rules.set {
      if rules.forbiddenKeys.contains(where: { $0.matches(key.value) }) {
        warn(key.position, "the tag `\(Wording.shown(key.value))` is set and in forbiddenKeys")
      }
      for required in rules.required where required.key.value == key.value {
        reviewValue(value, of: required, "value set")
      }
      for required in rules.required where FoldedKey(required.key.value).differsOnlyInCase(from: key.value) {
        warn(
          key.position,
          "the tag set differs from the required `\(Wording.shown(required.key.value))` only in case")
      }
    }
  }

  /// Of values that hang on tenant or request nothing can be said here.
  private mutating func reviewValue(
    _ value: PolicyDocument.Located<Text>, of required: PolicyDocument.RequiredTag, _ what: String
  ) {
    guard let template = try? Template(value.value), template.isConstant else { return }
    let key = Wording.shown(required.key.value)
    if let values = required.values, values.allSatisfy({ (try? Template($0.value).isConstant) ?? false }),
      !values.contains(where: { Glob($0.value).matches(value.value) })
    {
      warn(value.position, "the \(what) of the tag `\(key)` is none of its values")
    }
    if let pattern = required.pattern, pattern.value.matchesWhole(value.value) != .matched {
      warn(value.position, "the \(what) of the tag `\(key)` does not match its pattern")
    }
  }
}
