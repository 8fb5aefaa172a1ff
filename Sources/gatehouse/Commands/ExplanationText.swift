import PolicyEngine
import Primitives

/// An explanation for people: the decision, then what led to it.
enum ExplanationText {
  static func lines(of explanation: Explanation) -> [String] {
    let decision = explanation.decision
    let applied = explanation.appliedPolicies.map(\.string).joined(separator: ", ")
    var lines = ["decision: \(decision.isAllowed ? "allowed" : "denied")"]
    lines.append("policies: \(applied.isEmpty ? "none" : applied)")
    lines += decision.violations.map { "violation: \(line($0))" }
    lines += decision.warnings.map { "warning: \(line($0))" }
    for change in decision.changes {
      let from = change.from.map { "\($0)" } ?? "nothing"
      lines.append("change: \(change.field): from \(from) to \(change.to)")
    }
    if let body = explanation.body {
      // Files end in a line feed, which the line itself brings here.
      let isFile = body.last == UInt8(ascii: "\n")
      lines.append("body: \(String(decoding: isFile ? body.dropLast() : body[...], as: UTF8.self))")
    }
    return lines
  }

  private static func line(_ violation: Violation) -> String {
    "\(violation.policy): \(violation.rule): \(violation.field): \(violation.message)"
  }
}
