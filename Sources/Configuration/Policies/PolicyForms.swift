internal import Patterns
internal import Primitives
internal import StrictJSON

extension PolicyDocument {
  /// A whole policy file. The file's name is put in by the loader.
  static func form(knownOperations: [String]) -> Form<PolicyDocument> {
    let match = Match.form(knownOperations: knownOperations)
    return .object("a policy object") { keys in
      keys.schemaReference()
      let name = keys.required(
        "policy", .policyName, "The policy's name, unique; policies apply in the order of names.")
      let description = keys.value("description", .string, default: "", "For people.")
      let owner = keys.optional("owner", .remark("a person or a team"), "Whom to ask about it.")
      let severity = keys.optional(
        "severity", Form<PolicyDocument.Severity>.choice(), "What its violations are marked with.")
      let help = keys.optional("help", .helpURL, "Shown behind what it refuses, unless the rule has its own.")
      let mode = keys.value(
        "mode", .choice(), default: Mode.enforce,
        "Whether violations deny, are only reported, or the policy is skipped.")
      let matching = keys.section("match", match, "Which requests it applies to; all when absent.")
      let when = keys.optional("when", .when, "What requests must have for the policy to be about them.")
      let mutable = keys.list(
        "mutable", .list(of: Form<Text>.nonEmptyText("a tag key").located, "a list of tag keys"),
        "Keys that \"when\" asks for and that may be changed after creation all the same.")
      let rules = keys.required("rules", RuleSections.form, "What those requests must look like.")
      guard let name, let rules else { return nil }
      var document = PolicyDocument(file: "", name: name)
      document.description = description
      document.owner = owner
      document.severity = severity
      document.help = help
      document.mode = mode
      document.match = matching ?? Match()
      document.when = when
      document.mutable = mutable
      document.appInstanceUserId = rules.appInstanceUserId
      document.userName = rules.name
      document.tags = rules.tags
      document.expiration = rules.expiration
      document.metadata = rules.metadata
      document.adviseAboutModes(keys)
      document.adviseAboutMutableKeys(keys)
      return document
    }
  }
}

/// The sections of `rules`.
private struct RuleSections: Sendable {
  var appInstanceUserId: PolicyDocument.StringRules?
  var name: PolicyDocument.StringRules?
  var tags: PolicyDocument.TagRules?
  var expiration: PolicyDocument.ExpirationRules?
  var metadata: PolicyDocument.MetadataRules?

  static let form = Form<Self>.object("an object of rules") { keys in
    Self(
      appInstanceUserId: keys.optional(
        "appInstanceUserId", PolicyDocument.StringRules.userIDForm, "The id of the user."),
      name: keys.optional("name", PolicyDocument.StringRules.nameForm, "The name of the user."),
      tags: keys.optional("tags", PolicyDocument.TagRules.form, "The tags of the user."),
      expiration: keys.optional("expiration", PolicyDocument.ExpirationRules.form, "When the user expires."),
      metadata: keys.optional("metadata", PolicyDocument.MetadataRules.form, "The metadata of the user."))
  }
}

extension PolicyDocument.StringRules {
  fileprivate static let userIDForm = Form<Self>.object("an object of rules") { keys in
    var rules = Self()
    rules.prefix = keys.optional("prefix", .template, "What it must begin with; a template.")
    rules.readCommon(keys)
    rules.header = PolicyDocument.RuleHeader(keys)
    return rules
  }

  fileprivate static let nameForm = Form<Self>.object("an object of rules") { keys in
    var rules = Self()
    rules.readCommon(keys)
    rules.trimmed = keys.value(
      "trimmed", .boolean, default: false, "Whether white space at the ends is refused.")
    rules.singleScript = keys.value(
      "singleScript", .boolean, default: false, "Whether letters of different scripts are refused.")
    rules.header = PolicyDocument.RuleHeader(keys)
    return rules
  }

  private mutating func readCommon(_ keys: Keys) {
    pattern = PolicyDocument.PatternRule(keys)
    forbidden = PolicyDocument.ForbiddenRule(keys)
    minLength = keys.optional("minLength", .count(from: 0), "Least number of Unicode scalars.")
    maxLength = keys.optional("maxLength", .count(from: 0), "Greatest number of Unicode scalars.")
    keys.requireOrder("minLength", minLength, "maxLength", maxLength)
  }
}

extension PolicyDocument.ExpirationRules {
  fileprivate static let form = Form<Self>.object("an object of rules") { keys in
    var rules = Self()
    rules.required = keys.value("required", .boolean, default: false, "Whether a user must expire.")
    rules.minDays = keys.optional("minDays", .count(from: 1), "Least number of days.")
    rules.maxDays = keys.optional("maxDays", .count(from: 1), "Greatest number of days.")
    rules.defaultDays = keys.optional(
      "defaultDays", .count(from: 1), "Days that are put in when there are none.")
    rules.onExcess = keys.value(
      "onExcess", .choice(), default: .deny, "Whether more than maxDays is refused or lowered to it.")
    rules.header = PolicyDocument.RuleHeader(keys)
    keys.requireOrder("minDays", rules.minDays, "maxDays", rules.maxDays)
    if rules.onExcess == .clamp, rules.maxDays == nil, !keys.has("maxDays") {
      keys.warning(at: keys.position(of: "onExcess"), "\"clamp\" does nothing without \"maxDays\"")
    }
    return rules
  }
}

extension PolicyDocument.MetadataRules {
  fileprivate static let form = Form<Self>.object("an object of rules") { keys in
    var rules = Self()
    rules.maxBytes = keys.optional("maxBytes", .count(from: 0), "Greatest number of UTF-8 bytes.")
    rules.format = keys.optional(
      "format", Form<Format>.choice().located, "json: it must be JSON; text: it need not be.")
    rules.forbidden = PolicyDocument.ForbiddenRule(keys)
    rules.header = PolicyDocument.RuleHeader(keys)
    return rules
  }
}

extension Keys {
  typealias Number = PolicyDocument.Located<Int>

  func requireOrder(_ low: String, _ least: Number?, _ high: String, _ greatest: Number?) {
    guard let least, let greatest, least.value > greatest.value else { return }
    error(at: least.position, "\(quoted(low)) \(least.value) is more than \(quoted(high)) \(greatest.value)")
  }
}
