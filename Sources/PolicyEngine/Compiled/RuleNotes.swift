internal import Configuration
internal import Primitives

/// What a rule has its author say to those whom it refuses.
final class RuleNotes: Sendable {
  /// Appended to the message.
  let message: Text?
  /// An https URL.
  let help: Text?

  /// - Parameter headers: the rule's own and its group's, the nearest first.
  /// - Returns: `nil`: nothing.
  static func of(_ headers: PolicyDocument.RuleHeader..., in document: PolicyDocument) -> RuleNotes? {
    let message = headers.lazy.compactMap(\.message).first
    let help = headers.lazy.compactMap(\.help).first ?? document.help
    return message == nil && help == nil ? nil : RuleNotes(message: message, help: help)
  }

  private init(message: Text?, help: Text?) {
    self.message = message
    self.help = help
  }
}

extension Violation {
  /// Of a rule that a request breaks.
  init(
    _ rule: Rule, of policy: BoundPolicy, saying notes: RuleNotes?, field: String, wrong: String,
    accepted: String
  ) {
    let own = notes?.message.map { "; \(MessageText.line($0))" } ?? ""
    self.init(
      policy: policy.name, rule: rule.rawValue, field: field, message: "\(wrong); accepted: \(accepted)\(own)"
    )
    severity = policy.severity
    owner = policy.owner
    help = notes?.help
  }
}
