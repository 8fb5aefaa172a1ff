internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

/// Rules of one policy that nothing, or not the policy's own values, can keep. They are warnings: the policy does what
/// it says, which is hardly what its author meant.
struct SelfContradictions {
  private let document: PolicyDocument
  private(set) var problems: [Problem] = []

  init(_ document: PolicyDocument) {
    self.document = document
    if let rules = document.appInstanceUserId { reviewLengths(rules) }
    if let rules = document.userName { reviewLengths(rules) }
    if let rules = document.expiration { reviewExpiration(rules) }
    if let rules = document.tags { reviewTags(rules) }
  }

  private mutating func warn(_ position: SourcePosition, _ message: String) {
    problems.append(document.problem(at: position, severity: .warning, message))
  }

  private mutating func reviewLengths(_ rules: PolicyDocument.StringRules) {
    guard let least = rules.minLength, let most = rules.maxLength, least.value > most.value else { return }
    warn(least.position, "no value has at least \(least.value) and at most \(most.value) characters")
  }

  private mutating func reviewExpiration(_ rules: PolicyDocument.ExpirationRules) {
    if let least = rules.minDays, let most = rules.maxDays, least.value > most.value {
      warn(least.position, "nothing is at least \(least.value) and at most \(most.value) days")
    }
    guard let days = rules.defaultDays else { return }
    if let least = rules.minDays, days.value < least.value {
      warn(days.position, "the default of \(days.value) days is below minDays, \(least.value)")
    }
    if let most = rules.maxDays, days.value > most.value, rules.onExcess == .deny {
      warn(days.position, "the default of \(days.value) days is above maxDays, \(most.value)")
    }
  }

  private mutating func reviewTags(_ rules: PolicyDocument.TagRules) {
    for required in rules.required {
      let key = required.key
      if let allowed = rules.allowedKeys, !allowed.contains(where: { $0.matches(key.value) }) {
        warn(key.position, "the tag `\(Wording.shown(key.value))` is required and not in allowedKeys")
      }
      reviewForbidden(key, rules, "required")
      if let value = required.defaultValue { reviewValue(value, of: required, "default") }
      for other in rules.required where FoldedKey(key.value).differsOnlyInCase(from: other.key.value) {
        warn(key.position, "another required tag differs from `\(Wording.shown(key.value))` only in case")
      }
    }
    for (key, value) in rules.set {
      reviewForbidden(key, rules, "set")
      for required in rules.required where required.key.value == key.value {
        reviewValue(value, of: required, "value set")
      }
      for required in rules.required where FoldedKey(required.key.value).differsOnlyInCase(from: key.value) {
        warn(
          key.position, "the tag set differs from the required `\(Wording.shown(required.key.value))` only in case")
      }
    }
  }

  private mutating func reviewForbidden(
    _ key: PolicyDocument.Located<Text>, _ rules: PolicyDocument.TagRules, _ what: String
  ) {
    guard rules.forbiddenKeys.contains(where: { $0.matches(key.value) }) else { return }
    warn(key.position, "the tag `\(Wording.shown(key.value))` is \(what) and in forbiddenKeys")
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
