package import Configuration
package import PolicyEngine
package import Primitives

/// All results of a run, and what they leave untested.
package struct TrialRun: Sendable {
  /// A rule of a policy.
  package struct CoveredRule: Sendable, Hashable {
    package let policy: Text
    package let rule: String
  }

  package let results: [TrialResult]
  /// Test files that could not be read, each with its problems.
  package let unreadable: [(file: String, problems: [Problem])]
  /// Every rule that some request could break.
  package let rules: [CoveredRule]
  /// Those that no case makes fail.
  package let uncovered: [CoveredRule]

  package var passed: Int { results.count { $0.hasPassed } }
  package var failed: Int { results.count - passed }
  /// A run of nothing has shown nothing.
  package var isSuccess: Bool { !results.isEmpty && failed == 0 && unreadable.isEmpty }

  package init(
    _ results: [TrialResult], unreadable: [(file: String, problems: [Problem])], policies: PolicySet
  ) {
    self.results = results
    self.unreadable = unreadable
    rules = policies.breakableRules.flatMap { policy in
      policy.rules.map { CoveredRule(policy: policy.policy, rule: $0.rawValue) }
    }
    let broken = Set(
      results.lazy.flatMap { $0.outcome.violations + $0.outcome.warnings }
        .map { CoveredRule(policy: $0.policy, rule: $0.rule) })
    uncovered = rules.filter { !broken.contains($0) }
  }
}
