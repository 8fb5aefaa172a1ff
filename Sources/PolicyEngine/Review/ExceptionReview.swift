package import Configuration
internal import Patterns
package import Primitives
internal import StrictJSON

/// Exceptions from what there is not: a policy or a rule whose name is misspelt would go on denying, and nobody would know
/// why.
struct ExceptionReview {
  private(set) var problems: [Problem] = []

  init(_ exceptions: [ExceptionDocument], policies: [PolicyDocument]) {
    let names = Set(policies.map(\.name.value.string)).sorted()
    let rules = Rule.allCases.map(\.rawValue)
    for exception in exceptions {
      for policy in exception.policies where !names.contains(policy.value.string) {
        let message =
          policy.value == GatewayRule.policy
          ? "the gateway's own rules have no exceptions"
          : "unknown policy `\(MessageText.shown(policy.value))`\(Self.hint(policy.value, names))"
        problems.append(exception.problem(at: policy.position, message))
      }
      for rule in exception.rules ?? [] {
        let glob = Glob(rule.value)
        guard !rules.contains(where: { glob.matches(Text($0)) }) else { continue }
        problems.append(
          exception.problem(
            at: rule.position,
            "unknown rule `\(MessageText.shown(rule.value))`\(Self.hint(rule.value, rules))"))
      }
    }
  }

  private static func hint(_ word: Text, _ known: [String]) -> String {
    nearest(to: word.string, among: known).map { "; did you mean `\(MessageText.shown(Text($0)))`?" } ?? ""
  }
}

extension ExceptionDocument {
  /// Long enough to ask for another one, or to do what it was for.
  private static let noticeDays = 14

  func problem(
    at position: SourcePosition, severity: Problem.Severity = .error, _ message: String
  ) -> Problem {
    Problem(file: file, position: position, severity: severity, message: message)
  }

  /// A warning that it ends soon, or has ended.
  package func problem(at now: WallClockTime) -> Problem? {
    let day: Int64 = 86_400 * 1_000_000_000
    let left = until.value.end.nanoseconds(since: now)
    guard left <= Int64(Self.noticeDays) * day else { return nil }
    let name = "the exception `\(MessageText.shown(self.name.value))`"
    return problem(
      at: until.position, severity: .warning,
      left > 0
        ? "\(name) ends on \(until.value.written), in \(MessageText.count(Int(left / day), "day")): what it covers is denied then"
        : "\(name) ended on \(until.value.written), and has no effect")
  }
}
