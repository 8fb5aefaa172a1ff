package import Patterns
package import Primitives
package import StrictJSON

extension PolicyDocument {
  /// Lists that a request is matched with. One that is left out takes in everything; all must.
  package struct MatchLists: Sendable {
    package struct Label: Sendable {
      package let name: Text
      package let values: [Glob]
      /// Where the name stands.
      package let position: SourcePosition
      package init(name: Text, values: [Glob], at position: SourcePosition) {
        self.name = name
        self.values = values
        self.position = position
      }
    }

    /// `nil`: all.
    package var tenants: [Glob]?
    /// Where each of these stands.
    package var tenantPositions: [SourcePosition] = []
    /// Labels that the tenant must have, each with one of these values.
    package var tenantLabels: [Label] = []
    package var appInstances: [Glob]?
    package var operations: [Glob]?
    package init() {}
  }

  @dynamicMemberLookup
  package struct Match: Sendable {
    package var lists = MatchLists()
    /// What it takes in is not the policy's.
    package var exclude: MatchLists?
    /// Where `operations` stands; `nil` when it was left out.
    package var operationsPosition: SourcePosition?
    package init() {}

    package subscript<Value>(dynamicMember path: WritableKeyPath<MatchLists, Value>) -> Value {
      get { lists[keyPath: path] }
      set { lists[keyPath: path] = newValue }
    }
  }
}

extension PolicyDocument.Match {
  static func form(knownOperations: [String]) -> Form<Self> {
    let exclusions = PolicyDocument.MatchLists.form(knownOperations: knownOperations)
    return .object("a match object") { keys in
      var match = Self()
      match.lists = PolicyDocument.MatchLists(keys, knownOperations, in: "so this policy never applies")
      match.operationsPosition = match.lists.operations.map { _ in keys.position(of: "operations") }
      match.exclude = keys.optional(
        "exclude", exclusions, "The same lists: a request that all of these match is not this policy's.")
      return match
    }
  }
}

extension PolicyDocument.MatchLists {
  static func form(knownOperations: [String]) -> Form<Self> {
    .object("an object of lists") { keys in
      let lists = Self(keys, knownOperations, in: "so this excludes nothing")
      let names = ["tenants", "tenantLabels", "appInstances", "operations"]
      if !names.contains(where: keys.has) {
        keys.warning(at: keys.position, "nothing stands in \"exclude\", so it excludes every request")
      }
      return lists
    }
  }

  /// - Parameter consequence: of a list that matches nothing.
  init(_ keys: Keys, _ knownOperations: [String], in consequence: String) {
    let globs = Form<[Glob]>.list(of: .glob, "a list of globs")
    let placed = keys.optional(
      "tenants", .list(of: Form<Glob>.glob.located, "a list of globs"),
      "Globs of tenant ids; all when absent.")
    tenants = placed?.map(\.value)
    tenantPositions = (placed ?? []).map(\.position)
    let labels = keys.optional(
      "tenantLabels", .map(from: { Text($0) }, to: globs, "an object of lists of globs"),
      "Globs by the name of a label, which the tenant must have with a value that one of them matches.")
    tenantLabels = (labels ?? []).map { Label(name: $0.key.value, values: $0.value, at: $0.key.position) }
    appInstances = keys.optional(
      "appInstances", .list(of: .appInstance, "a list of globs of AppInstance ARNs"),
      "Globs of AppInstance ARNs; all when absent.")
    operations = keys.optional(
      "operations", .list(of: .operationGlob(knownOperations), "a list of operation globs"),
      "Globs of operation names; all when absent.")
    for (name, list) in [
      ("tenants", tenants), ("appInstances", appInstances), ("operations", operations),
    ] where list?.isEmpty == true && keys.isEmptyList(name) {
      keys.warning(at: keys.position(of: name), "an empty list matches nothing, \(consequence)")
    }
    for (key, values) in labels ?? [] where values.isEmpty {
      keys.warning(
        at: key.position, "no value of the label \(quoted(key.value.string)) is listed, \(consequence)")
    }
  }
}
