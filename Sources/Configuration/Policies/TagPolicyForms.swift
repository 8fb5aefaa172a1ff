internal import Primitives
internal import StrictJSON

/// One `*.tag-policy.json` as written: an AWS Organizations tag policy, one level of the inheritance.
struct TagPolicyLevel: Sendable {
  typealias Operators = Set<TagPolicyOperator>

  /// What one level does to one setting.
  struct Setting: Sendable {
    struct Step: Sendable {
      let verb: TagPolicyOperator
      let values: [Text]
      let position: SourcePosition
    }

    /// In the order in which they take effect.
    var steps: [Step] = []
    /// What child policies may do to it; `nil`: what they may do already.
    var childOperators: Operators?
  }

  struct Statement: Sendable {
    var settings: [TagPolicySetting: Setting] = [:]
    var childOperators: Operators?
  }

  var statements: [(key: PolicyDocument.Located<Text>, statement: Statement)] = []
  var childOperators: Operators?
}

enum TagPolicyOperator: String, Sendable, CaseIterable {
  case assign = "@@assign"
  case append = "@@append"
  case remove = "@@remove"

  static let childControl = "@@operators_allowed_for_child_policies"
}

enum TagPolicySetting: String, Sendable, CaseIterable {
  case key = "tag_key"
  case value = "tag_value"
  case enforcedFor = "enforced_for"
  case reportedFor = "report_required_tag_for"
}

extension TagPolicyLevel {
  static let form = Form<Self>(document.accepted, schema: document.schema) { node, reading in
    guard let printed = PrintedTagPolicy(node) else { return document.read(node, reading) }
    reading.error(at: node.position, printed.message)
    return nil
  }

  private static let document = Form<Self>.object("a tag policy object") { keys in
    keys.required("tags", tagsForm, "The tag keys, by their policy keys.")
  }

  /// Policy keys are the author's own, and an operator may stand among them.
  private static let tagsForm = Form<Self>(
    "an object of tag keys",
    schema: { ["type": "object", "additionalProperties": Statement.form.schema($0)] }
  ) { node, reading in
    guard case .object(let members) = node.value else {
      return reading.refuse(node, accepting: "an object of tag keys")
    }
    var level = Self()
    var seen: Set<Text> = []
    for member in members {
      if member.key == TagPolicyOperator.childControl {
        level.childOperators = Form<Operators>.childOperators.read(member.value, reading)
      } else if member.key.isEmpty || member.key.hasPrefix("@@") {
        let hint = suggestion(for: member.key, among: [TagPolicyOperator.childControl])
        reading.error(at: member.keyPosition, "unknown operator \(quoted(member.key))\(hint)")
      } else if !seen.insert(Text(member.key.lowercased())).inserted {
        reading.error(
          at: member.keyPosition,
          "the policy key \(quoted(member.key)) stands there twice: case does not count")
      } else if let statement = Statement.form.read(member.value, reading) {
        checkKey(of: statement, named: member.key, reading)
        level.statements.append((.init(Text(member.key), at: member.keyPosition), statement))
      }
    }
    return level
  }

  private static func checkKey(of statement: Statement, named name: String, _ reading: Reading) {
    for step in statement.settings[.key]?.steps ?? [] {
      for value in step.values where Text(value.string.lowercased()) != Text(name.lowercased()) {
        reading.error(
          at: step.position,
          "the tag key \(quoted(value.string)) must be the policy key \(quoted(name)), in whatever case")
      }
    }
  }
}

extension TagPolicyLevel.Statement {
  fileprivate static let form = Form<Self>.object("an object of tag settings") { keys in
    var statement = Self()
    var forms: [(TagPolicySetting, Form<TagPolicyLevel.Setting>, String)] = []
    forms.append((.key, .tagKeySetting, "The tag key in the case it must have."))
    forms.append((.enforcedFor, .resourceTypes, "The resource types on which the rules are enforced."))
    forms.append((.reportedFor, .resourceTypes, "The resource types on which a missing tag is reported."))
    for (setting, form, description) in forms {
      statement.settings[setting] = keys.optional(setting.rawValue, form, description)
    }
    let values = keys.optional(
      TagPolicySetting.value.rawValue, ValueSettings.form, "The values that are accepted; any when absent.")
    statement.settings[.value] = values?.values
    if let misplaced = values?.enforcedFor {
      if keys.has(TagPolicySetting.enforcedFor.rawValue) {
        keys.error(
          at: misplaced.position,
          "\"enforced_for\" stands beside \"tag_value\" already, and must not be in it")
      } else {
        statement.settings[.enforcedFor] = misplaced.value
        keys.warning(
          at: misplaced.position,
          "\"enforced_for\" belongs beside \"tag_value\" and is taken as if it stood there")
      }
    }
    statement.childOperators = keys.optional(
      TagPolicyOperator.childControl, .childOperators, "What child policies may do to these settings.")
    return statement
  }
}

/// `tag_value`. AWS's own example of `@@remove` has `enforced_for` inside of it and publishes the effective policy
/// that it would give beside it, so that is how it is read.
private struct ValueSettings: Sendable {
  var values = TagPolicyLevel.Setting()
  var enforcedFor: PolicyDocument.Located<TagPolicyLevel.Setting>?

  static let form: Form<Self> = {
    let list = Form<[Text]>.list(of: .tagValue, "a list of tag values")
    let operators = Form<Self>.object(TagPolicyLevel.Setting.accepted) { keys in
      var settings = Self()
      settings.values.read(keys, list)
      settings.enforcedFor = keys.optional(
        "enforced_for", Form<TagPolicyLevel.Setting>.resourceTypes.located, "Belongs beside tag_value.")
      return settings
    }
    return operators.orEffective(list) { Self(values: .init(effective: $0, at: $1)) }
  }()
}

