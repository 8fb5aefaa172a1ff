package import Patterns
package import Primitives
package import StrictJSON

/// One `*.test.json` as written: requests, and what policies must make of them.
package struct PolicyTestFile: Sendable {
  /// Whose request it is. Nobody need be in the tenants file.
  package struct Tenant: Sendable {
    package var id: Text
    package var labels: [Text: Text]
    /// `nil`: any.
    package var appInstances: [Glob]?
    /// `nil`: all.
    package var operations: [String]?
  }

  package enum Request: Sendable {
    case none
    /// Members of the operation's input, as an SDK takes them.
    case object(LocatedJSON)
    /// The body's bytes, for what is no JSON object or none at all.
    case raw([UInt8])
  }

  package enum Decision: String, Sendable, CaseIterable { case allowed, denied, invalid }

  package enum ExpectedChange: Sendable, Hashable {
    case to(Text)
    case none
  }

  /// What is checked; what was left out is not.
  package struct Expectation: Sendable {
    package var decision: Decision?
    /// All rules of `enforce` policies that the request breaks.
    package var violations: [String]?
    /// All rules that `warn` policies report.
    package var warnings: [String]?
    /// All of both, so that a case holds before and after a policy is promoted.
    package var rules: [String]?
    /// By field; empty: nothing is changed.
    package var changes: [(field: Text, change: ExpectedChange)]?
  }

  package struct Case: Sendable {
    package var name: String
    package var tenant: Tenant
    package var operation: String
    package var path: Text?
    /// When it is made, for exceptions; `nil`: now.
    package var time: WallClockTime?
    package var request: Request
    package var expect: Expectation
    package var position: SourcePosition
  }

  package var file: String
  package var cases: [Case]
}

extension PolicyTestFile {
  /// - Parameter knownRules: the ids that a violation can have; empty: any.
  static func form(knownOperations: [String], knownRules: [String]) -> Form<[Case]> {
    let one = Case.form(knownOperations: knownOperations, knownRules: knownRules)
    return .object("an object with \"cases\"") { keys in
      keys.schemaReference()
      let cases = keys.required(
        "cases", .list(of: one, "a list of at least one case", atLeast: 1), "The cases, run in this order.")
      _ = keys.optional("description", .string, "For people.")
      if let cases { adviseAboutRepeats(in: cases, keys) }
      return cases
    }
  }

  private static func adviseAboutRepeats(in cases: [Case], _ keys: Keys) {
    var seen: Set<String> = []
    for one in cases where !seen.insert(one.name).inserted {
      keys.warning(at: one.position, "another case of this file has the name \(quoted(one.name))")
    }
  }
}

extension PolicyTestFile.Case {
  fileprivate static func form(knownOperations: [String], knownRules: [String]) -> Form<Self> {
    let tenants = PolicyTestFile.Tenant.form(knownOperations: knownOperations)
    let expectations = PolicyTestFile.Expectation.form(knownRules: knownRules)
    return .object("a case object") { keys in
      let name = keys.required("name", Form.nonEmpty("the case's name"), "What the case shows.")
      _ = keys.optional("description", .string, "For people.")
      let tenant = keys.required("tenant", tenants, "Whose request it is.")
      let operation = keys.value(
        "operation", .operation(knownOperations), default: "CreateAppInstanceUser",
        "The operation that is called.")
      let path = keys.optional(
        "path", Form<Text>.nonEmptyText("a request target such as \"/app-instance-users/…\""),
        "The request target, for operations with facts in path or query; made from `request` when absent.")
      let time = keys.optional("time", .time, "When the request is made, for exceptions; now when absent.")
      let request = keys.optional(
        "request", .testRequest, "The operation's input; a string is taken as the body as it stands.")
      let expect = keys.required("expect", expectations, "What must become of it.")
      guard let name, let tenant, let expect else { return nil }
      return Self(
        name: name, tenant: tenant, operation: operation, path: path, time: time, request: request ?? .none,
        expect: expect, position: keys.position)
    }
  }
}

