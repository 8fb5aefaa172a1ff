internal import Configuration
internal import Patterns
internal import Primitives

/// What is known of a statement about a request.
enum Truth: UInt8, BitwiseCopyable, Sendable {
  case fails, unknown, holds

  init(_ value: Bool) { self = value ? .holds : .fails }

  var negated: Truth {
    switch self {
    case .holds: .fails
    case .fails: .holds
    case .unknown: .unknown
    }
  }
}

/// A policy's `when` for one tenant, whose facts are put in.
final class BoundWhen: Sendable {
  private indirect enum Node: Sendable {
    case known(Truth)
    case all([Node])
    case any([Node])
    case not(Node)
    case text(TextFact, TextTest)
    case days(min: Int, max: Int)
    case hasDays(Bool)
    case tag(FoldedKey, TextTest)
  }

  /// A text that a request has once at most.
  enum TextFact: BitwiseCopyable, Sendable { case userID, name, metadata }

  private let root: Node
  /// As the policy has it, for those who explain it.
  let source: PolicyDocument.When

  init(_ source: PolicyDocument.When, for tenant: TenantFacts) {
    self.source = source
    root = Self.bound(source, tenant)
  }

  private static func bound(_ when: PolicyDocument.When, _ tenant: TenantFacts) -> Node {
    switch when {
    case .all(let parts): .all(parts.map { bound($0, tenant) })
    case .any(let parts): .any(parts.map { bound($0, tenant) })
    case .not(let part): .not(bound(part, tenant))
    case .condition(let field, let test): bound(field, test, tenant)
    }
  }

  private static func bound(
    _ field: PolicyDocument.When.Field, _ test: PolicyDocument.When.Test, _ tenant: TenantFacts
  ) -> Node {
    guard field != .expirationDays else {
      if case .range(let least, let most) = test { return .days(min: least ?? .min, max: most ?? .max) }
      if case .present(let present) = test { return .hasDays(present) }
      return .known(.unknown)
    }
    let test = TextTest(test)
    return switch field {
    case .userID: .text(.userID, test)
    case .name: .text(.name, test)
    case .metadata: .text(.metadata, test)
    case .tag(let key): .tag(FoldedKey(key), test)
    case .tenantID: .known(test.judge(ofTenant: tenant.id))
    case .tenantLabel(let name): .known(test.judge(ofTenant: tenant.labels[name]))
    case .expirationDays: .known(.unknown)
    }
  }

  /// - Parameter hidden: facts of the request whose values nobody knows.
  func judge(
    _ request: borrowing GovernedRequest, as governance: Governance?, hiding hidden: HiddenFacts? = nil
  ) -> Truth {
    Self.judge(root, request, governance, hidden)
  }

  private static func judge(
    _ node: Node, _ request: borrowing GovernedRequest, _ governance: Governance?, _ hidden: HiddenFacts?
  ) -> Truth {
    switch node {
    case .known(let truth): return truth
    case .not(let part): return judge(part, request, governance, hidden).negated
    case .all(let parts):
      var least = Truth.holds
      for part in parts {
        let truth = judge(part, request, governance, hidden)
        if truth == .fails { return .fails }
        if truth == .unknown { least = .unknown }
      }
      return least
    case .any(let parts):
      var most = Truth.fails
      for part in parts {
        let truth = judge(part, request, governance, hidden)
        if truth == .holds { return .holds }
        if truth == .unknown { most = .unknown }
      }
      return most
    case .text(let fact, let test): return judge(fact, test, request, governance, hidden)
    case .days(let least, let most):
      guard governance?.checksExpiration == true else { return .unknown }
      guard let days = request.expirationDays else { return .fails }
      return Truth(days >= least && days <= most)
    case .hasDays(let present):
      return governance?.checksExpiration == true
        ? Truth((request.expirationDays != nil) == present) : .unknown
    case .tag(let key, let test): return judge(key, test, request, governance, hidden)
    }
  }

  private static func judge(
    _ fact: TextFact, _ test: TextTest, _ request: borrowing GovernedRequest, _ governance: Governance?,
    _ hidden: HiddenFacts?
  ) -> Truth {
    switch fact {
    case .userID:
      guard let id = request.appInstanceUserId, !id.isEmpty else { return .unknown }
      return test.judge(id)
    case .name:
      guard governance?.checksName == true, hidden?.name != true else { return .unknown }
      return test.judge(request.name)
    case .metadata:
      guard governance?.checksMetadata == true, hidden?.metadata != true else { return .unknown }
      return test.judge(request.metadata)
    }
  }

  private static func judge(
    _ key: FoldedKey, _ test: TextTest, _ request: borrowing GovernedRequest, _ governance: Governance?,
    _ hidden: HiddenFacts?
  ) -> Truth {
    guard governance == .createUser || governance == .tagUser else { return .unknown }
    // Readers of tags differ in whether a key in another case is the same.
    guard let place = request.place(ofTag: key) else {
      return governance == .createUser && !request.hasTag(inOtherCase: key) ? test.judgeAbsence() : .unknown
    }
    guard !request.hasTag(inOtherCase: key) else { return .unknown }
    if let hidden, hidden.tags.contains(key.text), request.tagValue(place).holds(HiddenFacts.placeholder) {
      return .unknown
    }
    return test.judge(request.tagValue(place))
  }
}

/// What a condition asks of a text.
final class TextTest: Sendable {
  private enum Kind: Sendable {
    case globs(GlobList)
    case pattern(Pattern)
    case present(Bool)
    case nothing
  }

  private let kind: Kind

  init(_ test: PolicyDocument.When.Test) {
    kind =
      switch test {
      case .globs(let globs): .globs(GlobList(globs))
      case .pattern(let pattern): .pattern(pattern)
      case .present(let present): .present(present)
      case .range: .nothing
      }
  }

  /// - Parameter text: of a request. `nil`: surely absent, as an empty one counts too.
  func judge(_ text: Span<UInt8>?) -> Truth {
    guard let text, !text.isEmpty else { return judgeAbsence() }
    return judgeValue(text)
  }

  private func judgeValue(_ text: Span<UInt8>) -> Truth {
    switch kind {
    case .globs(let globs): return Truth(globs.matches(text))
    case .pattern(let pattern):
      return switch pattern.matchesWhole(text) {
      case .matched: .holds
      case .unmatched: .fails
      case .exceededBound: .unknown
      }
    case .present(let present): return Truth(present)
    case .nothing: return .unknown
    }
  }

  /// Of what a request surely does not have.
  func judgeAbsence() -> Truth {
    if case .present(let present) = kind { Truth(!present) } else { .fails }
  }

  /// - Parameter text: of a tenant, where an empty one is there all the same.
  func judge(ofTenant text: Text?) -> Truth {
    guard let text else { return judgeAbsence() }
    let bytes = text.utf8
    return judgeValue(bytes.span)
  }
}

extension BoundWhen {
  /// A member that it asks for and whose value is hidden.
  func hiddenMember(of hidden: HiddenFacts) -> HiddenMember? {
    for (field, _) in source.conditions {
      switch field {
      case .name where hidden.name: return .name
      case .metadata where hidden.metadata: return .metadata
      case .tag(let key) where hidden.tags.contains(key): return .tagValues
      default: continue
      }
    }
    return nil
  }
}
