internal import Configuration
internal import Patterns
internal import Primitives

/// A policy as it applies to one tenant: templates filled as far as they can be without the request, and everything
/// that a check compares with made once.
final class BoundPolicy: Sendable {
  let name: Text
  let mode: PolicyDocument.Mode
  /// `nil`: all.
  let appInstances: [Glob]?
  let userID: StringChecks?
  let userName: StringChecks?
  let tags: TagChecks?
  let expiration: PolicyDocument.ExpirationRules?
  let metadata: MetadataChecks?

  init(_ document: PolicyDocument, for tenant: TenantFacts) {
    name = document.name.value
    mode = document.mode
    appInstances = document.match.appInstances
    userID = document.appInstanceUserId.map { StringChecks($0, for: tenant) }
    userName = document.userName.map { StringChecks($0, for: tenant) }
    tags = document.tags.map { TagChecks($0, for: tenant) }
    expiration = document.expiration
    metadata = document.metadata.map(MetadataChecks.init)
  }

  func matches(_ request: GovernedRequest) -> Bool { appInstances.admits(request.appInstanceArn) }
}

struct StringChecks: Sendable {
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

struct TagChecks: Sendable {
  struct Required: Sendable {
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

  struct Assigned: Sendable {
    let key: Text
    let field: String
    let value: BoundTemplate
  }

  let required: [Required]
  /// `nil`: all.
  let allowedKeys: [Glob]?
  let forbiddenKeys: [Glob]
  let maxCount: Int?
  /// Tags that the policy sets whatever the caller gave.
  let assigned: [Assigned]
  let addsTags: Bool

  init(_ rules: PolicyDocument.TagRules, for tenant: TenantFacts) {
    required = rules.required.map { Required($0, for: tenant) }
    allowedKeys = rules.allowedKeys
    forbiddenKeys = rules.forbiddenKeys
    maxCount = rules.maxCount?.value
    assigned = rules.set.map { key, value in
      Assigned(
        key: key.value, field: FieldName.tag(key.value), value: BoundTemplate(value.value, for: tenant))
    }
    addsTags = !assigned.isEmpty || required.contains { $0.defaultValue != nil }
  }

  func assigns(_ key: Text) -> Bool { assigned.contains { $0.key == key } }
  func requires(_ key: Text) -> Bool { required.contains { $0.key.text == key } }
}

struct MetadataChecks: Sendable {
  let maxBytes: Int?
  let isJSON: Bool
  let forbidden: [Pattern]

  init(_ rules: PolicyDocument.MetadataRules) {
    maxBytes = rules.maxBytes?.value
    isJSON = rules.format?.value == .json
    forbidden = rules.forbidden.map(\.value)
  }
}

/// One of the `values` of a tag: a glob in which what templates put in is literal.
struct ValueGlob: Sendable {
  private enum State: Sendable {
    case glob(Glob)
    case perRequest(BoundTemplate)
  }

  private let state: State

  init(_ template: BoundTemplate) {
    if template.constant != nil {
      state = .glob(Self.glob(template, appInstanceID: ""))
    } else {
      state = .perRequest(template)
    }
  }

  func matches(_ value: Text, in request: GovernedRequest) throws(Unresolved) -> Bool {
    try resolve(for: request).matches(value)
  }

  func resolve(for request: GovernedRequest) throws(Unresolved) -> Glob {
    switch state {
    case .glob(let glob): return glob
    case .perRequest(let template):
      // Resolving says why when it cannot be done.
      _ = try template.resolve(for: request)
      return Self.glob(template, appInstanceID: request.appInstanceId)
    }
  }

  private static func glob(_ template: BoundTemplate, appInstanceID: Text) -> Glob {
    Glob(
      parts: template.pieces.map { piece in
        switch piece {
        case .written(let text): .glob(text)
        case .literal(let text): .literal(text)
        case .appInstanceID: .literal(appInstanceID)
        }
      })
  }
}
