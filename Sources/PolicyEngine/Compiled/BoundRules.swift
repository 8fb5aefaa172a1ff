internal import Configuration
internal import Patterns
internal import Primitives

// The groups of rules are classes, so that a request's way through them copies references only.

final class StringChecks: Sendable {
  let notes: RuleNotes?
  let prefix: BoundTemplate?
  /// With a prefix: what starts so and belongs to other tenants all the same.
  let rivals: [OwnedPrefixes.Owned]
  let pattern: Pattern?
  /// Why there is no pattern where one is meant.
  let patternFailure: String?
  let forbidden: ForbiddenChecks
  /// In Unicode scalars.
  let minLength: Int?
  let maxLength: Int?
  let isTrimmed: Bool
  let isSingleScript: Bool

  init(
    _ rules: PolicyDocument.StringRules, for tenant: TenantFacts, rivals: [OwnedPrefixes.Owned] = [],
    saying notes: RuleNotes?
  ) {
    self.notes = notes
    prefix = rules.prefix.map { BoundTemplate($0.value, for: tenant) }
    self.rivals = prefix == nil ? [] : rivals
    pattern = rules.pattern.whole?.value
    patternFailure = rules.pattern.failure
    forbidden = ForbiddenChecks(rules.forbidden)
    minLength = rules.minLength?.value
    maxLength = rules.maxLength?.value
    isTrimmed = rules.trimmed
    isSingleScript = rules.singleScript
  }
}

final class RequiredTag: Sendable {
  let notes: RuleNotes?
  let key: FoldedKey
  let field: String
  /// `nil`: any value.
  let values: [ValueGlob]?
  /// Values that are accepted too, as they stand.
  let listed: ValueFile<LiteralSet>?
  /// The values, when none hangs on the request and each has one.
  let knownValues: GlobList?
  let pattern: Pattern?
  /// Why there is no pattern where one is meant.
  let patternFailure: String?
  let defaultValue: BoundTemplate?

  init(_ tag: PolicyDocument.RequiredTag, for tenant: TenantFacts, saying notes: RuleNotes? = nil) {
    self.notes = notes
    key = FoldedKey(tag.key.value)
    field = PolicyField.tag(tag.key.value)
    let values = tag.values?.map { ValueGlob(BoundTemplate($0.value, for: tenant)) }
    let known = values?.compactMap(\.constant)
    self.values = values
    listed = tag.listed
    knownValues = known.flatMap { $0.count == values?.count ? GlobList($0) : nil }
    pattern = tag.pattern.whole?.value
    patternFailure = tag.pattern.failure
    defaultValue = tag.defaultValue.map { BoundTemplate($0.value, for: tenant) }
  }
}

extension RequiredTag {
  /// Whether some values only are accepted.
  var limitsValues: Bool { values != nil || listed != nil }

  /// Whether a value is one of them. A template among them that has no value makes that unknown for all.
  func lists(_ value: Span<UInt8>, in request: borrowing GovernedRequest) throws(Unresolved) -> Bool {
    var isListed = listed?.texts.contains(value) ?? false
    if let knownValues { return isListed || knownValues.matches(value) }
    for listed in values ?? [] where try listed.matches(value, in: request) { isListed = true }
    return isListed
  }
}

/// What may stand nowhere in a value.
final class ForbiddenChecks: Sendable {
  let patterns: [Pattern]
  /// Why others have no pattern.
  let failures: [String]
  let lines: ValueFile<LiteralOccurrences>?

  init(_ rules: PolicyDocument.ForbiddenRule) {
    patterns = rules.patterns.map(\.value)
    failures = rules.failures
    lines = rules.lines
  }
}

/// A tag that must be there or is set, and of which nobody knows the key.
struct UnknownTag: Sendable {
  let field: String
  let reason: String
  let notes: RuleNotes?
}

/// A tag that a policy sets whatever the caller gave.
final class AssignedTag: Sendable {
  let key: FoldedKey
  let field: String
  let value: BoundTemplate

  init(_ key: Text, _ value: Text, for tenant: TenantFacts) {
    self.key = FoldedKey(key)
    field = PolicyField.tag(key)
    self.value = BoundTemplate(value, for: tenant)
  }
}

final class TagChecks: Sendable {
  let notes: RuleNotes?
  let required: [RequiredTag]
  /// Tags without a key.
  let unknown: [UnknownTag]
  /// Keys that the policy requires in its other part, and which are so none of this one's in another case.
  private let requiredElsewhere: KeyTable
  /// `nil`: all.
  let allowedKeys: GlobList?
  /// Why none is allowed.
  let allowedKeysFailure: String?
  let forbiddenKeys: FoldedGlobList
  let maxCount: Int?
  let assigned: [AssignedTag]
  let addsTags: Bool
  private let repeatsKeys: Bool
  // In the order of the rules, so that most keys are told from all of them without a look at any.
  private let requiredPrints: [UInt64]
  private let assignedPrints: [UInt64]

