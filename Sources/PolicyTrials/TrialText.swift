internal import Configuration
internal import Primitives
internal import StrictJSON

/// How text is marked up for a terminal; elsewhere it is not.
package struct TextStyle: Sendable {
  package let isColoured: Bool

  package init(isColoured: Bool) { self.isColoured = isColoured }

  func good(_ text: String) -> String { marked(text, "32") }
  func bad(_ text: String) -> String { marked(text, "31") }
  func doubtful(_ text: String) -> String { marked(text, "33") }
  func strong(_ text: String) -> String { marked(text, "1") }
  func faint(_ text: String) -> String { marked(text, "2") }

  private func marked(_ text: String, _ code: String) -> String {
    isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}

extension TrialResult {
  /// The case on a line, and below it what is not as expected.
  package func lines(_ style: TextStyle) -> [String] {
    let name = trial.name.onOneLine
    guard !hasPassed else { return ["\(style.good("\u{2714}")) Test \"\(name)\" passed"] }
    let place = "\(file.onOneLine):\(trial.position.line):\(trial.position.column)"
    return ["\(style.bad("\u{2718}")) Test \"\(name)\" failed at \(place)"]
      + failures.map { "    \(style.bad($0))" }
  }
}

extension TrialRun {
  /// How many passed, and what they leave untested.
  package func summary(_ style: TextStyle) -> [String] {
    var lines = coverage
    let unread = unreadable.isEmpty ? "" : ", \(Self.count(unreadable.count, "file")) unreadable"
    let text = "\(Self.count(results.count, "test")): \(passed) passed, \(failed) failed\(unread)"
    lines.append(
      isSuccess ? style.good("\u{2714} \(text)") : style.bad("\u{2718} \(text)"))
    return lines
  }

  private var coverage: [String] {
    let covered = rules.count - uncovered.count
    guard !uncovered.isEmpty else { return ["Coverage: \(covered) of \(rules.count) rules"] }
    return ["Coverage: \(covered) of \(rules.count) rules; no test makes these fail:"]
      + uncovered.map { "    \($0.policy.onOneLine): \($0.rule)" }
  }

  private static func count(_ number: Int, _ unit: String) -> String {
    "\(number) \(unit)\(number == 1 ? "" : "s")"
  }
}
