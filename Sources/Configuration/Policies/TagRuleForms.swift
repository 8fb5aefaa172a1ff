internal import Patterns
internal import Primitives
internal import StrictJSON

extension PolicyDocument.TagRules {
  static let form = Form<Self>.object("an object of rules") { keys in
    var rules = Self()
    rules.required = keys.list(
      "required", .list(of: PolicyDocument.RequiredTag.form, "a list of required tags"),
      "Tags that must be there.")
    rules.allowedKeys = keys.optional(
      "allowedKeys", .list(of: .globTemplate, "a list of globs"),
      "Globs, one of which each key must match; any when absent. Templates.")
    rules.allowedKeysPosition = keys.has("allowedKeys") ? keys.position(of: "allowedKeys") : nil
    rules.forbiddenKeys = keys.list(
      "forbiddenKeys", .list(of: .glob, "a list of globs"),
      "Globs, none of which a key may match, in whatever case it is written.")
    rules.maxCount = keys.optional("maxCount", .count(from: 0), "Greatest number of tags.")
    let set = keys.optional(
      "set",
      .map(
        from: { Text($0) }, keySchema: TemplateSchema.object, to: .template, "an object of templates"),
      "Tags that are put in, whatever the request says; keys and values are templates.")
    rules.set = (set ?? []).map { ($0.key, $0.value) }
    for (key, _) in rules.set {
      do throws(Template.SyntaxError) {
        _ = try Template(key.value)
      } catch {
        keys.error(at: key.position, error.message)
      }
    }
    rules.header = PolicyDocument.RuleHeader(keys)
    refuseRepeats(in: rules.required, keys)
    adviseAboutKeys(rules, keys)
    return rules
  }

  private static func refuseRepeats(in required: [PolicyDocument.RequiredTag], _ keys: Keys) {
    var seen: Set<Text> = []
    for tag in required where !seen.insert(tag.key.value).inserted {
      keys.error(at: tag.key.position, "tag \(quoted(tag.key.value.string)) is required twice")
    }
  }

  /// A tag that is required and cannot be there makes every request a violation. Those that the policy itself puts in
  /// are left to the review of policies, to which that is an error.
  private static func adviseAboutKeys(_ rules: Self, _ keys: Keys) {
    let ownKeys = Set(rules.set.map(\.key.value))
    for tag in rules.required where tag.defaultValue == nil && !ownKeys.contains(tag.key.value) {
      let key = tag.key.value
      guard !key.hasTemplate else { continue }
      if let allowed = rules.allowedKeys, !allowed.contains(where: { $0.source.hasTemplate }),
        !allowed.contains(where: { $0.matches(key) })
      {
        keys.warning(at: tag.key.position, "required tag \(quoted(key.string)) is not among \"allowedKeys\"")
      }
      let lowercased = Text(key.string.lowercased())
      if rules.forbiddenKeys.contains(where: { Glob(Text($0.source.string.lowercased())).matches(lowercased) }
      ) {
        keys.warning(at: tag.key.position, "required tag \(quoted(key.string)) is among \"forbiddenKeys\"")
      }
    }
  }
}

extension PolicyDocument.RequiredTag {
  static let form = Form<Self>.object("an object with a \"key\"") { keys in
    let key = keys.required("key", .tagKeyTemplate, "The tag's key; a template.")
    let values = keys.optional(
      "values", .list(of: .template, "a list of at least one template", atLeast: 1),
      "Globs, one of which the value must match; templates.")
    let valuesFrom = keys.optional(
      "valuesFrom", .path, "A file of values, one a line, that are accepted too; taken literally.")
    let pattern = PolicyDocument.PatternRule(keys)
    let standard = keys.optional(
      "default", .template, "The value that is put in when the tag is absent; a template.")
    let header = PolicyDocument.RuleHeader(keys)
    for value in values ?? [] {
      if let fault = GlobAdvice.fault(of: value.value.string) { keys.warning(at: value.position, fault) }
    }
    guard let key else { return nil }
    var tag = Self(key: key)
    tag.values = values
    tag.valuesFrom = valuesFrom
    tag.pattern = pattern
    tag.defaultValue = standard
    tag.header = header
    return tag
  }
}

extension Form where Value == PolicyDocument.Located<Text> {
  /// The name of a policy.
  static var policyName: Form {
    let accepted = "a policy name of 1 to 128 letters, digits, spaces and . _ - /"
    let pattern: JSONLiteral = "^[A-Za-z0-9._-][A-Za-z0-9._/ -]{0,127}$"
    let schema: JSONLiteral = ["type": "string", "pattern": pattern, "not": ["const": "gatehouse"]]
    return Form<Text>.parsed(accepted, schema: schema) { text throws(Rejection) in
      let isName = text.utf8.allSatisfy { byte in
        isASCIIAlphanumeric(byte) || " ./_-".utf8.contains(byte)
      }
      guard isName, (1...128).contains(text.utf8.count),
        text.utf8.first.map({ !" /".utf8.contains($0) }) == true
      else { return nil }
      // Violations that the gateway itself finds bear this name.
      guard text != "gatehouse" else {
        throw Rejection(message: "the name \"gatehouse\" is the gateway's own")
      }
      return Text(text)
    }.located
  }
}

extension Form where Value == PolicyDocument.Located<Int> {
  static func count(from least: Int) -> Form { Form<Int>.integer(least ... .max).located }
}

extension Form where Value == Glob {
  /// A glob that matches an operation of the service model.
  static func operationGlob(_ known: [String]) -> Form {
    parsed("a glob of operation names", schema: ["type": "string", "minLength": 1]) {
      text throws(Rejection) in
      let glob = Glob(Text(text))
      guard !known.contains(where: { glob.matches(Text($0)) }) else { return glob }
      throw Rejection(message: unknownOperation(text, known))
    }
  }
}
