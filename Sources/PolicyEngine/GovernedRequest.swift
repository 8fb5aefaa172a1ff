package import ChimeIdentity
package import Primitives

/// The facts of one request that policy looks at and may change. What is evaluated is what is forwarded.
package struct GovernedRequest: Sendable {
  package struct Tag: Sendable, Hashable {
    package var key: Text
    package var value: Text
    package init(key: Text, value: Text) {
      self.key = key
      self.value = value
    }
  }

  package var operation: Operation
  /// The AppInstance the request is about; empty when it names none.
  package var appInstanceArn: Text
  /// The part of the AppInstance ARN after `app-instance/`, for `${request.appInstanceId}`.
  package var appInstanceId: Text
  package var appInstanceUserId: Text?
  package var name: Text?
  package var metadata: Text?
  package var clientRequestToken: Text?
  package var tags: [Tag]
  package var expirationDays: Int?
}

/// Whose request it is, as far as templates and matches need it.
package struct TenantFacts: Sendable {
  package var id: Text
  package var labels: [Text: Text]
  package init(id: Text, labels: [Text: Text] = [:]) {
    self.id = id
    self.labels = labels
  }
}

/// What a policy found wrong (contract section 4).
package struct Violation: Sendable, Hashable {
  package let policy: Text
  /// `tags.required`
  package let rule: String
  /// `Tags.CostCenter`
  package let field: String
  /// What is wrong and what would be accepted.
  package let message: String
}

/// What a policy changed: `Tags.Owner` from nothing to `crm@example.com`.
package struct Change: Sendable, Hashable {
  package let field: String
  package let from: Text?
  package let to: Text
}

package struct Decision: Sendable {
  package var violations: [Violation] = []
  package var warnings: [Violation] = []
  package var changes: [Change] = []
  package var isAllowed: Bool { violations.isEmpty }
  package init() {}
}