  init(_ rules: PolicyDocument.TagRules, of document: PolicyDocument, for tenant: TenantFacts) {
    let notes = RuleNotes.of(rules.header, in: document)
    self.notes = notes
    required = rules.required.map {
      RequiredTag($0, for: tenant, saying: RuleNotes.of($0.header, rules.header, in: document))
    }
    unknown = rules.unknownKeys.map { key in
      UnknownTag(
        field: PolicyField.tag(key.source), reason: key.reason,
        notes: key.header.flatMap { RuleNotes.of($0, rules.header, in: document) } ?? notes)
    }
    requiredElsewhere = KeyTable(rules.requiredElsewhere)
    allowedKeys = rules.allowedKeys.map(GlobList.init)
    allowedKeysFailure = rules.allowedKeysFailure
    forbiddenKeys = FoldedGlobList(rules.forbiddenKeys)
    maxCount = rules.maxCount?.value
    assigned = rules.set.map { AssignedTag($0.key.value, $0.value.value, for: tenant) }
    addsTags =
      !assigned.isEmpty || required.contains { $0.defaultValue != nil }
      || rules.unknownKeys.contains(where: \.isPutIn)
    repeatsKeys = Set(required.map(\.key.text)).count < required.count
    requiredPrints = required.map(\.key.fingerprint)
    assignedPrints = assigned.map(\.key.fingerprint)
  }

  /// Defaults first, then what is set.
  var fillings: [Filling] {
    required.compactMap { tag in tag.defaultValue.map { .defaulted(FilledTag(tag.key, $0)) } }
      + assigned.map { .assigned(FilledTag($0.key, $0.value)) }
  }

  // Where a key is looked up its fingerprint is known, because it is made once a request and not once a policy.

  /// Whether the policy sets the tag with exactly this key.
  func assigns(_ key: Span<UInt8>, _ fingerprint: UInt64) -> Bool {
    for index in assignedPrints.indices where assignedPrints[index] == fingerprint {
      if key.holds(assigned[index].key.text) { return true }
    }
    return false
  }

  /// The key of a tag that the policy sets, where `key` is that key in any case.
  func assignedKey(inAnyCase key: Span<UInt8>, _ fingerprint: UInt64) -> FoldedKey? {
    var alike: FoldedKey?
    for index in assignedPrints.indices where assignedPrints[index] == fingerprint {
      if key.holds(assigned[index].key.text) { return assigned[index].key }
      if alike == nil, assigned[index].key.differsOnlyInCase(from: key) { alike = assigned[index].key }
    }
    return alike
  }

  /// Whether the policy requires exactly this key, but in its other part.
  func requiresElsewhere(_ key: Span<UInt8>, _ fingerprint: UInt64) -> Bool {
    !requiredElsewhere.isEmpty && requiredElsewhere.holds(key, fingerprint)
  }

  /// The required tag that a key is, and if it is none, the first one that it differs from only in case.
  func lookUp(_ key: Span<UInt8>, _ fingerprint: UInt64) -> (same: RequiredTag?, alike: RequiredTag?) {
    var alike: RequiredTag?
    for index in requiredPrints.indices where requiredPrints[index] == fingerprint {
      if key.holds(required[index].key.text) { return (required[index], nil) }
      if alike == nil, required[index].key.differsOnlyInCase(from: key) { alike = required[index] }
    }
    return (nil, alike)
  }

  /// Required tags that have the key of another, which templates can make.
  func required(besides tag: RequiredTag, _ key: Span<UInt8>) -> [RequiredTag] {
    repeatsKeys ? required.filter { $0 !== tag && key.holds($0.key.text) } : []
  }

  /// The tag that the policy requires, where `key` is its key in any case.
  func required(inAnyCase key: Span<UInt8>, _ fingerprint: UInt64) -> RequiredTag? {
    let (same, alike) = lookUp(key, fingerprint)
    return same ?? alike
  }
}

final class ExpirationChecks: Sendable {
  let notes: RuleNotes?
  let isRequired: Bool
  let minDays: Int?
  let maxDays: Int?
  let clamps: Bool
  let defaultDays: Int?

  init(_ rules: PolicyDocument.ExpirationRules, of document: PolicyDocument) {
    notes = RuleNotes.of(rules.header, in: document)
    isRequired = rules.required
    minDays = rules.minDays?.value
    maxDays = rules.maxDays?.value
    clamps = rules.onExcess == .clamp && rules.maxDays != nil
    defaultDays = rules.defaultDays?.value
  }
}

final class MetadataChecks: Sendable {
  let notes: RuleNotes?
  let maxBytes: Int?
  let isJSON: Bool
  let forbidden: ForbiddenChecks

  init(_ rules: PolicyDocument.MetadataRules, of document: PolicyDocument) {
    notes = RuleNotes.of(rules.header, in: document)
    maxBytes = rules.maxBytes?.value
    isJSON = rules.format?.value == .json
    forbidden = ForbiddenChecks(rules.forbidden)
  }
}
