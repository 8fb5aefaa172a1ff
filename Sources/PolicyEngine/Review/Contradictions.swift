internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

/// Rules that another policy's changes break, so that every request which both match is refused. They are warnings: the
/// policies do what they say, which is hardly what their authors meant. What a policy's own changes break is an error:
/// see `SelfContradictions`.
struct Contradictions {
  private(set) var problems: [Problem] = []

  init(_ policies: [CompiledPolicy]) {
    let subjects = policies.map { PuttingPolicy($0.document) }
    for (index, changer) in subjects.enumerated() {
      for (other, checker) in subjects.enumerated()
      where changer.document.canMeet(checker.document) {
        if policies[index].governs(.createUser), policies[other].governs(.createUser) {
          if index != other { reviewTags(of: changer, by: checker) }
          if index <= other { reviewCase(changer, checker) }
        }
        if index != other, policies[index].sharesExpiration(with: policies[other]) {
          reviewDays(of: changer.document, by: checker.document)
        }
      }
    }
  }

  private mutating func warn(_ document: PolicyDocument, _ position: SourcePosition, _ message: String) {
    problems.append(document.problem(at: position, severity: .warning, message))
  }

  private mutating func reviewTags(of changer: PuttingPolicy, by checker: PuttingPolicy) {
    guard let rules = checker.document.tags else { return }
    let whose = "policy `\(MessageText.shown(checker.document.name.value))`'s"
    for put in changer.putTags {
      let key = put.key.text
      let tag = "the tag `\(MessageText.shown(key))` that \(changer.document.isPutIn)"
      let isExempt = checker.sets(key)
      if let allowed = rules.allowedKeys, !isExempt, !allowed.anyMatches(key) {
        warn(changer.document, put.value.position, "\(tag) is not among \(whose) allowedKeys")
      }
      if FoldedGlobList(rules.forbiddenKeys).matches(key) {
        warn(changer.document, put.value.position, "\(tag) is among \(whose) forbiddenKeys")
      }
      let isItsOwn = isExempt || checker.requires(key)
      for (assigned, _) in rules.set
      where !isItsOwn && put.key.differsOnlyInCase(from: assigned.value) {
        warn(
          changer.document, put.value.position,
          "\(tag) differs only in case from one that \(whose) `set` \(checker.document.putsIn), `\(MessageText.shown(assigned.value))`"
        )
      }
      for (required, rule) in checker.required {
        if required.text == key {
          if let fault = Self.fault(of: put.value.value, rule) {
            warn(
              changer.document, put.value.position, "the value of \(tag) \(fault) in \(whose) required tags")
          }
        } else if put.isSet, required.differsOnlyInCase(from: key) {
          warn(
            changer.document, put.value.position,
            "\(tag) differs only in case from one of \(whose) required tags, `\(MessageText.shown(required.text))`"
          )
        }
      }
    }
  }

  /// Of values that hang on tenant or request nothing can be said here.
  private static func fault(of value: Text, _ rule: PolicyDocument.RequiredTag) -> String? {
    guard let template = try? Template(value), template.isConstant else { return nil }
    if let values = rule.values, values.allSatisfy({ (try? Template($0.value).isConstant) ?? false }),
      !values.contains(where: { Glob($0.value).matches(value) }),
      rule.listed?.texts.contains(value.utf8.span) != true
    {
      return "is not among the values"
    }
    guard let pattern = rule.pattern.whole, pattern.value.matchesWhole(value) != .matched else { return nil }
    return "does not match the pattern"
  }

  private mutating func reviewCase(_ one: PuttingPolicy, _ other: PuttingPolicy) {
    for (key, rule) in one.required {
      for (otherKey, _) in other.required where key.differsOnlyInCase(from: otherKey.text) {
        warn(
          one.document, rule.key.position,
          "policy `\(MessageText.shown(other.document.name.value))` requires `\(MessageText.shown(otherKey.text))`, which"
            + " differs only in case: no request has both")
      }
    }
  }

  private mutating func reviewDays(of changer: PolicyDocument, by checker: PolicyDocument) {
    guard let days = changer.expiration?.defaultDays, let limits = checker.expiration else { return }
    let whose = "policy `\(MessageText.shown(checker.name.value))`'s"
    if let least = limits.minDays?.value, days.value < least {
      warn(
        changer, days.position,
        "the default of \(MessageText.count(days.value, "day")) is below \(whose) minDays, \(least)")
    }
    if let most = limits.maxDays?.value, days.value > most, limits.onExcess == .deny {
      warn(
        changer, days.position,
        "the default of \(MessageText.count(days.value, "day")) is above \(whose) maxDays, \(most)")
    }
  }
}

extension CompiledPolicy {
  fileprivate func sharesExpiration(with other: CompiledPolicy) -> Bool {
    [Governance.createUser, .putExpiration].contains { governs($0) && other.governs($0) }
  }
}
