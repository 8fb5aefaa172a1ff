internal import ChimeIdentity
internal import Configuration
package import PolicyEngine
internal import Primitives

/// An explanation for people: the decision, then what led to it.
package enum ExplanationText {
  /// Plain lines, each with its kind in front, for pipes.
  package static func lines(of explanation: Explanation) -> [String] {
    let decision = explanation.decision
    let applied = explanation.appliedPolicies.map(\.onOneLine).joined(separator: ", ")
    var lines = ["decision: \(decision.isAllowed ? "allowed" : "denied")"]
    lines.append("policies: \(applied.isEmpty ? "none" : applied)")
    lines += decision.violations.map { "violation: \(line($0))" }
    lines += decision.warnings.map { "warning: \(line($0))" }
    lines += decision.wouldChange.map { "would change: \(line($0))" }
    lines += explanation.changes.map { "change: \(line($0))" }
    if let body = explanation.body {
      // Files end in a line feed, which the line itself brings here.
      let isFile = body.last == UInt8(ascii: "\n")
      let shown = TerminalSafety.safe(isFile ? Array(body.dropLast()) : body, as: .json)
      lines.append("body: \(String(decoding: shown, as: UTF8.self))")
    }
    return lines
  }

  /// For a terminal: each policy with each rule that it held against the request, what the request had and what
  /// would pass; then why the other policies are silent, and what would be sent.
  package static func report(of explanation: Explanation) -> [StyledText] {
    let decision = explanation.decision
    let operation = explanation.request.operation.name
    var lines: [StyledText] = [
      decision.isAllowed
        ? "\(good: "\u{2713} allowed: \(operation)")" : "\(bad: "\u{2717} denied: \(operation)")"
    ]
    for violation in decision.violations
    where !explanation.policies.contains(where: { $0.name == violation.policy }) {
      lines += ["", "\(strong: violation.policy.onOneLine)"]
      lines.append(
        "  \(bad: "\u{2717}") \(violation.rule)  \(violation.field): \(violation.message.onOneLine)")
    }
    for report in explanation.policies where report.silence == nil {
      lines += [""] + policy(report, in: explanation)
    }
    let silent = explanation.policies.compactMap { report -> StyledText? in
      report.silence.map { silence in
        "\(faint: "  - \(report.name.onOneLine): \(silence == .unheld ? report.when?.reason ?? silence.reason : silence.reason)")"
      }
    }
    if !silent.isEmpty { lines += ["", "\(strong: "without a say")"] + silent }
    if explanation.policies.isEmpty, decision.isAllowed {
      lines += ["", "\(faint: "no policy has a say in this request")"]
    }
    if !explanation.changes.isEmpty {
      lines += ["", "\(strong: "changes")"] + explanation.changes.map { "  \(line($0))" }
    }
    if let body = explanation.body {
      lines += ["", "\(strong: decision.isAllowed ? "would be sent" : "would be sent if it were allowed")"]
      lines.append("  \(escaped(body))")
    }
    return lines
  }

  private static func policy(
    _ report: Explanation.PolicyReport, in explanation: Explanation
  ) -> [StyledText] {
    let isWarning = report.mode == .warn
    let marks = [report.severity?.rawValue, report.owner.map { "owner: \($0.onOneLine)" }].compactMap { $0 }
    var lines: [StyledText] = [
      "\(strong: report.name.onOneLine) (\(([report.mode.rawValue] + marks).joined(separator: ", ")))"
    ]
    if let when = report.when { lines.append("\(faint: "  \(when.reason.onOneLine)")") }
    for change in report.changes {
      let verb = isWarning ? "would change" : "changes"
      lines.append("  \(doubtful: "~") \(verb) \(line(change))")
    }
    if report.verdicts.isEmpty, report.changes.isEmpty {
      lines.append("\(faint: "  no rule of it is about what the request has")")
    }
    for verdict in report.verdicts {
      let given = explanation.given(to: verdict, in: report)
      let field = verdict.field.onOneLine
      guard !verdict.isKept else {
        let shown = given.map { ": \($0)" } ?? ""
        lines.append("  \(good: "\u{2713}") \(verdict.rule)  \(faint: field + shown)")
        continue
      }
      let mark: StyledText = isWarning || verdict.exception != nil ? "\(doubtful: "!")" : "\(bad: "\u{2717}")"
      lines.append("  \(mark) \(verdict.rule)  \(field): \(verdict.wrong.onOneLine)")
      lines.append("      given:    \(given ?? "nothing")")
      lines.append("      accepted: \(verdict.accepted.onOneLine)")
      if let exception = verdict.exception {
        lines.append("      \(doubtful: "warns only, by exception \(exception.onOneLine)")")
      }
      if let message = verdict.message { lines.append("      message:  \(message.onOneLine)") }
      if let help = verdict.help { lines.append("      help:     \(help.onOneLine)") }
    }
    return lines
  }

  private static func line(_ violation: Violation) -> String {
    let field = violation.field.onOneLine
    let help = violation.help.map { " (see \($0.onOneLine))" } ?? ""
    let exception = violation.exception.map { " (exception \($0.onOneLine))" } ?? ""
    return
      "\(violation.policy.onOneLine): \(violation.rule): \(field): \(violation.message.onOneLine)\(help)\(exception)"
  }

  private static func line(_ change: Change) -> String {
    "\(change.field.onOneLine): from \(change.from?.onOneLine ?? "nothing") to \(change.to.onOneLine)"
  }

  /// The body as JSON that a terminal only shows: what it would act on can stand in strings alone, and is escaped
  /// there; line breaks between the parts are none of the request's meaning.
  private static func escaped(_ body: [UInt8]) -> String {
    var out = ""
    for scalar in String(decoding: body, as: UTF8.self).unicodeScalars {
      if scalar == "\n" || scalar == "\r" || scalar == "\t" {
        out += " "
      } else if scalar.isInert {
        out.unicodeScalars.append(scalar)
      } else {
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      }
    }
    return out
  }
}
