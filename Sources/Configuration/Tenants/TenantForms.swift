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
  static var glob: Form { Form<Text>.nonEmptyText("a glob").map { Glob($0) } }

  /// A glob that some AppInstance's ARN can match.
  static var appInstance: Form {
    let accepted =
      "a glob of AppInstance ARNs such as \"arn:aws:chime:us-east-1:123456789012:app-instance/*\""
    let schema: JSONLiteral = ["type": "string", "pattern": #"^([^/]*/[^/]*|[^/]*\*[^/]*)$"#]
    return parsed(accepted, schema: schema) { text throws(Rejection) in
      let glob = Glob(Text(text))
      // An AppInstance's id has no slash; one would make it the ARN of a user or bot.
      guard text.utf8.count(where: { $0 == UInt8(ascii: "/") }) <= 1, glob.overlaps(anyAppInstance) else {
        return nil
      }
      return glob
    }
  }

  private static var anyAppInstance: Glob { Glob("arn:aws*:chime:*:????????????:app-instance/*") }
}
