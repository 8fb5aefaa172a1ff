import AuditTrail
import Configuration
import PolicyEngine
import PolicyReplay
import Primitives

/// Prints what a replay finds: a line for each request as it comes, and the counts at the end.
struct ReplayPrinter {
  let format: FormatOption.Format

  func print(_ request: ReplayedRequest) {
    switch format {
    case .json: Console.data(json: request.json)
    case .text: Console.data(Self.line(of: request))
    }
  }

  func print(_ tally: ReplayTally) {
    switch format {
    case .json: Console.data(json: tally.json)
    case .text: for line in Self.lines(of: tally) { Console.data(line) }
    }
  }

  private static func line(of request: ReplayedRequest) -> String {
    let rules =
      switch request.now {
      case .denied: request.violations.map { "\($0.policy.onOneLine)/\($0.rule)" }
      case .allowed: request.resolved.map { "no longer \($0.policy.onOneLine)/\($0.rule.onOneLine)" }
      case .undecidable:
        request.undecided.map { "\($0.policy.onOneLine)/\($0.rule.onOneLine) needs \($0.member.rawValue)" }
      }
    let cells = [
      request.time.onOneLine, request.requestId.onOneLine, padded(request.tenant.onOneLine, 12),
      padded(request.user?.onOneLine ?? "-", 24),
      padded("\(request.was.rawValue) -> \(request.now.word)", 22),
      unique(rules).joined(separator: ", "),
    ]
    return cells.joined(separator: "  ")
  }

  private static func lines(of tally: ReplayTally) -> [String] {
    var lines = [
      "",
      "\(tally.evaluated) of \(tally.requests) requests evaluated: \(tally.changed) would change, "
        + "\(tally.unchanged) would not, \(tally.undecidable) cannot be decided",
      "  allowed -> denied  \(tally.allowedToDenied)",
      "  denied -> allowed  \(tally.deniedToAllowed)",
    ]
    if tally.changed > 0 { lines.append("  tenants with changes: \(tally.tenants.count)") }
    if tally.repeats > 0 { lines.append("  among them repeats of earlier requests: \(tally.repeats)") }
    for (exemption, count) in tally.exemptions { lines.append("not evaluated: \(count) \(exemption.words)") }
    for (obstacle, count) in tally.sortedObstacles {
      lines.append("undecidable: \(count) because \(Text(obstacle.reason).onOneLine)")
    }
    return lines + table(of: tally) + examples(of: tally) + changes(of: tally)
  }

  /// Requests to look at with `audit query`, for each rule that changes a decision.
  private static func examples(of tally: ReplayTally) -> [String] {
    let lines = tally.sortedRules.filter { !$0.counts.examples.isEmpty }.map { key, counts in
      let ids = counts.examples.map(\.onOneLine).joined(separator: ", ")
      return "\(key.policy.onOneLine)/\(key.rule.onOneLine) changes for example \(ids)"
    }
    return lines.isEmpty ? [] : [""] + lines
  }

  private static let mostCallers = 20

  /// Decisions that change, by policy, by tenant and by caller, the most first.
  private static func changes(of tally: ReplayTally) -> [String] {
    guard tally.changed > 0 else { return [] }
    func rows<Key>(
      _ title: String, _ changes: [(key: Key, changes: ReplayTally.Changes)], _ name: (Key) -> String
    ) -> [[String]] {
      [[title, "ALLOWED->DENIED", "DENIED->ALLOWED"]]
        + changes.map { [name($0.key), "\($0.changes.allowedToDenied)", "\($0.changes.deniedToAllowed)"] }
    }
    let callers = tally.sortedCallers
    var lines = aligned(rows("POLICY", ReplayTally.sorted(tally.policies)) { $0.onOneLine }, words: 1)
    lines += aligned(rows("TENANT", ReplayTally.sorted(tally.tenants)) { $0.onOneLine }, words: 1)
    lines += aligned(
      rows("CALLER", Array(callers.prefix(mostCallers))) {
        "\($0.tenant.onOneLine)/\($0.name.isEmpty ? "others" : $0.name.onOneLine)"
      }, words: 1)
    if callers.count > mostCallers { lines.append("and \(callers.count - mostCallers) more callers") }
    return lines
  }

  /// Requests that break each rule: then, now, and the difference.
  private static func table(of tally: ReplayTally) -> [String] {
    guard !tally.rules.isEmpty else { return [] }
    var rows = [["POLICY", "RULE", "MODE", "BEFORE", "NOW", "NEW", "GONE", "UNDECIDABLE", "TENANTS"]]
    for (key, counts) in tally.sortedRules {
      let numbers = [
        counts.before, counts.now, counts.new, counts.gone, counts.undecidable, counts.tenants.count,
      ]
      rows.append([key.policy.onOneLine, key.rule.onOneLine, key.mode.rawValue] + numbers.map(String.init))
    }
    return aligned(rows, words: 3)
  }

  /// A table below an empty line: words to the left, and behind them numbers to the right.
  private static func aligned(_ rows: [[String]], words: Int) -> [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].unicodeScalars.count }.max() ?? 0 }
    return [""]
      + rows.map { row in
        row.indices.map { column in padded(row[column], widths[column], left: column >= words) }
          .joined(separator: "  ")
      }
  }

  private static func padded(_ text: String, _ width: Int, left: Bool = false) -> String {
    let padding = String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
    return left ? padding + text : text + padding
  }

  private static func unique(_ words: [String]) -> [String] {
    var seen: Set<String> = []
    return words.filter { seen.insert($0).inserted }
  }
}

extension ReplayTally.Exemption {
  fileprivate var words: String {
    switch self {
    case .notGoverned: "of operations that policies have no say in"
    case .confinement: "denied by tenant confinement"
    case .ended(let decision): decision.rawValue
    }
  }
}
