internal import StrictJSON

/// The keys of one object, asked for one by one by the code that builds its value.
///
/// The same code reads a file and describes it, so that the JSON Schema cannot say anything else than the reader:
/// when describing, every key is absent, and what was asked for becomes the schema.
final class Keys {
  private enum Purpose {
    case reading(members: [LocatedJSON.Member], Reading)
    case describing(SchemaStyle)
  }

  private let purpose: Purpose
  /// Where the object stands.
  let position: SourcePosition
  private var known: [String] = []
  private var required: [JSONLiteral] = []
  private var properties: [JSONLiteral.Member] = []
  /// Groups of keys of which exactly one is needed.
  private var choices: [[String]] = []

  init(members: [LocatedJSON.Member], of position: SourcePosition, in reading: Reading) {
    purpose = .reading(members: members, reading)
    self.position = position
  }

  init(describedIn style: SchemaStyle) {
    purpose = .describing(style)
    position = SourcePosition(line: 1, column: 1)
  }

  /// The value under `name`; `nil`, and a problem, when there is none.
  func required<Value>(_ name: String, _ form: Form<Value>, _ description: String) -> Value? {
    guard let node = ask(name, form, description, required: true) else {
      error(at: position, "missing key \(quoted(name)): \(form.accepted)")
      return nil
    }
    return read(node, form)
  }

  /// The value under `name`; `nil` when it is absent or null.
  func optional<Value>(_ name: String, _ form: Form<Value>, _ description: String) -> Value? {
    guard let node = ask(name, form, description, nullable: true), !node.isNull else { return nil }
    return read(node, form)
  }

  /// The value under `name`, or `standard` when it is absent.
  func value<Value: LiteralConvertible>(
    _ name: String, _ form: Form<Value>, default standard: Value, _ description: String
  ) -> Value {
    guard let node = ask(name, form, description, default: standard.literal) else { return standard }
    return read(node, form) ?? standard
  }

  /// As `value`, but null stands for nothing.
  func nullable<Value: LiteralConvertible>(
    _ name: String, _ form: Form<Value>, default standard: Value, _ description: String
  ) -> Value? {
    guard let node = ask(name, form, description, nullable: true, default: standard.literal) else {
      return standard
    }
    return node.isNull ? nil : read(node, form)
  }

  /// The list under `name`, empty when it is absent.
  func list<Element>(_ name: String, _ form: Form<[Element]>, _ description: String) -> [Element] {
    guard let node = ask(name, form, description, default: []) else { return [] }
    return read(node, form) ?? []
  }

  /// The object under `name`; when it is absent, what an empty one would give.
  func section<Value>(_ name: String, _ form: Form<Value>, _ description: String) -> Value? {
    guard let node = ask(name, form, description) else { return empty(form) }
    return read(node, form)
  }

  /// As `section`, but null switches it off.
  func optionalSection<Value>(_ name: String, _ form: Form<Value>, _ description: String) -> Value? {
    guard let node = ask(name, form, description, nullable: true) else { return empty(form) }
    return node.isNull ? nil : read(node, form)
  }

  /// The schema that an editor shall hold the file to; it means nothing to the gateway.
  func schemaReference() {
    _ = optional(
      "$schema", .string, "The JSON Schema of this file, for editors; the gateway does not look at it.")
  }
}

extension Keys {
  /// Whether the object has this key, null or not.
  func has(_ name: String) -> Bool { member(name) != nil }

  func isNull(_ name: String) -> Bool { member(name)?.value.isNull ?? false }

  func isEmptyList(_ name: String) -> Bool {
    if case .array(let elements) = member(name)?.value.value { return elements.isEmpty }
    return false
  }

  /// Whether a string is nothing but `${ENV:NAME}`.
  func refersToEnvironment(_ name: String) -> Bool {
    guard case .string(let text) = member(name)?.value.value else { return false }
    return isEnvironmentReference(text)
  }

  /// A path that the file does not name but relies on.
  func reference(_ path: String) -> FileReference {
    guard case .reading(_, let reading) = purpose else {
      return FileReference(path: path, position: position)
    }
    return FileReference(path: reading.resolve(path), position: position)
  }

  /// Where the value of `name` stands, or else the object.
  func position(of name: String) -> SourcePosition { member(name)?.value.position ?? position }

  func error(at position: SourcePosition, _ message: String) {
    if case .reading(_, let reading) = purpose { reading.error(at: position, message) }
  }

