internal import ChimeIdentity
internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

/// Rules that are well-formed and cannot be meant: that refuse every request, or that no request can break. Warnings,
/// because the policy does what it says.
struct UselessRules {
  private(set) var problems: [Problem] = []
  private let tenants: [TenantFacts]

  /// Of more tenants, what is wrong for all of them shows as well.
  private static let mostTenants = 1000

  init(_ policies: [CompiledPolicy], _ tenants: [TenantFacts]) {
    self.tenants = Array(tenants.prefix(Self.mostTenants))
    for policy in policies {
      let document = policy.document
      reviewSections(of: policy)
      reviewLengths(document.appInstanceUserId, "the id of a user", ModelLimits.userID, of: document)
      reviewLengths(document.userName, "the name of a user", ModelLimits.userName, of: document)
      reviewNumbers(of: document)
      reviewValues(of: document)
      reviewPrefix(of: policy)
    }
  }

  private mutating func warn(_ document: PolicyDocument, _ position: SourcePosition, _ message: String) {
    problems.append(document.problem(at: position, severity: .warning, message))
  }

  /// A policy without rules, and rules on what none of the operations that it matches can carry.
  private mutating func reviewSections(of policy: CompiledPolicy) {
    let document = policy.document
    let sections = document.checkedSections
    if sections.isEmpty {
      warn(document, document.name.position, "the policy has no rules, and so refuses and changes nothing")
    }
    guard let position = document.match.operationsPosition else { return }
    for (name, checks) in sections
    where !Governance.allCases.contains(where: { policy.isConcerned(with: $0) && checks($0) }) {
      warn(
        document, position,
        "the rules on `\(name)` never apply: none of these operations carries what they are about")
    }
  }

  private mutating func reviewLengths(
    _ rules: PolicyDocument.StringRules?, _ what: String, _ possible: ClosedRange<Int>,
    of document: PolicyDocument
  ) {
    if let least = rules?.minLength, least.value > possible.upperBound {
      warn(
        document, least.position,
        "every request is refused: \(what) has at most \(possible.upperBound) characters, and minLength is \(least.value)"
      )
    }
    guard let most = rules?.maxLength else { return }
    if most.value > possible.upperBound {
      warn(
        document, most.position,
        "maxLength is beyond what the API takes: \(what) has at most \(possible.upperBound) characters")
    } else if most.value < possible.lowerBound {
      warn(
        document, most.position,
        "every request is refused: \(what) has at least \(possible.lowerBound) characters, and maxLength is \(most.value)"
      )
    }
  }

  private mutating func reviewNumbers(of document: PolicyDocument) {
    let days = ModelLimits.expirationDays
    if let least = document.expiration?.minDays, least.value > days.upperBound {
      warn(
        document, least.position,
        "every number of days is refused: the API takes at most \(days.upperBound), and minDays is \(least.value)"
      )
    }
    if let most = document.expiration?.maxDays, most.value > days.upperBound {
      warn(
        document, most.position,
        "maxDays is beyond what the API takes, at most \(days.upperBound), and so refuses nothing")
    }
    // A character has up to four bytes.
    let bytes = 4 * ModelLimits.metadata.upperBound
    if let most = document.metadata?.maxBytes, most.value > bytes {
      warn(
        document, most.position,
        "maxBytes is beyond what the API takes, \(ModelLimits.metadata.upperBound) characters of at most 4 bytes, and"
          + " so refuses nothing")
    }
    if let most = document.tags?.maxCount, most.value > ModelLimits.tagCount.upperBound {
      warn(
        document, most.position,
        "maxCount is beyond what the API takes, at most \(ModelLimits.tagCount.upperBound) tags")
    }
  }

  /// Lists of values none of which the pattern beside them takes, or the API.
  private mutating func reviewValues(of document: PolicyDocument) {
    for required in document.tags?.required ?? [] {
      let values = required.values ?? []
      let constant = values.filter { $0.value.isPlainText }
      for value in constant where value.value.scalarCount > ModelLimits.tagValue.upperBound {
        warn(
          document, value.position,
          "never matches: the value of a tag has at most \(ModelLimits.tagValue.upperBound) characters")
      }
      guard let pattern = required.pattern.whole, !values.isEmpty, constant.count == values.count,
        constant.allSatisfy({ pattern.value.matchesWhole($0.value) == .unmatched })
      else { continue }
      warn(
        document, pattern.position,
        "every value is refused: none of the values listed matches this pattern as a whole")
    }
  }
}

