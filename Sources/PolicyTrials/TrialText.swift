internal import Configuration
internal import Primitives
internal import StrictJSON

extension TrialResult {
  /// The case on a line, and below it what is not as expected.
  package var lines: [StyledText] {
    let name = trial.name.onOneLine
    guard !hasPassed else { return ["\(good: "\u{2714}") Test \"\(name)\" passed"] }
    let place = "\(file.onOneLine):\(trial.position.line):\(trial.position.column)"
    return ["\(bad: "\u{2718}") Test \"\(name)\" failed at \(place)"]
      + failures.map { "    \(bad: $0)" }
  }
}

extension TrialRun {
  /// How many passed, and what they leave untested.
  package var summary: [StyledText] {
    var lines = coverage
    let unread = unreadable.isEmpty ? "" : ", \(Self.count(unreadable.count, "file")) unreadable"
    let text = "\(Self.count(results.count, "test")): \(passed) passed, \(failed) failed\(unread)"
    lines.append(
      isSuccess ? "\(good: "\u{2714} \(text)")" : "\(bad: "\u{2718} \(text)")")
    return lines
  }

  private var coverage: [StyledText] {
    let covered = rules.count - uncovered.count
    guard !uncovered.isEmpty else { return ["Coverage: \(covered) of \(rules.count) rules"] }
    return ["Coverage: \(covered) of \(rules.count) rules; no test makes these fail:"]
      + uncovered.map { "    \($0.policy.onOneLine): \($0.rule)" }
  }

  private static func count(_ number: Int, _ unit: String) -> String {
    "\(number) \(unit)\(number == 1 ? "" : "s")"
  }
}