  func warning(at position: SourcePosition, _ message: String) {
    if case .reading(_, let reading) = purpose { reading.warning(at: position, message) }
  }

  /// Exactly one of `names` must be there; the schema says so too.
  func requireOne(of names: [String]) {
    choices.append(names)
    guard case .reading = purpose else { return }
    let given = names.filter { has($0) && !isNull($0) }
    let list = names.map(quoted).joined(separator: ", ")
    if given.isEmpty { error(at: position, "missing key: one of \(list)") }
    if given.count > 1, let second = member(given[1]) {
      error(at: second.keyPosition, "only one of \(list) may be given")
    }
  }

  /// Says of each key that was not asked for that it is unknown.
  func refuseUnknown(in place: String? = nil) {
    guard case .reading(let members, let reading) = purpose else { return }
    // `$schema` is for editors, and what is looked for is a key of the format.
    let candidates = known.filter { !$0.hasPrefix("$") }
    for member in members where !known.contains(member.key) {
      let scope = place.map { " in \($0)" } ?? ""
      reading.error(
        at: member.keyPosition,
        "unknown key \(quoted(member.key))\(scope)\(suggestion(for: member.key, among: candidates))")
    }
  }

  /// The string that decides which keys there are, and where it stands.
  func discriminator(_ name: String, among choice: String) -> (String, SourcePosition)? {
    guard case .reading(_, let reading) = purpose else { return nil }
    known.append(name)
    guard let node = member(name)?.value else {
      reading.error(at: position, "missing key \(quoted(name)): \(choice)")
      return nil
    }
    return Form<String>.string.read(node, reading).map { ($0, node.position) }
  }

  func describe(_ name: String, _ schema: JSONLiteral, required isRequired: Bool) {
    known.append(name)
    properties.append(.init(name, schema))
    if isRequired { required.append(.string(name)) }
  }

  /// The JSON Schema of what was asked for.
  var schema: JSONLiteral {
    var schema: JSONLiteral = ["type": "object", "properties": .object(properties)]
    if !required.isEmpty { schema["required"] = .array(required) }
    for names in choices {
      schema["oneOf"] = .array(
        names.map {
          ["required": [.string($0)], "properties": .object([.init($0, ["not": ["type": "null"]])])]
        })
    }
    schema["additionalProperties"] = false
    return schema
  }
}

extension Keys {
  private func member(_ name: String) -> LocatedJSON.Member? {
    guard case .reading(let members, _) = purpose else { return nil }
    return members.first { $0.key == name }
  }

  /// The node under `name`; `nil` when it is absent, and always when describing.
  private func ask<Value>(
    _ name: String, _ form: Form<Value>, _ description: String, required isRequired: Bool = false,
    nullable: Bool = false, default standard: JSONLiteral? = nil
  ) -> LocatedJSON? {
    guard case .describing(let style) = purpose else {
      known.append(name)
      return member(name)?.value
    }
    var schema: JSONLiteral = form.schema(style)
    if nullable { schema = ["anyOf": [schema, ["type": "null"]]] }
    schema["description"] = .string(description)
    if let standard { schema["default"] = standard }
    describe(name, schema, required: isRequired)
    return nil
  }

  private func read<Value>(_ node: LocatedJSON, _ form: Form<Value>) -> Value? {
    guard case .reading(_, let reading) = purpose else { return nil }
    return form.read(node, reading)
  }

  private func empty<Value>(_ form: Form<Value>) -> Value? {
    guard case .reading(_, let reading) = purpose else { return nil }
    return form.empty?(position, reading)
  }
}

/// A default that the schema shows as it would be written.
protocol LiteralConvertible: Sendable {
  var literal: JSONLiteral { get }
}

extension Int: LiteralConvertible { var literal: JSONLiteral { .integer(Int64(self)) } }
extension Double: LiteralConvertible { var literal: JSONLiteral { .real(self) } }
extension Bool: LiteralConvertible { var literal: JSONLiteral { .boolean(self) } }
extension String: LiteralConvertible { var literal: JSONLiteral { .string(self) } }
extension Duration: LiteralConvertible { var literal: JSONLiteral { .string(written) } }
extension ByteCount: LiteralConvertible { var literal: JSONLiteral { .string(written) } }
extension LiteralConvertible where Self: RawRepresentable, RawValue == String {
  var literal: JSONLiteral { .string(rawValue) }
}
