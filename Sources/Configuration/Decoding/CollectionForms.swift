internal import Primitives
internal import StrictJSON

extension Form {
  /// A list of `element`s; those that cannot be read are left out, and are among the problems.
  static func list<Element: Sendable>(
    of element: Form<Element>, _ accepted: String, atLeast minimum: Int = 0
  ) -> Form where Value == [Element] {
    let schema: @Sendable (SchemaStyle) -> JSONLiteral = {
      var schema: JSONLiteral = ["type": "array", "items": element.schema($0)]
      if minimum > 0 { schema["minItems"] = .integer(Int64(minimum)) }
      return schema
    }
    return Form(accepted, schema: schema) { node, reading in
      guard case .array(let elements) = node.value else { return reading.refuse(node, accepting: accepted) }
      if elements.count < minimum {
        reading.error(at: node.position, "expected \(accepted), found an empty list")
        return nil
      }
      return elements.compactMap { element.read($0, reading) }
    }
  }

  /// An object with any keys, each with an `element`, in file order.
  ///
  /// - Parameter keySchema: what a schema says of the keys, which whoever reads the value looks at.
  static func map<Key: Sendable, Element: Sendable>(
    from key: @escaping @Sendable (String) -> Key, keySchema: JSONLiteral? = nil, to element: Form<Element>,
    _ accepted: String
  ) -> Form where Value == [(key: PolicyDocument.Located<Key>, value: Element)] {
    let schema: @Sendable (SchemaStyle) -> JSONLiteral = {
      let names: [JSONLiteral.Member] = keySchema.map { [.init("propertyNames", $0)] } ?? []
      return .object([.init("type", "object")] + names + [.init("additionalProperties", element.schema($0))])
    }
    return Form(accepted, schema: schema) { node, reading in
      guard case .object(let members) = node.value else { return reading.refuse(node, accepting: accepted) }
      return members.compactMap { member in
        guard let value = element.read(member.value, reading) else { return nil }
        return (.init(key(member.key), at: member.keyPosition), value)
      }
    }
  }

  /// An object with known keys. `build` asks for each of them, once to read a file and once to describe it,
  /// and so must ask for all before it looks at any.
  static func object(_ accepted: String, build: @escaping @Sendable (Keys) -> Value?) -> Form {
    let schema: @Sendable (SchemaStyle) -> JSONLiteral = { style in
      let keys = Keys(describedIn: style)
      _ = build(keys)
      return keys.schema
    }
    var form = Form(accepted, schema: schema) { node, reading in
      guard case .object(let members) = node.value else { return reading.refuse(node, accepting: accepted) }
      let keys = Keys(members: members, of: node.position, in: reading)
      let value = build(keys)
      keys.refuseUnknown()
      return value
    }
    form.empty = { position, reading in build(Keys(members: [], of: position, in: reading)) }
    return form
  }

  /// An object whose kind, and so whose other keys, the string under `discriminator` decides.
  static func variants(
    by discriminator: String, _ accepted: String,
    _ variants: [(name: String, build: @Sendable (Keys) -> Value?)]
  ) -> Form {
    let schema: @Sendable (SchemaStyle) -> JSONLiteral = { style in
      let alternatives = variants.map { variant in
        let keys = Keys(describedIn: style)
        keys.describe(
          discriminator,
          ["const": .string(variant.name), "description": "Which kind it is; the other keys hang on it."],
          required: true)
        _ = variant.build(keys)
        return keys.schema
      }
      return alternatives.count == 1 ? alternatives[0] : ["oneOf": .array(alternatives)]
    }
    let names = variants.map(\.name)
    let list = names.map(quoted).joined(separator: ", ")
    let choice = names.count == 1 ? list : "one of \(list)"
    return Form(accepted, schema: schema) { node, reading in
      guard case .object(let members) = node.value else { return reading.refuse(node, accepting: accepted) }
      let keys = Keys(members: members, of: node.position, in: reading)
      guard let (name, position) = keys.discriminator(discriminator, among: choice) else { return nil }
      guard let variant = variants.first(where: { $0.name == name }) else {
        reading.error(
          at: position,
          "expected \(choice), found \(quoted(name))"
            + (nearest(to: name, among: names).map { "; did you mean \(quoted($0))?" } ?? ""))
        return nil
      }
      let value = variant.build(keys)
      keys.refuseUnknown(in: "\(discriminator) \(quoted(name))")
      return value
    }
  }
}
