internal import Patterns
internal import Primitives
internal import StrictJSON

extension ExceptionDocument {
  static func form(knownOperations: [String]) -> Form<ExceptionDocument> {
    let match = PolicyDocument.Match.form(knownOperations: knownOperations)
    let names = Form<[PolicyDocument.Located<Text>]>.list(
      of: Form<Text>.nonEmptyText("the name of a policy").located, "a list of at least one name of a policy",
      atLeast: 1)
    let rules = Form<[PolicyDocument.Located<Text>]>.list(
      of: Form<Text>.nonEmptyText("a rule id or a glob").located, "a list of at least one rule id or glob",
      atLeast: 1)
    return .object("an exception object") { keys in
      keys.schemaReference()
      let name = keys.required("exception", .exceptionName, "The exception's name, unique.")
      let reason = keys.required("reason", .remark("the reason"), "Why it was granted.")
      let owner = keys.optional("owner", .remark("a person or a team"), "Whom to ask about it.")
      let until = keys.required("until", Form<CalendarDay>.day.located, "Its last day, in UTC.")
      let policies = keys.required(
        "policies", names, "The policies whose violations become warnings; never the gateway's own rules.")
      let covered = keys.optional("rules", rules, "Rule ids, or globs such as name.*; all when absent.")
      let matching = keys.section("match", match, "Which requests it is about; all when absent.")
      let when = keys.optional(
        "when", .when, "What requests must have for it; what a call does not carry counts as not held.")
      guard let name, let reason, let until, let policies else { return nil }
      return ExceptionDocument(
        file: "", name: name, reason: reason, owner: owner, until: until, policies: policies, rules: covered,
        match: matching ?? PolicyDocument.Match(), when: when)
    }
  }
}

extension Form where Value == PolicyDocument.Located<Text> {
  /// It stands in headers and metrics.
  fileprivate static var exceptionName: Form {
    let schema: JSONLiteral = ["type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"]
    return Form<Text>.parsed("a name of 1 to 128 letters, digits and . _ -", schema: schema) {
      text throws(Rejection) in
      let isName = text.utf8.allSatisfy { isASCIIAlphanumeric($0) || "._-".utf8.contains($0) }
      return isName && (1...128).contains(text.utf8.count) ? Text(text) : nil
    }.located
  }
}

extension Form where Value == CalendarDay {
  fileprivate static var day: Form {
    parsed(
      "a day such as \"2027-01-31\"",
      schema: ["type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"]
    ) { text throws(Rejection) in CalendarDay(text) }
  }
}
