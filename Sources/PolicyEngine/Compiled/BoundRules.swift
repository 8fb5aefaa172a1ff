internal import Configuration
internal import Patterns
internal import Primitives

// The groups of rules are classes, so that a request's way through them copies references only.

final class StringChecks: Sendable {
  let prefix: BoundTemplate?
  /// With a prefix: what starts so and belongs to other tenants all the same.
  let rivals: [OwnedPrefixes.Owned]
  let pattern: Pattern?
  let forbidden: [Pattern]
  /// In Unicode scalars.
  let minLength: Int?
  let maxLength: Int?
  let isTrimmed: Bool
  let isSingleScript: Bool

  init(_ rules: PolicyDocument.StringRules, for tenant: TenantFacts, rivals: [OwnedPrefixes.Owned] = []) {
    prefix = rules.prefix.map { BoundTemplate($0.value, for: tenant) }
    self.rivals = prefix == nil ? [] : rivals
    pattern = rules.pattern?.value
    forbidden = rules.forbidden.map(\.value)
    minLength = rules.minLength?.value
    maxLength = rules.maxLength?.value
    isTrimmed = rules.trimmed
    isSingleScript = rules.singleScript
  }
}

final class RequiredTag: Sendable {
  let key: FoldedKey
  let field: String
  /// `nil`: any value.
  let values: [ValueGlob]?
  /// The values, when none hangs on the request and each has one.
  let knownValues: GlobList?
  let pattern: Pattern?
  let defaultValue: BoundTemplate?

  init(_ tag: PolicyDocument.RequiredTag, for tenant: TenantFacts) {
    key = FoldedKey(tag.key.value)
    field = PolicyField.tag(tag.key.value)
    let values = tag.values?.map { ValueGlob(BoundTemplate($0.value, for: tenant)) }
    let known = values?.compactMap(\.constant)
    self.values = values
    knownValues = known.flatMap { $0.count == values?.count ? GlobList($0) : nil }
    pattern = tag.pattern?.value
    defaultValue = tag.defaultValue.map { BoundTemplate($0.value, for: tenant) }
  }
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
  let required: [RequiredTag]
  /// `nil`: all.
  let allowedKeys: GlobList?
  let forbiddenKeys: FoldedGlobList
  let maxCount: Int?
  let assigned: [AssignedTag]
  let addsTags: Bool
  // In the order of the rules, so that most keys are told from all of them without a look at any.
  private let requiredPrints: [UInt64]
  private let assignedPrints: [UInt64]

  init(_ rules: PolicyDocument.TagRules, for tenant: TenantFacts) {
    required = rules.required.map { RequiredTag($0, for: tenant) }
    allowedKeys = rules.allowedKeys.map(GlobList.init)
    forbiddenKeys = FoldedGlobList(rules.forbiddenKeys)
    maxCount = rules.maxCount?.value
    assigned = rules.set.map { AssignedTag($0.key.value, $0.value.value, for: tenant) }
    addsTags = !assigned.isEmpty || required.contains { $0.defaultValue != nil }
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

  /// The required tag that a key is, and if it is none, the first one that it differs from only in case.
  func lookUp(_ key: Span<UInt8>, _ fingerprint: UInt64) -> (same: RequiredTag?, alike: RequiredTag?) {
    var alike: RequiredTag?
    for index in requiredPrints.indices where requiredPrints[index] == fingerprint {
      if key.holds(required[index].key.text) { return (required[index], nil) }
      if alike == nil, required[index].key.differsOnlyInCase(from: key) { alike = required[index] }
    }
    return (nil, alike)
  }

  /// The key of a tag that the policy requires, where `key` is that key in any case.
  func requiredKey(inAnyCase key: Span<UInt8>, _ fingerprint: UInt64) -> FoldedKey? {
    let (same, alike) = lookUp(key, fingerprint)
    return (same ?? alike)?.key
  }
}

final class ExpirationChecks: Sendable {
  let isRequired: Bool
  let minDays: Int?
  let maxDays: Int?
  let clamps: Bool
  let defaultDays: Int?

  init(_ rules: PolicyDocument.ExpirationRules) {
    isRequired = rules.required
    minDays = rules.minDays?.value
    maxDays = rules.maxDays?.value
    clamps = rules.onExcess == .clamp && rules.maxDays != nil
    defaultDays = rules.defaultDays?.value
  }
}

final class MetadataChecks: Sendable {
  let maxBytes: Int?
  let isJSON: Bool
  let forbidden: [Pattern]

  init(_ rules: PolicyDocument.MetadataRules) {
    maxBytes = rules.maxBytes?.value
    isJSON = rules.format?.value == .json
    forbidden = rules.forbidden.map(\.value)
  }
}
