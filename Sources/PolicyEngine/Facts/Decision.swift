package import Primitives

/// What a policy found wrong, or, of a `warn` policy, what it would have changed.
package struct Violation: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// The request breaks the rule.
    case refusal
    /// The request would keep the rule after a change that the policy, being in `warn`, did not make.
    case wouldChange
  }

  package let policy: Text
  /// `tags.required`
  package let rule: String
  /// `Tags.CostCenter`
  package let field: String
  /// What is wrong and what would be accepted; one line.
  package let message: String
  package let kind: Kind

  package init(policy: Text, rule: String, field: String, message: String, kind: Kind = .refusal) {
    self.policy = policy
    self.rule = rule
    self.field = field
    self.message = message
    self.kind = kind
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
  /// Of `warn` policies: what they would have refused and changed.
  package var warnings: [Violation] = []
  package var isAllowed: Bool { violations.isEmpty }
  var isEmpty: Bool { violations.isEmpty && warnings.isEmpty }
  package init() {}
}
