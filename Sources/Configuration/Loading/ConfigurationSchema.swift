/// The JSON Schemas (draft 2020-12) of the files that people write, made from the definitions that read them.
package enum ConfigurationSchema {
  package enum Kind: String, Sendable, CaseIterable { case config, tenants, policy, exception, test }

  /// - Parameter knownRules: the ids that a violation can have; empty: any.
  package static func bytes(
    of kind: Kind, knownOperations: [String], knownRules: [String] = []
  ) -> [UInt8] {
    literal(of: kind, knownOperations: knownOperations, knownRules: knownRules).prettyBytes
  }

  private static func literal(
    of kind: Kind, knownOperations: [String], knownRules: [String]
  ) -> JSONLiteral {
    let style = SchemaStyle(substitutesEnvironment: kind == .config || kind == .tenants)
    let body: JSONLiteral
    switch kind {
    case .config: body = ConfigurationDraft.form.schema(style)
    case .tenants: body = TenantEntry.fileForm(knownOperations: knownOperations).schema(style)
    case .policy: body = PolicyDocument.form(knownOperations: knownOperations).schema(style)
    case .exception: body = ExceptionDocument.form(knownOperations: knownOperations).schema(style)
    case .test:
      body = PolicyTestFile.form(knownOperations: knownOperations, knownRules: knownRules).schema(style)
    }
    var schema: JSONLiteral = [
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      // A name and no address: editors take the schema from the file that they are pointed at.
      "$id": .string("urn:gatehouse:schema:\(kind.rawValue)"),
      "title": .string("Gatehouse: \(kind.title)"),
      "description": .string(kind.summary),
    ]
    if case .object(let members) = body {
      for member in members { schema[member.key] = member.value }
    }
    if kind == .policy || kind == .exception {
      schema["$defs"] = ["when": Form<PolicyDocument.When>.definition(style)]
    }
    if style.substitutesEnvironment {
      schema["$defs"] = [
        "environmentReference": [
          "description": "A string in which environment variables are put.",
          "type": "string", "pattern": #"\$\{ENV:[^}]+\}"#,
        ]
      ]
    }
    return schema
  }
}

extension ConfigurationSchema.Kind {
  fileprivate var title: String {
    switch self {
    case .config: "configuration"
    case .tenants: "tenants"
    case .policy: "policy"
    case .exception: "exception from policies"
    case .test: "policy tests"
    }
  }

  fileprivate var summary: String {
    switch self {
    case .config: "What `gatehouse serve` runs on. Relative paths are relative to this file."
    case .tenants: "The applications that may call, their access keys and what they are confined to."
    case .policy: "What requests must look like. Every policy that matches a request applies to it."
    case .exception: "Which rules of which policies warn instead of denying, of whom, and until when."
    case .test: "Cases for policies: who asks for what, and what is expected of the decision."
    }
  }
}
