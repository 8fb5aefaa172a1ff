internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

/// Changes that feed another policy's `when`. Each `when` is asked before policies with one make their changes, so that
/// the request which is forwarded would be judged otherwise if it came again.
struct WhenReview {
  private(set) var problems: [Problem] = []

  init(_ policies: [CompiledPolicy]) {
    let changing = policies.filter { $0.document.mode == .enforce && $0.document.when != nil }
    for changer in changing {
      for asker in policies
      where asker.document.name.value != changer.document.name.value && asker.document.when != nil
        && changer.document.canMeet(asker.document)
      {
        review(changer, asker.document)
      }
    }
  }

  private mutating func review(_ changer: CompiledPolicy, _ asker: PolicyDocument) {
    let fields = asker.when?.conditions.map(\.field) ?? []
    if changer.governs(.createUser) {
      for put in PuttingPolicy(changer.document).putTags {
        let isAsked = fields.contains { field in
          if case .tag(let key) = field {
            key == put.key.text || put.key.differsOnlyInCase(from: key)
          } else {
            false
          }
        }
        guard isAsked else { continue }
        warn(changer.document, put.value.position, "the tag `\(MessageText.shown(put.key.text))`", asker)
      }
    }
    guard fields.contains(.expirationDays), let rules = changer.document.expiration else { return }
    if let days = rules.defaultDays {
      warn(changer.document, days.position, PolicyField.expirationDays, asker)
    }
    if rules.onExcess == .clamp, let most = rules.maxDays {
      warn(changer.document, most.position, PolicyField.expirationDays, asker)
    }
  }

  private mutating func warn(
    _ document: PolicyDocument, _ position: SourcePosition, _ field: String, _ asker: PolicyDocument
  ) {
    let problem = document.problem(
      at: position, severity: .warning,
      "\(field) is changed where this policy's when holds, and policy `\(MessageText.shown(asker.name.value))`'s when"
        + " asks for it, before that; accepted: a change without a when, or a when that asks for something else"
    )
    if !problems.contains(problem) { problems.append(problem) }
  }
}

extension PolicyDocument.When {
  var needsLabels: Bool {
    conditions.contains { if case .tenantLabel = $0.field { true } else { false } }
  }

  /// Whether no request can have both; `false` where that is not sure.
  func excludes(_ other: Self) -> Bool {
    switch (self, other) {
    case (.any(let parts), _): parts.allSatisfy { $0.excludes(other) }
    case (_, .any(let parts)): parts.allSatisfy { excludes($0) }
    case (.all(let parts), _): parts.contains { $0.excludes(other) }
    case (_, .all(let parts)): parts.contains { excludes($0) }
    case (.not(let part), _): other.implies(part)
    case (_, .not(let part)): implies(part)
    case (.condition(let field, let test), .condition(let otherField, let otherTest)):
      field == otherField && test.excludes(otherTest)
    }
  }

  private func implies(_ other: Self) -> Bool {
    guard case .condition(let field, let test) = self, case .condition(field, let wide) = other else {
      return false
    }
    return test.implies(wide)
  }
}

extension PolicyDocument.When.Test {
  fileprivate func excludes(_ other: Self) -> Bool {
    switch (self, other) {
    case (.present(let one), .present(let other)): one != other
    case (.present(false), _), (_, .present(false)): true
    case (.globs(let globs), .globs(let others)): !PolicyDocument.Match.overlap(globs, others)
    case (.range(let least, let most), .range(let otherLeast, let otherMost)):
      (most ?? .max) < (otherLeast ?? .min) || (otherMost ?? .max) < (least ?? .min)
    default: false
    }
  }

  fileprivate func implies(_ wide: Self) -> Bool {
    switch (self, wide) {
    case (.present(let one), .present(let other)): one == other
    case (_, .present(true)): true
    case (.globs(let globs), .globs(let wide)): globs.allSatisfy(wide.contains)
    default: false
    }
  }
}
