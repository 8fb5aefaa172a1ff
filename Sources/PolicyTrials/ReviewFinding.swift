package import Configuration
internal import Primitives
internal import StrictJSON

/// Something that a reviewer of a change is to see at its place in a file.
package struct ReviewFinding: Sendable {
  /// Of which kind a finding is.
  package enum Rule: String, CaseIterable, Sendable {
    /// What `check` says of a file.
    case check = "gatehouse/check"
    /// A test case that failed.
    case test = "gatehouse/test"
    /// A test file that cannot be read.
    case testFile = "gatehouse/test-file"

    var description: String {
      switch self {
      case .check: "A problem of the configuration, the tenants or the policies"
      case .test: "A policy test case that failed"
      case .testFile: "A file of policy test cases that cannot be read"
      }
    }
  }

  let rule: Rule
  let severity: Problem.Severity
  let file: String
  let position: SourcePosition
  /// A few words for a heading.
  let title: String
  let message: String

  /// What `check` found.
  package init(_ problem: Problem, as rule: Rule = .check) {
    self.rule = rule
    severity = problem.severity
    file = problem.file
    position = problem.position
    title = rule.description
    message = problem.message
  }

  /// What is not as a case expects it.
  fileprivate init(_ result: TrialResult) {
    rule = .test
    severity = .error
    file = result.file
    position = result.trial.position
    title = "policy test failed: \(result.trial.name.onOneLine)"
    message = result.failures.joined(separator: "\n")
  }
}

extension TrialRun {
  /// Each case that failed, each problem of a file that cannot be read.
  package var findings: [ReviewFinding] {
    results.filter { !$0.hasPassed }.map { ReviewFinding($0) }
      + unreadable.flatMap { $0.problems.map { ReviewFinding($0, as: .testFile) } }
  }
}