extension PolicyTestFile.Tenant {
  fileprivate static func form(knownOperations: [String]) -> Form<Self> {
    let globs = Form<[Glob]>.list(of: .glob, "a list of globs")
    let operations = Form<[String]>.list(
      of: .operation(knownOperations), "a list of operation names")
    return .object("a tenant object") { keys in
      let id = keys.required("id", Form<Text>.nonEmptyText("a tenant id"), "The tenant's id.")
      let labels = keys.optional(
        "labels", .map(from: { Text($0) }, to: .text, "an object of strings"), "The tenant's labels.")
      let appInstances = keys.optional(
        "appInstances", globs,
        "Globs of AppInstance ARNs that confine the tenant; no confinement when absent.")
      let allowed = keys.optional(
        "operations", operations, "The operations that the tenant may call; all when absent.")
      guard let id else { return nil }
      return Self(
        id: id, labels: Dictionary((labels ?? []).map { ($0.key.value, $0.value) }) { first, _ in first },
        appInstances: appInstances, operations: allowed)
    }
  }
}

extension PolicyTestFile.Expectation {
  fileprivate static func form(knownRules: [String]) -> Form<Self> {
    let rules = Form<[String]>.list(of: .rule(among: knownRules), "a list of rule ids")
    return .object("an object of expectations") { keys in
      var expect = Self()
      expect.decision = keys.optional("decision", .choice(), "What becomes of the request.")
      expect.violations = keys.optional(
        "violations", rules, "All rules of enforce policies that it breaks; not checked when absent.")
      expect.warnings = keys.optional(
        "warnings", rules, "All rules that warn policies report; not checked when absent.")
      expect.rules = keys.optional(
        "rules", rules,
        "All rules that it breaks, of enforce and warn policies together, so that promoting a policy breaks no case; "
          + "not checked when absent.")
      let changes = keys.optional(
        "changes", .map(from: { Text($0) }, to: .expectedChange, "an object of fields and values"),
        "Fields and what they are changed to, null for one that must not be; empty: nothing may be changed.")
      expect.changes = changes.map { $0.map { ($0.key.value, $0.value) } }
      let known = ["decision", "violations", "warnings", "rules", "changes"]
      if !known.contains(where: keys.has) {
        keys.error(
          at: keys.position,
          "nothing is expected; give at least one of \(known.map(quoted).joined(separator: ", "))")
      }
      return expect
    }
  }
}

extension Form where Value == String {
  /// A rule id.
  ///
  /// - Parameter known: those that there are; empty: any.
  fileprivate static func rule(among known: [String]) -> Form {
    let schema: JSONLiteral =
      known.isEmpty ? ["type": "string"] : ["enum": .array(known.map { .string($0) })]
    return parsed("a rule id such as \"tags.required\"", schema: schema) { text throws(Rejection) in
      guard !known.isEmpty, !known.contains(text) else { return text }
      throw Rejection(message: "unknown rule \(quoted(text))\(suggestion(for: text, among: known))")
    }
  }
}

extension Form where Value == PolicyTestFile.Request {
  fileprivate static var testRequest: Form {
    let accepted = "an object, or the body as a string"
    return Form(accepted, schema: { _ in ["type": ["object", "string"]] }) { node, reading in
      switch node.value {
      case .object: return .object(node)
      case .string(let text): return .raw(Array(text.utf8))
      default: return reading.refuse(node, accepting: accepted)
      }
    }
  }
}

extension Form where Value == PolicyTestFile.ExpectedChange {
  fileprivate static var expectedChange: Form {
    let accepted = "a string, a whole number, or null for a field that is not changed"
    return Form(accepted, schema: { _ in ["type": ["string", "integer", "null"]] }) { node, reading in
      switch node.value {
      case .string(let text): return .to(Text(text))
      case .integer(let number): return .to(Text("\(number)"))
      case .null: return PolicyTestFile.ExpectedChange.none
      default: return reading.refuse(node, accepting: accepted)
      }
    }
  }
}