extension TagPolicyLevel.Setting {
  fileprivate static let accepted = "an object with operators such as \"@@assign\""

  /// What an effective policy says, in which values stand without operators.
  fileprivate init(effective values: [Text], at position: SourcePosition) {
    steps = [Step(verb: .assign, values: values, position: position)]
  }

  fileprivate mutating func read(
    _ keys: Keys, _ values: Form<[Text]>, with verbs: [TagPolicyOperator] = TagPolicyOperator.allCases
  ) {
    for verb in verbs {
      guard let given = keys.optional(verb.rawValue, values, "What \(verb.rawValue) works with.") else {
        continue
      }
      steps.append(Step(verb: verb, values: given, position: keys.position(of: verb.rawValue)))
    }
    childOperators = keys.optional(
      TagPolicyOperator.childControl, .childOperators, "What child policies may do to this setting.")
  }
}

extension Form {
  /// The same setting as an object with operators or, as `aws organizations describe-effective-policy` has it, the bare
  /// `values`.
  fileprivate func orEffective(
    _ values: Form<[Text]>, _ make: @escaping @Sendable ([Text], SourcePosition) -> Value
  ) -> Form {
    Form("\(accepted), or \(values.accepted)", schema: { ["anyOf": [schema($0), values.schema($0)]] }) {
      node, reading in
      if case .object = node.value { return read(node, reading) }
      return values.read(node, reading).map { make($0, node.position) }
    }
  }
}

extension Form where Value == TagPolicyLevel.Setting {
  fileprivate static var tagKeySetting: Form {
    let key = Form<Text>.nonEmptyText("a tag key").map { [$0] }
    return object("an object with the operator \"@@assign\"") { keys in
      var setting = TagPolicyLevel.Setting()
      setting.read(keys, key, with: [.assign])
      return setting
    }.orEffective(key, Value.init(effective:at:))
  }

  fileprivate static var resourceTypes: Form {
    let types = Form<[Text]>.list(of: .resourceType, "a list of resource types")
    return object(Value.accepted) { keys in
      var setting = TagPolicyLevel.Setting()
      setting.read(keys, types)
      return setting
    }.orEffective(types, Value.init(effective:at:))
  }
}

extension Form where Value == Text {
  /// A tag value in which `*` may stand once, as AWS has it.
  fileprivate static var tagValue: Form {
    let schema: JSONLiteral = ["type": "string", "pattern": #"^[^*]*\*?[^*]*$"#]
    return parsed("a tag value", schema: schema) { text throws(Rejection) in
      guard text.utf8.count(where: { $0 == UInt8(ascii: "*") }) <= 1 else {
        throw Rejection(message: "a tag value may have one wildcard, and \(quoted(text)) has more")
      }
      return Text(text)
    }
  }

  /// `service:type`. What other services have is not known here and does not matter.
  fileprivate static var resourceType: Form {
    let accepted = "a resource type such as \"chime:app-instance-user\" or \"chime:*\""
    let name = parsed(accepted, schema: ["type": "string", "pattern": "^[^:*]+:[^:]+$"]) {
      text throws(Rejection) in
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !parts[0].contains("*") else {
        return nil
      }
      if let meant = misspelling(of: text, service: String(parts[0])) { throw Rejection(message: meant) }
      return Text(text)
    }
    return Form(accepted, schema: name.schema) { node, reading in
      guard let text = name.read(node, reading) else { return nil }
      adviseAboutService(of: text.string, at: node.position, reading)
      return text
    }
  }

  /// A type of Chime that does not exist, or of a service that does not exist and reads like Chime: taken for another
  /// service's it would be enforced nowhere.
  private static func misspelling(of name: String, service: String) -> String? {
    let known = TaggableResources.knownTypes
    if service.lowercased() == TaggableResources.service {
      return known.contains(name)
        ? nil : "unknown resource type \(quoted(name))\(suggestion(for: name, among: known))"
    }
    guard !AWSServices.prefixes.contains(service),
      nearest(to: service, among: AWSServices.prefixes) == TaggableResources.service
    else { return nil }
    return "unknown service in \(quoted(name)); did you mean \(quoted(TaggableResources.service))?"
  }

  private static func adviseAboutService(of name: String, at position: SourcePosition, _ reading: Reading) {
    let service = String(name.prefix { $0 != ":" })
    guard !AWSServices.prefixes.contains(service) else { return }
    let hint = nearest(to: service, among: AWSServices.prefixes).map { "; did you mean \(quoted($0))?" } ?? ""
    reading.warning(at: position, "unknown service in \(quoted(name))\(hint)")
  }
}

extension Form where Value == TagPolicyLevel.Operators {
  fileprivate static var childOperators: Form {
    let names = TagPolicyOperator.allCases.map(\.rawValue) + ["@@all", "@@none"]
    let accepted = "a list of operators, or [\"@@all\"], or [\"@@none\"]"
    let element = Form<String>.parsed("an operator", schema: ["enum": .array(names.map { .string($0) })]) {
      text throws(Rejection) in
      guard !names.contains(text) else { return text }
      throw Rejection(message: "unknown operator \(quoted(text))\(suggestion(for: text, among: names))")
    }
    let list = Form<[String]>.list(of: element, accepted, atLeast: 1)
    return Form(accepted, schema: list.schema) { node, reading in
      guard let given = list.read(node, reading) else { return nil }
      if given.count > 1, given.contains("@@all") || given.contains("@@none") {
        reading.error(at: node.position, "\"@@all\" and \"@@none\" can only stand alone")
        return nil
      }
      if given == ["@@all"] { return Set(TagPolicyOperator.allCases) }
      return Set(given.compactMap(TagPolicyOperator.init))
    }
  }
}
