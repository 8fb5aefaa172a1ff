internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

/// Matches that name no tenant there is: what is misspelt there makes a policy silent, or an exclusion.
struct UnknownTenants {
  private(set) var problems: [Problem] = []
  private let tenants: [TenantFacts]

  init(_ policies: [CompiledPolicy], _ tenants: [TenantFacts]) {
    self.tenants = tenants
    // Who has no tenants yet is not told so of every policy.
    guard !tenants.isEmpty else { return }
    for document in policies.map(\.document) {
      review(document.match.lists, of: document)
      if let exclude = document.match.exclude { review(exclude, of: document) }
    }
  }

  private mutating func review(_ lists: PolicyDocument.MatchLists, of document: PolicyDocument) {
    for (glob, position) in zip(lists.tenants ?? [], lists.tenantPositions)
    where !tenants.contains(where: { glob.matches($0.id) }) {
      let hint = Self.hint(glob.source, among: tenants.map(\.id))
      warn(document, position, "no tenant is called `\(MessageText.shown(glob.source))`\(hint)")
    }
    for label in lists.tenantLabels {
      let name = MessageText.shown(label.name)
      let values = tenants.compactMap { $0.labels[label.name] }
      if values.isEmpty {
        let hint = Self.hint(label.name, among: Set(tenants.flatMap(\.labels.keys)).sorted())
        warn(document, label.position, "no tenant has a label `\(name)`\(hint)")
      } else if !label.values.isEmpty, !values.contains(where: { label.values.anyMatches($0) }) {
        warn(
          document, label.position,
          "no tenant's label `\(name)` has a value that matches one of \(MessageText.list(label.values))")
      }
    }
  }

  private static func hint(_ name: Text, among known: [Text]) -> String {
    nearest(to: name.string, among: known.map(\.string)).map {
      "; did you mean `\(MessageText.shown(Text($0)))`?"
    } ?? ""
  }

  private mutating func warn(_ document: PolicyDocument, _ position: SourcePosition, _ message: String) {
    problems.append(document.problem(at: position, severity: .warning, message))
  }
}
