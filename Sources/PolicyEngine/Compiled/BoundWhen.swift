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
///
/// It is asked of each request, so its parts lie in one array, each before what it is made of, and nothing is counted or
/// copied on the way through.
final class BoundWhen: Sendable {
  private enum Kind: BitwiseCopyable, Sendable {
    case known(Truth)
    case all, any, not
    case text(TextFact)
    case days(min: Int, max: Int)
    case hasDays(Bool)
    case tag
  }

  private struct Part: BitwiseCopyable, Sendable {
    let kind: Kind
    /// Of `tests`, and of `keys`.
    var test = 0
    var key = 0
    /// Behind all that it is made of.
    var end = 0
  }

  /// A text that a request has once at most.
  enum TextFact: BitwiseCopyable, Sendable { case userID, name, metadata }

  private let parts: [Part]
  private let tests: LentObjects<TextTest>
  private let keys: LentObjects<FoldedKey>
  /// As the policy has it, for those who explain it.
  let source: PolicyDocument.When

  init(_ source: PolicyDocument.When, for tenant: TenantFacts) {
    self.source = source
    var builder = Builder(tenant: tenant)
    builder.append(source)
    parts = builder.parts
    tests = LentObjects(builder.tests)
    keys = LentObjects(builder.keys)
  }

  private struct Builder {
    let tenant: TenantFacts
    var parts: [Part] = []
    var tests: [TextTest] = []
    var keys: [FoldedKey] = []

    mutating func append(_ when: PolicyDocument.When) {
      switch when {
      case .all(let inner): append(.all, inner)
      case .any(let inner): append(.any, inner)
      case .not(let inner): append(.not, [inner])
      case .condition(let field, let test): append(field, test)
      }
    }

    private mutating func append(_ kind: Kind, _ inner: [PolicyDocument.When]) {
      let place = parts.count
      parts.append(Part(kind: kind))
      for part in inner { append(part) }
      parts[place].end = parts.count
    }

    private mutating func append(_ field: PolicyDocument.When.Field, _ test: PolicyDocument.When.Test) {
      var part = Part(kind: kind(of: field, test), test: tests.count, key: keys.count, end: parts.count + 1)
      switch part.kind {
      case .text, .tag: tests.append(TextTest(test))
      case .known, .all, .any, .not, .days, .hasDays: part.test = 0
      }
      if case .tag(let key) = field { keys.append(FoldedKey(key)) } else { part.key = 0 }
      parts.append(part)
    }

    private func kind(of field: PolicyDocument.When.Field, _ test: PolicyDocument.When.Test) -> Kind {
      switch field {
      case .userID: return .text(.userID)
      case .name: return .text(.name)
      case .metadata: return .text(.metadata)
      case .tag: return .tag
      case .tenantID: return .known(TextTest(test).judge(ofTenant: tenant.id))
      case .tenantLabel(let name): return .known(TextTest(test).judge(ofTenant: tenant.labels[name]))
      case .expirationDays:
        if case .range(let least, let most) = test { return .days(min: least ?? .min, max: most ?? .max) }
        if case .present(let present) = test { return .hasDays(present) }
        return .known(.unknown)
      }
    }
  }

  /// - Parameter hidden: facts of the request whose values nobody knows.
  func judge(
    _ request: borrowing GovernedRequest, as governance: Governance?, hiding hidden: HiddenFacts? = nil
  ) -> Truth {
    judge(at: 0, request, governance, hidden)
  }

  private func judge(
    at place: Int, _ request: borrowing GovernedRequest, _ governance: Governance?, _ hidden: HiddenFacts?
  ) -> Truth {
    let part = parts[place]
    switch part.kind {
    case .known(let truth): return truth
    case .not: return judge(at: place + 1, request, governance, hidden).negated
    case .all: return judge(allOf: place + 1..<part.end, deciding: .fails, request, governance, hidden)
    case .any: return judge(allOf: place + 1..<part.end, deciding: .holds, request, governance, hidden)
    case .text(let fact):
      return tests.with(part.test) { Self.judge(fact, $0, request, governance, hidden) }
    case .days(let least, let most):
      guard governance?.checksExpiration == true else { return .unknown }
      guard let days = request.expirationDays else { return .fails }
      return Truth(days >= least && days <= most)
    case .hasDays(let present):
      return governance?.checksExpiration == true
        ? Truth((request.expirationDays != nil) == present) : .unknown
    case .tag:
      return keys.with(part.key) { key in
        tests.with(part.test) { Self.judge(key, $0, request, governance, hidden) }
      }
    }
  }

  /// One part that is `deciding` decides; otherwise one that is unknown makes the whole so.
  private func judge(
    allOf places: Range<Int>, deciding: Truth, _ request: borrowing GovernedRequest,
    _ governance: Governance?, _ hidden: HiddenFacts?
  ) -> Truth {
    var result = deciding.negated
    var place = places.lowerBound
    while place < places.upperBound {
      let truth = judge(at: place, request, governance, hidden)
      if truth == deciding { return deciding }
      if truth == .unknown { result = .unknown }
      place = parts[place].end
    }
    return result
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
