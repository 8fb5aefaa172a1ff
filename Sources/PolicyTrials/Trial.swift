package import Configuration
package import PolicyEngine
internal import ChimeIdentity
package import Primitives
internal import StrictJSON

/// What became of one test case.
package struct TrialResult: Sendable {
  package let file: String
  package let trial: PolicyTestFile.Case
  package let decision: PolicyTestFile.Decision
  /// Why it is invalid.
  package let message: String?
  package let outcome: Decision
  /// What policies would change.
  package let changes: [Change]
  /// What was expected and is not so, a line each; empty: the case passed.
  package let failures: [String]

  package var hasPassed: Bool { failures.isEmpty }
}

extension PolicySet {
  /// Runs one test case.
  ///
  /// - Parameter now: for cases that do not say when they are.
  package func run(
    _ trial: PolicyTestFile.Case, of file: String, at now: WallClockTime = .never
  ) -> TrialResult {
    let outcome: Decision
    let decision: PolicyTestFile.Decision
    var changes: [Change] = []
    var message: String?
    let (verdict, standIns) = judge(trial, at: trial.time ?? now)
    switch verdict {
    case .invalid(let reason):
      (outcome, decision, message) = (Decision(), .invalid, reason)
    case .decided(let explanation):
      outcome = explanation.decision
      changes = explanation.changes
      decision = outcome.isAllowed ? .allowed : .denied
    }
    let comparison = Comparison(
      expected: trial.expect, decision: decision, message: message, outcome: outcome, made: changes,
      standIns: standIns)
    return TrialResult(
      file: file, trial: trial, decision: decision, message: message, outcome: outcome, changes: changes,
      failures: comparison.failures)
  }

  private func judge(
    _ trial: PolicyTestFile.Case, at now: WallClockTime
  ) -> (Inquiry.Verdict, [CallTarget.StandIn]) {
    guard let operation = Operation(name: Text(trial.operation)) else {
      return (.invalid("there is no operation \(trial.operation)"), [])
    }
    let (target, body, standIns) = trial.message(of: operation)
    do {
      let call = try CallTarget.identify(operation, target: target)
      let inquiry = Inquiry(
        policies: self,
        tenant: TenantFacts(
          id: trial.tenant.id, labels: trial.tenant.labels,
          operations: trial.tenant.operations.map { Set($0) },
          appInstances: trial.tenant.appInstances))
      return (inquiry.judge(call, body: body, at: now, token: nil), standIns)
    } catch {
      return (.invalid(error.message), standIns)
    }
  }
}

extension PolicyTestFile.Case {
  /// What would be sent: the target and the body, and what nobody gave of them.
  fileprivate func message(
    of operation: Operation
  ) -> (target: Text, body: [UInt8], standIns: [CallTarget.StandIn]) {
    var members: [LocatedJSON.Member] = []
    if case .object(let node) = request { members = node.object ?? [] }
    let made = CallTarget.make(operation, from: members, in: tenant.appInstances)
    let (target, rest) = path.map { ($0, members) } ?? (made.target, made.rest)
    let standIns = path == nil ? made.standIns : []
    switch request {
    case .none: return (target, [], standIns)
    case .raw(let body): return (target, body, standIns)
    case .object:
      let hasBody = operation.model.input.members.contains { $0.isInBody }
      return (target, rest.isEmpty && !hasBody ? [] : Self.body(rest), standIns)
    }
  }

  private static func body(_ members: [LocatedJSON.Member]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    for member in members {
      writer.key(text: Text(member.key))
      member.value.write(to: &writer)
    }
    writer.endObject()
    return writer.bytes
  }
}

/// Holds what became of a request against what was expected.
private struct Comparison {
  let expected: PolicyTestFile.Expectation
  let decision: PolicyTestFile.Decision
  let message: String?
  let outcome: Decision
  let made: [Change]
  let standIns: [CallTarget.StandIn]

  var failures: [String] {
    let found =
      validity + decisions
      + rules("violations", expected.violations, outcome.violations)
      + rules("warnings", expected.warnings, outcome.warnings)
      + rules("rules", expected.rules, outcome.violations + outcome.warnings) + changes
    return found.isEmpty ? [] : found + inventions
  }

  /// What the author never wrote, where the tenant may not use it.
  private var inventions: [String] {
    guard outcome.violations.contains(where: { $0.rule == GatewayRule.appInstance }) else { return [] }
    return standIns.map {
      "\($0.member) is not in the request; `\($0.value.onOneLine)` was made up in its place"
    }
  }

  /// A request that policy never saw says nothing about policy, whatever else is expected.
  private var validity: [String] {
    guard decision == .invalid, expected.decision != .invalid else { return [] }
    return ["the request is invalid\(message.map { ": \($0.onOneLine)" } ?? "")"]
  }

  private var decisions: [String] {
    guard let wanted = expected.decision, wanted != decision else { return [] }
    // Where violations are expected too, they are compared by themselves.
    let isCompared = expected.violations != nil || expected.rules != nil
    let context = isCompared ? [] : outcome.violations.map { "violation: \($0.line)" }
    return ["decision: expected \(wanted.rawValue), got \(decision.rawValue)"] + context
  }

  private func rules(_ what: String, _ wanted: [String]?, _ got: [Violation]) -> [String] {
    guard let wanted else { return [] }
    let found = Set(got.map(\.rule))
    var lines: [String] = []
    for rule in wanted where !found.contains(rule) {
      let line = "\(what): missing \(rule)"
      if !lines.contains(line) { lines.append(line) }
    }
    return lines + got.filter { !wanted.contains($0.rule) }.map { "\(what): unexpected \($0.line)" }
  }

  private var changes: [String] {
    guard let wanted = expected.changes else { return [] }
    guard !wanted.isEmpty else {
      return made.map { "changes: unexpected \($0.field.onOneLine): `\($0.to.onOneLine)`" }
    }
    return wanted.compactMap { field, change in
      let got = made.first { Text($0.field) == field }
      let shown = got.map { "`\($0.to.onOneLine)`" } ?? "no change"
      switch change {
      case .to(let value):
        guard got?.to != value else { return nil }
        return "changes: \(field.onOneLine): expected `\(value.onOneLine)`, got \(shown)"
      case .none:
        return got == nil ? nil : "changes: \(field.onOneLine): expected no change, got \(shown)"
      }
    }
  }
}

extension Violation {
  /// `tags.required: org-baseline: Tags.Owner: the tag is missing; accepted: …`
  var line: String { "\(rule): \(policy.onOneLine): \(field.onOneLine): \(message.onOneLine)" }
}
