internal import ChimeIdentity

extension JudgementRefusal {
  /// For the caller and whoever tries requests: lower case, no full stop.
  package var message: String {
    switch self {
    case .notStrictJSON(let error): error.bodyMessage
    case .breaksModel(let violation): violation.message
    case .notTheTenants(let violation): violation.line
    case .denied(let violations): violations.map(\.line).joined(separator: "; ")
    }
  }
}

extension Violation {
  /// `org-baseline: tags.required: Tags.Owner: the tag is missing; accepted: … (see https://…)`
  package var line: String {
    "\(policy): \(rule): \(field): \(message)" + (help.map { " (see \($0))" } ?? "")
  }
}
