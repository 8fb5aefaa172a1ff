internal import OpenSSLCrypto
internal import Primitives
internal import StrictJSON

extension Form where Value == Bool {
  static var boolean: Form {
    Form("true or false", schema: { _ in ["type": "boolean"] }) { node, reading in
      guard case .boolean(let value) = node.value else {
        return reading.refuse(node, accepting: "true or false")
      }
      return value
    }
  }
}

extension Form where Value == Int {
  /// A whole number within `range`.
  static func integer(_ range: ClosedRange<Int>) -> Form {
    let upper = range.upperBound == .max ? "" : " to \(range.upperBound)"
    let accepted =
      upper.isEmpty
      ? "a whole number of at least \(range.lowerBound)" : "a whole number from \(range.lowerBound)\(upper)"
    var schema: JSONLiteral = ["type": "integer", "minimum": .integer(Int64(range.lowerBound))]
    if range.upperBound != .max { schema["maximum"] = .integer(Int64(range.upperBound)) }
    return Form(accepted, schema: { [schema] _ in schema }) { node, reading in
      guard case .integer(let value) = node.value, let number = Int(exactly: value), range.contains(number)
      else { return reading.refuse(node, accepting: accepted) }
      return number
    }
  }
}

extension Form where Value == Double {
  /// A number above zero.
  static var positiveNumber: Form {
    let accepted = "a number above 0"
    let schema: JSONLiteral = ["type": "number", "exclusiveMinimum": 0]
    return Form(accepted, schema: { _ in schema }) { node, reading in
      switch node.value {
      case .integer(let value) where value > 0: return Double(value)
      case .real(let value) where value > 0 && value.isFinite: return value
      default:
        return reading.refuse(node, accepting: accepted)
      }
    }
  }
}

extension Form {
  /// A string with a meaning of its own.
  /// - Parameter parse: `nil` when the string is not what was accepted; throws when there is more to say.
  static func parsed(
    _ accepted: String, schema constraints: JSONLiteral = ["type": "string"],
    parse: @escaping @Sendable (String) throws(Rejection) -> Value?
  ) -> Form {
    Form(accepted, schema: { $0.string(constraints) }) { node, reading in
      guard case .string(let written) = node.value else { return reading.refuse(node, accepting: accepted) }
      guard let text = reading.substitute(written, at: node.position) else { return nil }
      do throws(Rejection) {
        if let value = try parse(text) { return value }
        // What was written, not what a variable put in: that may be a secret.
        return reading.refuse(node, accepting: accepted)
      } catch {
        reading.error(at: node.position, error.message)
        return nil
      }
    }
  }
}

extension Form where Value == String {
  /// Any string.
  static var string: Form {
    Form("a string", schema: { _ in ["type": "string"] }) { node, reading in
      guard case .string(let written) = node.value else {
        return reading.refuse(node, accepting: "a string")
      }
      return reading.substitute(written, at: node.position)
    }
  }

  /// A string with something in it.
  static func nonEmpty(_ accepted: String) -> Form {
    parsed(accepted, schema: ["type": "string", "minLength": 1]) { text throws(Rejection) in
      text.isEmpty ? nil : text
    }
  }
}

extension Form where Value == Text {
  static var text: Form { Form<String>.string.map { Text($0) } }
  static func nonEmptyText(_ accepted: String) -> Form { Form<String>.nonEmpty(accepted).map { Text($0) } }
}

extension Form where Value == Secret {
  /// A string that no message repeats.
  static var secret: Form {
    Form("a secret string", schema: { _ in ["type": "string", "minLength": 1, "writeOnly": true] }) {
      node, reading in
      guard case .string(let written) = node.value, !written.isEmpty else {
        reading.error(at: node.position, "expected a string that is not empty, found \(node.typeName)")
        return nil
      }
      reading.noteSecret(written, at: node.position)
      guard let text = reading.substitute(written, at: node.position) else { return nil }
      guard !text.isEmpty else {
        reading.error(at: node.position, "expected a string that is not empty; its variable is empty")
        return nil
      }
      return Secret(Array(text.utf8))
    }
  }
}

