package import Patterns
package import Primitives
package import StrictJSON

/// One policy file as written: typed, each value with its place, templates not yet resolved.
package struct PolicyDocument: Sendable {
  package enum Mode: String, Sendable, CaseIterable, LiteralConvertible { case enforce, warn, off }

  /// A value and where it stands in the file, for problems found later.
  package struct Located<Value: Sendable>: Sendable {
    package let value: Value
    package let position: SourcePosition
    package init(_ value: Value, at position: SourcePosition) {
      self.value = value
      self.position = position
    }
  }

  /// Whom an author wants to be looked at first.
  package enum Severity: String, Sendable, CaseIterable { case low, medium, high, critical }

  /// What a rule says of itself, beside what it asks for.
  package struct RuleHeader: Sendable {
    /// The weakest of the rule's, its group's and the policy's holds.
    package var mode: Located<Mode>?
    /// For the caller whom the rule refuses.
    package var message: Text?
    /// An https URL.
    package var help: Text?
    package init() {}
  }

  /// Rules on a string member: AppInstanceUserId or Name.
  package struct StringRules: Sendable {
    package var header = RuleHeader()
    /// A template.
    package var prefix: Located<Text>?
    package var pattern: Located<Pattern>?
    package var forbidden: [Located<Pattern>] = []
    package var minLength: Located<Int>?
    package var maxLength: Located<Int>?
    package var trimmed = false
    package var singleScript = false
    package init() {}
  }

  package struct RequiredTag: Sendable {
    package var header = RuleHeader()
    package var key: Located<Text>
    /// Templates of globs; `nil`: any value.
    package var values: [Located<Text>]?
    package var pattern: Located<Pattern>?
    /// A template.
    package var defaultValue: Located<Text>?
    package init(key: Located<Text>) { self.key = key }
  }

  package struct TagRules: Sendable {
    package var header = RuleHeader()
    package var required: [RequiredTag] = []
    /// Keys that the policy requires in another mode, and so in another of its parts.
    package var requiredElsewhere: [Text] = []
    package var allowedKeys: [Glob]?
    package var forbiddenKeys: [Glob] = []
    package var maxCount: Located<Int>?
    /// Key and template, in file order.
    package var set: [(key: Located<Text>, value: Located<Text>)] = []
    package init() {}
  }

  package struct ExpirationRules: Sendable {
    package enum OnExcess: String, Sendable, CaseIterable, LiteralConvertible { case deny, clamp }
    package var header = RuleHeader()
    package var required = false
    package var minDays: Located<Int>?
    package var maxDays: Located<Int>?
    package var defaultDays: Located<Int>?
    package var onExcess = OnExcess.deny
    package init() {}
  }

  package struct MetadataRules: Sendable {
    package enum Format: String, Sendable, CaseIterable { case json, text }
    package var header = RuleHeader()
    package var maxBytes: Located<Int>?
    package var format: Located<Format>?
    package var forbidden: [Located<Pattern>] = []
    package init() {}
  }

  package var file: String
  /// The policy's name, unique in the set.
  package var name: Located<Text>
  package var description = ""
  /// Whom to ask.
  package var owner: Text?
  package var severity: Severity?
  /// An https URL.
  package var help: Text?
  package var mode = Mode.enforce
  package var match = Match()
  package var when: When?
  /// Keys of tags that `when` asks for, and that may be changed all the same.
  package var mutable: [Located<Text>] = []
  /// Whether it is this part of the policy that keeps what its `when` asks for from being changed.
  package var guardsWhen = true
  package var appInstanceUserId: StringRules?
  package var userName: StringRules?
  package var tags: TagRules?
  package var expiration: ExpirationRules?
  package var metadata: MetadataRules?
  /// Set on what a folder's AWS tag policies come to; such a document has no rules of its own.
  package var tagPolicy: TagPolicy?

  package init(file: String, name: Located<Text>) {
    self.file = file
    self.name = name
  }
}
