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

  /// A regular expression that must match a whole value.
  package struct PatternRule: Sendable {
    package var whole: Located<Pattern>?
    /// Instead of it: templates stand in it.
    package var template: Located<PatternTemplate>?
    /// Why its template has no value.
    package var failure: String?
    package init() {}

    package var isEmpty: Bool { whole == nil && template == nil && failure == nil }
  }

  /// What may stand nowhere in a value.
  package struct ForbiddenRule: Sendable {
    package var patterns: [Located<Pattern>] = []
    package var templates: [Located<PatternTemplate>] = []
    /// Why some templates have no value.
    package var failures: [String] = []
    var linesFrom: FileReference?
    /// What `forbiddenFrom` names.
    package var lines: ValueFile<LiteralOccurrences>?
    package init() {}

    package var isEmpty: Bool {
      patterns.isEmpty && templates.isEmpty && failures.isEmpty && linesFrom == nil
    }
  }

  /// Rules on a string member: AppInstanceUserId or Name.
  package struct StringRules: Sendable {
    package var header = RuleHeader()
    /// A template.
    package var prefix: Located<Text>?
    package var pattern = PatternRule()
    package var forbidden = ForbiddenRule()
    package var minLength: Located<Int>?
    package var maxLength: Located<Int>?
    package var trimmed = false
    package var singleScript = false
    package init() {}
  }

  package struct RequiredTag: Sendable {
    package var header = RuleHeader()
    /// A template.
    package var key: Located<Text>
    /// Templates of globs; `nil`: any value.
    package var values: [Located<Text>]?
    var valuesFrom: FileReference?
    /// What `valuesFrom` names: values that are accepted too, as they stand.
    package var listed: ValueFile<LiteralSet>?
    package var pattern = PatternRule()
    /// A template.
    package var defaultValue: Located<Text>?
    package init(key: Located<Text>) { self.key = key }
  }

  /// A key whose template has no value.
  package struct UnknownKey: Sendable {
    /// As the policy writes it.
    package let source: Text
    /// Of the required tag; `nil`: the policy sets it.
    package let header: RuleHeader?
    /// Whether the policy would put the tag in.
    package let isPutIn: Bool
    package let reason: String
    package init(source: Text, header: RuleHeader?, isPutIn: Bool, reason: String) {
      self.source = source
      self.header = header
      self.isPutIn = isPutIn
      self.reason = reason
    }
  }

  package struct TagRules: Sendable {
    package var header = RuleHeader()
    package var required: [RequiredTag] = []
    /// Templates: keys that the policy requires in another mode, and so in another of its parts.
    package var requiredElsewhere: [Text] = []
    /// The sources of those with templates are as they are written.
    package var allowedKeys: [Glob]?
    package var allowedKeysPosition: SourcePosition?
    /// Why a template among them has no value; none of them counts then.
    package var allowedKeysFailure: String?
    /// Of required tags and of those that are set.
    package var unknownKeys: [UnknownKey] = []
    package var forbiddenKeys: [Glob] = []
    package var maxCount: Located<Int>?
    /// Both templates, in file order.
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
    package var forbidden = ForbiddenRule()
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
