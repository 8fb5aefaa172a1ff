package import Configuration
package import Primitives

/// What a policy found wrong, or, in `Decision.wouldChange`, what it would have changed.
package struct Violation: Sendable, Hashable {
  package let policy: Text
  /// `tags.required`
  package let rule: String
  /// `Tags.CostCenter`
  package let field: String
  /// What is wrong and what would be accepted; one line.
  package let message: String
  /// As its policy has it.
  package internal(set) var severity: PolicyDocument.Severity?
  /// Of the policy: whom to ask.
  package internal(set) var owner: Text?
  /// An https URL.
  package internal(set) var help: Text?
  /// Of a warning: the exception without which it would deny.
  package internal(set) var exception: Text?

  package init(policy: Text, rule: String, field: String, message: String) {
    self.policy = policy
    self.rule = rule
    self.field = field
    self.message = message
  }
}

/// What was changed: `Tags.Owner` from nothing to `crm@example.com`. For those who print it; see `FactChange`.
package struct Change: Sendable, Hashable {
  package let field: String
  /// `nil`: the request did not have the field.
  package let from: Text?
  package let to: Text

  package init(field: String, from: Text?, to: Text) {
    self.field = field
    self.from = from
    self.to = to
  }
}

/// What policies find about a request. What they change stands in the request itself.
package struct Decision: Sendable {
  /// Of `enforce` policies, in the order of policies and rules; any denies.
  package var violations: [Violation] = []
  /// Of `warn` policies: what they would have refused.
  package var warnings: [Violation] = []
  /// Of `warn` policies: what they would have changed, each under the rule that it serves. Nothing is wrong with a
  /// request of which nothing else is said (docs/decisions/0203).
  package var wouldChange: [Violation] = []
  package var isAllowed: Bool { violations.isEmpty }
  var isEmpty: Bool { violations.isEmpty && warnings.isEmpty && wouldChange.isEmpty }
  /// What each exception's `when` said of the request, where it was changed after that.
  var exceptionAnswers: [Truth]?
  package init() {}
}
