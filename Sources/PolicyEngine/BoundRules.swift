internal import Configuration
internal import Patterns
internal import Primitives

// The groups of rules are classes, so that a request's way through them copies references only.

final class StringChecks: Sendable {
  let prefix: BoundTemplate?
  let pattern: Pattern?
  let forbidden: [Pattern]
  /// In Unicode scalars.
  let minLength: Int?
  let maxLength: Int?
  let isTrimmed: Bool
  let isSingleScript: Bool

  init(_ rules: PolicyDocument.StringRules, for tenant: TenantFacts) {
    prefix = rules.prefix.map { BoundTemplate($0.value, for: tenant) }
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
  let pattern: Pattern?
  let defaultValue: BoundTemplate?

  init(_ tag: PolicyDocument.RequiredTag, for tenant: TenantFacts) {
    key = FoldedKey(tag.key.value)
    field = FieldName.tag(tag.key.value)
    values = tag.values?.map { ValueGlob(BoundTemplate($0.value, for: tenant)) }
    pattern = tag.pattern?.value
    defaultValue = tag.defaultValue.map { BoundTemplate($0.value, for: tenant) }
  }
}

/// A tag that a policy sets whatever the caller gave.
final class AssignedTag: Sendable {
  let key: Text
  let field: String
  let value: BoundTemplate

  init(_ key: Text, _ value: Text, for tenant: TenantFacts) {
    self.key = key
    field = FieldName.tag(key)
    self.value = BoundTemplate(value, for: tenant)
  }
}

final class TagChecks: Sendable {
  let required: [RequiredTag]
  /// `nil`: all.
  let allowedKeys: [Glob]?
  let forbiddenKeys: [Glob]
  let maxCount: Int?
  let assigned: [AssignedTag]
  let addsTags: Bool

  init(_ rules: PolicyDocument.TagRules, for tenant: TenantFacts) {
    required = rules.required.map { RequiredTag($0, for: tenant) }
    allowedKeys = rules.allowedKeys
    forbiddenKeys = rules.forbiddenKeys
    maxCount = rules.maxCount?.value
    assigned = rules.set.map { AssignedTag($0.key.value, $0.value.value, for: tenant) }
    addsTags = !assigned.isEmpty || required.contains { $0.defaultValue != nil }
  }

  func assigns(_ key: Text) -> Bool {
    for tag in assigned where tag.key == key { return true }
    return false
  }

  func requires(_ key: Text) -> Bool {
    for tag in required where tag.key.text == key { return true }
    return false
  }
}

final class ExpirationChecks: Sendable {
  let isRequired: Bool
  let minDays: Int?
  let maxDays: Int?
  let clampsExcess: Bool
  /// The days, and how a change names them.
  let defaultDays: (days: Int, text: Text)?

  init(_ rules: PolicyDocument.ExpirationRules) {
    isRequired = rules.required
    minDays = rules.minDays?.value
    maxDays = rules.maxDays?.value
    clampsExcess = rules.onExcess == .clamp
    defaultDays = rules.defaultDays.map { ($0.value, Text(decimal: $0.value)) }
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
