internal import Patterns
internal import Primitives

extension Form where Value == PolicyDocument.Located<Text> {
  /// Letters, digits and `._-`, so that it can stand in metrics, file names and role session names.
  static var tenantID: Form { name("a tenant id of letters, digits and . _ -", longest: 64) }
  /// What can stand in the Credential part of an Authorization header.
  static var accessKeyID: Form { name("an access key id of letters, digits and . _ -", longest: 128) }

  private static func name(_ accepted: String, longest: Int) -> Form {
    let pattern: JSONLiteral = .string("^[A-Za-z0-9][A-Za-z0-9._-]{0,\(longest - 1)}$")
    return Form<Text>.parsed(accepted, schema: ["type": "string", "pattern": pattern]) {
      text throws(Rejection) in
      let bytes = Array(text.utf8)
      guard (1...longest).contains(bytes.count), let first = bytes.first, isASCIIAlphanumeric(first),
        bytes.allSatisfy({ isASCIIAlphanumeric($0) || ".-_".utf8.contains($0) })
      else { return nil }
      return Text(uncheckedUTF8: bytes)
    }.located
  }
}

func isASCIIAlphanumeric(_ byte: UInt8) -> Bool {
  switch byte {
  case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
  default: false
  }
}

extension Form where Value == String {
  /// The name of an operation of the service model.
  static func operation(_ known: [String]) -> Form {
    let schema: JSONLiteral = ["enum": .array(known.map { .string($0) })]
    return parsed("the name of an operation", schema: schema) { text throws(Rejection) in
      guard !known.contains(text) else { return text }
      throw Rejection(message: unknownOperation(text, known))
    }
  }
}

func unknownOperation(_ name: String, _ known: [String]) -> String {
  let hint = nearest(to: name, among: known).map { "; did you mean \(quoted($0))?" } ?? ""
  return "unknown operation \(quoted(name))\(hint)"
}

extension Form where Value == Glob {
  /// In Unicode scalars: more than any value that a glob is held against can have. To compare two takes time in
  /// proportion to the product of their lengths.
  static let longest = 2048

  static var glob: Form {
    let schema: JSONLiteral = [
      "type": "string", "minLength": 1, "maxLength": .integer(Int64(longest)),
      "not": MisplacedTemplate.schema,
    ]
    return parsed("a glob of 1 to \(longest) characters", schema: schema) { text throws(Rejection) in
      try MisplacedTemplate.refuse(in: text)
      return isOfGlobLength(text) ? Glob(Text(text)) : nil
    }.advised
  }

  static func isOfGlobLength(_ text: String) -> Bool {
    (1...longest).contains(text.unicodeScalars.count)
  }

  /// A glob that some AppInstance's ARN can match.
  static var appInstance: Form {
    let accepted =
      "a glob of AppInstance ARNs such as \"arn:aws:chime:us-east-1:123456789012:app-instance/*\""
    // Each part is what it must be, or has a wildcard in it.
    let wild = "[^:/]*[?*][^:/]*"
    let sixParts =
      "(arn|\(wild)):(aws[^:/]*|\(wild)):(chime|\(wild)):[^:/]+:([0-9]{12}|[0-9?*]*[?*][0-9?*]*)"
      + ":(app-instance|\(wild))/[^/]+"
    let pattern: JSONLiteral = .string(#"^(\#(sixParts)|[^/]*\*[^/]*(/[^/]*)?)$"#)
    let schema: JSONLiteral = [
      "type": "string", "pattern": pattern, "maxLength": .integer(Int64(longest)),
      "examples": ["arn:aws:chime:us-east-1:123456789012:app-instance/*"],
    ]
    return parsed(accepted, schema: schema) { text throws(Rejection) in
      isOfGlobLength(text) && canMatchAppInstance(text) ? Glob(Text(text)) : nil
    }
  }

  /// An AppInstance's ARN is `arn:aws:chime:REGION:ACCOUNT:app-instance/ID`; one more slash would make it that of a
  /// user or bot.
  private static func canMatchAppInstance(_ text: String) -> Bool {
    let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
    let shape: [Text] = ["arn", "aws*", "chime", "*", "????????????", "app-instance/*"]
    guard text.utf8.count(where: { $0 == UInt8(ascii: "/") }) <= 1 else { return false }
    guard parts.count == shape.count else {
      // With fewer parts a `*` must stand for several.
      return Glob(Text(text)).overlaps(Glob("arn:aws*:chime:*:????????????:app-instance/*"))
    }
    guard zip(parts, shape).allSatisfy({ Glob(Text(String($0))).overlaps(Glob($1)) }) else { return false }
    return parts[4].utf8.allSatisfy { (0x30...0x39).contains($0) || "*?".utf8.contains($0) }
  }
}