extension Form where Value == Secret? {
  /// A secret that need not be: an empty string, or a variable that is, says that there is none.
  static var secretOrNone: Form {
    Form("a secret string", schema: { _ in ["type": "string", "writeOnly": true] }) { node, reading in
      guard case .string(let written) = node.value else {
        reading.error(at: node.position, "expected a string, found \(node.typeName)")
        return nil
      }
      if !written.isEmpty { reading.noteSecret(written, at: node.position) }
      guard let text = reading.substitute(written, at: node.position) else { return nil }
      return .some(text.isEmpty ? nil : Secret(Array(text.utf8)))
    }
  }
}

/// A choice whose names in the file are its raw values.
extension Form where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  static func choice(_ type: Value.Type = Value.self) -> Form {
    let names = Value.allCases.map(\.rawValue)
    let list = names.map(quoted).joined(separator: ", ")
    let accepted = names.count == 1 ? list : "one of \(list)"
    return parsed(accepted, schema: ["enum": .array(names.map { .string($0) })]) { text throws(Rejection) in
      if let value = Value(rawValue: text) { return value }
      let hint = nearest(to: text, among: names).map { "; did you mean \(quoted($0))?" } ?? ""
      throw Rejection(message: "expected \(accepted), found \(quoted(text))\(hint)")
    }
  }
}

extension Form where Value == Duration {
  static var duration: Form { duration(pattern: "^[0-9]{1,15}(ms|s|m|h|d)$", orMore: .zero) }
  static var positiveDuration: Form {
    duration(pattern: "^0*[1-9][0-9]{0,14}(ms|s|m|h|d)$", orMore: .milliseconds(1))
  }

  private static func duration(pattern: JSONLiteral, orMore minimum: Duration) -> Form {
    let accepted =
      "a \(minimum > .zero ? "positive " : "")duration such as \"250ms\", \"10s\", \"5m\", \"24h\" or \"7d\""
    let schema: JSONLiteral = [
      "type": "string", "pattern": pattern, "examples": ["250ms", "10s", "5m", "24h", "7d"],
    ]
    return parsed(accepted, schema: schema) { text throws(Rejection) in
      guard let value = Duration(written: text), value >= minimum else { return nil }
      return value
    }
  }
}

extension Form where Value == ByteCount {
  /// A positive size: a string with a unit, or a number of bytes.
  static var byteCount: Form {
    let accepted = "a size such as \"16KiB\" or \"128MiB\", or a number of bytes above 0"
    let written: JSONLiteral = [
      "type": "string", "pattern": "^0*[1-9][0-9]{0,14}(B|KiB|MiB|GiB|TiB)$",
      "examples": ["16KiB", "128MiB"],
    ]
    let schema: @Sendable (SchemaStyle) -> JSONLiteral = {
      ["anyOf": [["type": "integer", "minimum": 1], $0.string(written)]]
    }
    let text = parsed(accepted) { text throws(Rejection) in
      ByteCount(written: text).flatMap { $0.bytes > 0 ? $0 : nil }
    }
    return Form(accepted, schema: schema) { node, reading in
      if case .integer(let value) = node.value, value > 0 { return ByteCount(Int(value)) }
      return text.read(node, reading)
    }
  }
}

extension Form where Value == WallClockTime {
  static var time: Form {
    let pattern: JSONLiteral =
      #"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"#
    return parsed(
      "an RFC 3339 time such as \"2027-01-01T00:00:00Z\"",
      schema: [
        "type": "string", "format": "date-time", "pattern": pattern, "examples": ["2027-01-01T00:00:00Z"],
      ]
    ) { text throws(Rejection) in WallClockTime(rfc3339: text) }
  }
}

extension Form where Value == FileReference {
  static var path: Form {
    let text = Form<String>.nonEmpty("a path")
    return Form(text.accepted, schema: text.schema) { node, reading in
      text.read(node, reading).map {
        FileReference(path: reading.resolve($0), position: node.position)
      }
    }
  }
}
