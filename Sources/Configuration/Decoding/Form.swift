internal import StrictJSON

/// What one kind of value looks like in a file: how it is read, and what its JSON Schema is.
struct Form<Value: Sendable>: Sendable {
  /// What a message says is accepted: `a duration such as "250ms"`.
  let accepted: String
  let schema: @Sendable (SchemaStyle) -> JSONLiteral
  /// `nil` when it could not be read, which is then among the problems.
  let read: @Sendable (LocatedJSON, Reading) -> Value?
  /// What an object without any keys gives; the position is that of the object it would stand in.
  var empty: (@Sendable (SourcePosition, Reading) -> Value?)?

  init(
    _ accepted: String, schema: @escaping @Sendable (SchemaStyle) -> JSONLiteral,
    read: @escaping @Sendable (LocatedJSON, Reading) -> Value?
  ) {
    self.accepted = accepted
    self.schema = schema
    self.read = read
  }
}

/// What differs between the schemas of the three kinds of file.
struct SchemaStyle: Sendable {
  /// Whether a string may hold `${ENV:NAME}`, whatever else it must look like.
  let substitutesEnvironment: Bool

  /// The schema of a constrained string.
  func string(_ constraints: JSONLiteral) -> JSONLiteral {
    guard substitutesEnvironment else { return constraints }
    return ["anyOf": [constraints, ["$ref": "#/$defs/environmentReference"]]]
  }
}

/// Why a value of the right JSON type is not what is needed.
struct Rejection: Error {
  let message: String
}

extension Form {
  /// The value with the place where it stands.
  var located: Form<PolicyDocument.Located<Value>> {
    .init(accepted, schema: schema) { node, reading in
      read(node, reading).map { .init($0, at: node.position) }
    }
  }

  func map<Other>(_ transform: @escaping @Sendable (Value) -> Other) -> Form<Other> {
    .init(accepted, schema: schema) { node, reading in read(node, reading).map(transform) }
  }
}

extension Reading {
  /// Says that `node` is not what is accepted here.
  func refuse<Value>(_ node: LocatedJSON, accepting accepted: String) -> Value? {
    error(at: node.position, "expected \(accepted), found \(node.summary)")
    return nil
  }
}

extension LocatedJSON {
  /// The value in a message: short ones as they stand.
  var summary: String {
    switch value {
    case .null: "null"
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .real(let value): "\(value)"
    case .string(let value): value.unicodeScalars.count <= 80 ? quoted(value) : "a longer string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// The value's type only, for what must not be shown.
  var typeName: String {
    switch value {
    case .null: "null"
    case .boolean: "a boolean"
    case .integer, .real: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
