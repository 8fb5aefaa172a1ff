internal import ChimeIdentity
internal import Configuration
internal import Primitives
internal import StrictJSON

/// Policies whose `match.operations` take in the creation of users and leave out a call that can undo what was asked of
/// them then. The list is the author's to write, so this is a warning.
struct Bypasses {
  private(set) var problems: [Problem] = []

  init(_ policies: [CompiledPolicy]) {
    for policy in policies where policy.governs(.createUser) {
      guard let position = policy.document.match.operationsPosition else { continue }
      for later in [Governance.updateUser, .putExpiration, .tagUser] where !policy.governs(later) {
        let rules = policy.document.rules(that: later).filter { group in
          !policies.contains { $0.governs(later) && $0.holds(group, as: policy.document, to: later) }
        }
        guard !rules.isEmpty else { continue }
        let names = rules.map { "`\($0)`" }.joined(separator: " and ")
        problems.append(
          policy.document.problem(
            at: position, severity: .warning,
            "the rules on \(names) hold when a user is created, and \(later.operation.name), which can change"
              + " that afterwards, is not among these operations"))
      }
    }
  }
}

extension PolicyDocument {
  /// The sections of its rules that a later call can undo.
  fileprivate func rules(that later: Governance) -> [String] {
    var names: [String] = []
    if later.checksName, userName != nil { names.append("name") }
    if later.checksMetadata, metadata != nil { names.append("metadata") }
    if later.checksExpiration, expiration != nil { names.append("expiration") }
    // Tags that are set need no match: they are protected whatever operations the policy matches.
    if later == .tagUser, let tags,
      !tags.required.isEmpty || tags.allowedKeys != nil || !tags.forbiddenKeys.isEmpty
    {
      names.append("tags")
    }
    return names
  }
}

extension CompiledPolicy {
  /// Whether it has rules of its own on the same part of the same users, as authors write who want others there.
  fileprivate func holds(_ rules: String, as other: PolicyDocument, to later: Governance) -> Bool {
    document.mode == other.mode && document.rules(that: later).contains(rules)
      && document.match.overlaps(other.match)
  }
}
