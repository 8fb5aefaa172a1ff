import ChimeIdentity
import Primitives
import Testing

@testable import PolicyEngine

/// Rules, a request, and exactly what the rules must find.
struct RuleCase: CustomTestStringConvertible {
  let testDescription: String
  let rules: String
  let body: String
  let violations: [String]

  init(_ what: String, _ rules: String, _ body: String, _ violations: String...) {
    testDescription = what
    self.rules = rules
    self.body = body
    self.violations = violations
  }

  func outcome(
    as operation: ChimeIdentity.Operation = .createAppInstanceUser, tenant: TenantFacts = crm
  ) throws -> Outcome {
    try decide([policy(rules)], body, as: operation, tenant: tenant)
  }
}

/// n times the same.
func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