// Prefixes beside which nothing is left.
extension UselessRules {
  private struct Fault {
    let position: SourcePosition
    let message: String
    var tenants: [TenantFacts] = []
  }

  private mutating func reviewPrefix(of policy: CompiledPolicy) {
    guard let rules = policy.document.appInstanceUserId, let prefix = rules.prefix,
      let template = try? Template(prefix.value), !template.needsRequest
    else { return }
    let subjects = template.needsTenant ? tenants.filter { policy.canMeet($0, in: [.createUser]) } : []
    var faults: [Fault] = []
    if !template.needsTenant {
      faults = Self.faults(of: prefix.value, rules)
    } else {
      for tenant in subjects {
        guard let value = BoundTemplate(template, for: tenant).constant else { continue }
        for fault in Self.faults(of: value, rules) {
          if let known = faults.firstIndex(where: { $0.position == fault.position }) {
            faults[known].tenants.append(tenant)
          } else {
            faults.append(Fault(position: fault.position, message: fault.message, tenants: [tenant]))
          }
        }
      }
    }
    for fault in faults {
      let whose = fault.tenants.isEmpty ? "" : ", for \(MessageText.names(of: fault.tenants))"
      warn(policy.document, fault.position, "every id is refused: \(fault.message)\(whose)")
    }
  }

  private static func faults(of prefix: Text, _ rules: PolicyDocument.StringRules) -> [Fault] {
    var faults: [Fault] = []
    if let pattern = rules.pattern.whole, pattern.value.surelyRefuses(allThatBeginsWith: prefix) {
      faults.append(
        Fault(position: pattern.position, message: "nothing that begins with the prefix matches this pattern")
      )
    }
    for pattern in rules.forbidden.patterns where pattern.value.occurs(in: prefix) == .matched {
      faults.append(Fault(position: pattern.position, message: "the prefix itself matches this"))
    }
    let most = min(rules.maxLength?.value ?? .max, ModelLimits.userID.upperBound)
    if prefix.scalarCount > most, let position = rules.maxLength?.position ?? rules.prefix?.position {
      faults.append(
        Fault(
          position: position,
          message:
            "the prefix alone has \(MessageText.count(prefix.scalarCount, "character")), and \(most) are the most"
        ))
    }
    return faults
  }
}

extension PolicyDocument {
  /// The sections with something in them, and which operations carry what they check.
  fileprivate var checkedSections: [(name: String, checks: (Governance) -> Bool)] {
    var sections: [(String, (Governance) -> Bool)] = []
    if let rules = appInstanceUserId, !rules.isEmpty {
      sections.append(("appInstanceUserId", { $0.checksUserID }))
    }
    if let rules = userName, !rules.isEmpty { sections.append(("name", { $0.checksName })) }
    if let tags, !tags.isEmpty {
      sections.append(("tags", { [.createUser, .tagUser, .untagUser].contains($0) }))
    }
    if let expiration, !expiration.isEmpty { sections.append(("expiration", { $0.checksExpiration })) }
    if let metadata, !metadata.isEmpty { sections.append(("metadata", { $0.checksMetadata })) }
    return sections
  }
}

extension PolicyDocument.StringRules {
  fileprivate var isEmpty: Bool {
    prefix == nil && pattern.isEmpty && forbidden.isEmpty && minLength == nil && maxLength == nil && !trimmed
      && !singleScript
  }
}

extension PolicyDocument.TagRules {
  fileprivate var isEmpty: Bool {
    required.isEmpty && allowedKeys == nil && forbiddenKeys.isEmpty && maxCount == nil && set.isEmpty
  }
}

extension PolicyDocument.ExpirationRules {
  fileprivate var isEmpty: Bool { !required && minDays == nil && maxDays == nil && defaultDays == nil }
}

extension PolicyDocument.MetadataRules {
  fileprivate var isEmpty: Bool { maxBytes == nil && format == nil && forbidden.isEmpty }
}

extension Text {
  /// Whether a template of a glob stands for itself only.
  fileprivate var isPlainText: Bool {
    (try? Template(self))?.isConstant == true && !utf8.contains { "*?".utf8.contains($0) }
  }
}
