internal import Patterns
internal import Primitives
internal import StrictJSON

extension Form where Value == PolicyDocument.When {
  /// Deeper ones are a mistake, and reading them costs stack.
  private static var deepest: Int { 16 }

  static var when: Form {
    Form("an object of conditions", schema: { _ in ["$ref": "#/$defs/when"] }) { node, reading in
      read(node, reading, depth: 1)
    }
  }

  private static func read(_ node: LocatedJSON, _ reading: Reading, depth: Int) -> Value? {
    guard case .object(let members) = node.value else {
      return reading.refuse(node, accepting: "an object of conditions")
    }
    guard depth <= deepest else {
      reading.error(at: node.position, "conditions stand in each other more than \(deepest) deep")
      return nil
    }
    guard !members.isEmpty else {
      reading.error(at: node.position, "expected at least one condition, found none")
      return nil
    }
    let parts = members.compactMap { read($0, reading, depth) }
    return parts.count == 1 ? parts[0] : .all(parts)
  }

  private static func read(_ member: LocatedJSON.Member, _ reading: Reading, _ depth: Int) -> Value? {
    switch member.key {
    case "all": return list(member.value, reading, depth).map { .all($0) }
    case "any": return list(member.value, reading, depth).map { .any($0) }
    case "not": return read(member.value, reading, depth: depth + 1).map { .not($0) }
    default:
      guard let field = PolicyDocument.When.Field(member.key) else {
        let known =
          ["all", "any", "not"] + PolicyDocument.When.Field.fixed.map(\.name)
          + ["tags.KEY", "tenant.labels.NAME"]
        reading.error(
          at: member.keyPosition,
          "unknown condition \(quoted(member.key))\(suggestion(for: member.key, among: known))")
        return nil
      }
      let form = field == .expirationDays ? Form<PolicyDocument.When.Test>.days : .text
      return form.read(member.value, reading).map { .condition(field, $0) }
    }
  }

  private static func list(_ node: LocatedJSON, _ reading: Reading, _ depth: Int) -> [Value]? {
    guard case .array(let elements) = node.value, !elements.isEmpty else {
      return reading.refuse(node, accepting: "a list of at least one object of conditions")
    }
    return elements.compactMap { read($0, reading, depth: depth + 1) }
  }

  private static func described(_ schema: JSONLiteral, _ description: String) -> JSONLiteral {
    var schema = schema
    schema["description"] = .string(description)
    return schema
  }

  /// What the schemas' `#/$defs/when` stands for.
  static func definition(_ style: SchemaStyle) -> JSONLiteral {
    let nested: JSONLiteral = ["$ref": "#/$defs/when"]
    let list: JSONLiteral = ["type": "array", "minItems": 1, "items": nested]
    let text = Form<PolicyDocument.When.Test>.text.schema(style)
    let fields = PolicyDocument.When.Field.fixed.map { name, field -> JSONLiteral.Member in
      .init(
        name,
        described(
          field == .expirationDays ? Form<PolicyDocument.When.Test>.days.schema(style) : text,
          "What \(name) must be."))
    }
    let groups: [JSONLiteral.Member] = [
      .init("all", described(list, "Objects of conditions, all of which must hold.")),
      .init("any", described(list, "Objects of conditions, one of which must hold.")),
      .init("not", described(nested, "Conditions that must not hold.")),
    ]
    return [
      "description": "Conditions, all of which must hold.",
      "type": "object", "minProperties": 1,
      "properties": .object(groups + fields),
      "patternProperties": [#"^tags\.."#: text, #"^tenant\.labels\.."#: text],
      "additionalProperties": false,
    ]
  }
}

extension Form where Value == PolicyDocument.When.Test {
  fileprivate static var text: Form {
    let globs = Form<[Glob]>.list(of: .glob, "a list of at least one glob", atLeast: 1)
    let object = Form.object("an object with \"pattern\" or \"present\"") { keys in
      let pattern = keys.optional("pattern", .pattern, "PCRE2 expression that the whole value must match.")
      let present = keys.optional("present", .boolean, "Whether there must be a value, or none.")
      keys.requireOne(of: ["pattern", "present"])
      return pattern.map { .pattern($0.value) } ?? present.map { .present($0) }
    }
    let accepted = "a list of globs, {\"pattern\": …} or {\"present\": …}"
    return Form(accepted, schema: { ["anyOf": [globs.schema($0), object.schema($0)]] }) { node, reading in
      switch node.value {
      case .array: globs.read(node, reading).map { .globs($0) }
      case .object: object.read(node, reading)
      default: reading.refuse(node, accepting: accepted)
      }
    }
  }

  fileprivate static var days: Form {
    .object("an object with \"min\" and \"max\", or \"present\"") { keys in
      let least = keys.optional("min", .count(from: 0), "Least number of days.")
      let most = keys.optional("max", .count(from: 0), "Greatest number of days.")
      let present = keys.optional("present", .boolean, "Whether there must be days, or none.")
      if !["min", "max", "present"].contains(where: keys.has) {
        keys.error(at: keys.position, "missing key: \"min\", \"max\" or \"present\"")
      }
      keys.requireOrder("min", least, "max", most)
      guard least != nil || most != nil else { return present.map { .present($0) } }
      if present != nil {
        keys.error(at: keys.position(of: "present"), "\"present\" stands alone, without \"min\" and \"max\"")
      }
      return .range(min: least?.value, max: most?.value)
    }
  }
}
