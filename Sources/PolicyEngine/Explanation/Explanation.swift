package import Configuration
package import Primitives

/// A decision with everything that led to it, as data: what prints it computes nothing anew.
package struct Explanation: Sendable {
  /// One rule held against the request.
  package struct RuleVerdict: Sendable, Hashable {
    package let rule: String
    package let field: String
    package let isKept: Bool
    /// What is the matter, when the rule is broken; empty when it is kept.
    package let wrong: String
    /// What the rule accepts.
    package let accepted: String
    /// The author's words for the caller.
    package let message: Text?
    package let help: Text?
    /// The exception that makes a warning of it.
    package internal(set) var exception: Text?

    func isOf(_ violation: Violation) -> Bool {
      !isKept && rule == violation.rule && field == violation.field && violation.message.hasPrefix(wrong)
    }
  }

  /// Why a policy has no say in a request.
  package enum Silence: Sendable, Hashable {
    case off, otherTenant, otherLabels, otherOperation, otherAppInstance
    /// `match.exclude` takes it in.
    case excluded
    /// Its `when` does not hold.
    case unheld
  }

  /// Of a policy; of one whose rules have different modes there is one for each.
  package struct PolicyReport: Sendable {
    package let name: Text
    package let mode: PolicyDocument.Mode
    package internal(set) var owner: Text?
    package internal(set) var severity: PolicyDocument.Severity?
    /// `nil`: the policy applies.
    package internal(set) var silence: Silence?
    /// What became of its `when`; `nil`: it has none, or it was not asked.
    package internal(set) var when: WhenReport?
    /// In the order in which the rules were held against the request.
    package internal(set) var verdicts: [RuleVerdict] = []
    /// What the policy changed, or, being in `warn`, would have changed.
    package internal(set) var changes: [Change] = []

    /// Tag policies are reported in one mode for each request.
    func isOf(_ policy: BoundPolicy) -> Bool { name == policy.name && (mode == policy.mode || isTagPolicy) }
    var isTagPolicy = false
  }

  package let decision: Decision
  /// What policies and the gateway changed.
  package let changes: [Change]
  /// Every policy of the set, in the order of names.
  package let policies: [PolicyReport]
  private let shared: SharedRequest

  /// After all changes: what is evaluated is what would be sent.
  package var request: GovernedRequest {
    _read { yield shared.request }
  }

  /// The names of the policies that apply.
  package var appliedPolicies: [Text] {
    let names = policies.filter { $0.silence == nil }.map(\.name)
    return names.indices.filter { !names[..<$0].contains(names[$0]) }.map { names[$0] }
  }

  fileprivate init(_ decision: Decision, _ request: consuming GovernedRequest, _ policies: [PolicyReport]) {
    self.decision = decision
    changes = request.changes
    self.policies = policies
    shared = SharedRequest(request)
  }

  /// What is to be said of a request that one of the gateway's own rules refuses, before any policy is asked.
  package init(refusing violation: Violation, _ request: borrowing GovernedRequest) {
    var decision = Decision()
    decision.violations = [violation]
    self.init(decision, request.copy(), [])
  }
}

/// Lets an explanation be copied, which its request cannot be.
private final class SharedRequest: Sendable {
  let request: GovernedRequest
  init(_ request: consuming GovernedRequest) { self.request = request }
}

extension TenantPolicies {
  /// Decides as `decide` does, and keeps every verdict.
  ///
  /// - Parameter token: what a missing ClientRequestToken is filled in with when the request is allowed, as the gateway
  ///   does it; policy knows nothing of it. `nil` leaves it missing.
  package func explain(
    _ request: borrowing GovernedRequest, at now: WallClockTime = .never, fillingIn token: Text? = nil
  ) -> Explanation {
    var reports: [Explanation.PolicyReport] = []
    if let governance = request.governance {
      for policy in compiled.policies {
        reports.append(
          Explanation.PolicyReport(
            name: policy.document.name.value, mode: policy.document.mode, owner: policy.document.owner,
            severity: policy.document.severity,
            silence: policy.silence(about: request, as: governance, for: facts)))
      }
    }
    var recorder = ExplanationRecorder(
      reports: reports + compiled.tagPolicyReports(on: request), of: facts)
    var changed = request.copy()
    evaluate(&changed, at: now, &recorder)
    recorder.silenceUnheld()
    let decision = recorder.gathered
    if let token, decision.isAllowed, changed.lacksClientRequestToken {
      changed.fillClientRequestToken(token.utf8.span)
    }
    return Explanation(decision, changed, recorder.reports)
  }
}

/// Keeps the decision and beside it what each policy found.
private struct ExplanationRecorder: VerdictRecorder {
  var gathered = Decision()
  var recordsKeptRules: Bool { true }
  var reports: [Explanation.PolicyReport]

  private let tenant: TenantFacts

  init(reports: [Explanation.PolicyReport], of tenant: TenantFacts) {
    self.reports = reports
    self.tenant = tenant
  }

  var hiddenFacts: HiddenFacts? { nil }
  var exceptionAnswers: [Truth]? {
    get { gathered.exceptionAnswers }
    set { gathered.exceptionAnswers = newValue }
  }

  mutating func soften(
    by exceptions: TenantExceptions, _ request: borrowing GovernedRequest, at now: WallClockTime
  ) {
    gathered.soften(by: exceptions, request, at: now)
    for warning in gathered.warnings where warning.exception != nil {
      for index in reports.indices
      where reports[index].name == warning.policy && reports[index].mode == .enforce {
        for verdict in reports[index].verdicts.indices where reports[index].verdicts[verdict].isOf(warning) {
          reports[index].verdicts[verdict].exception = warning.exception
        }
      }
    }
  }

  mutating func asked(
    _ policy: BoundPolicy, _ truth: Truth, _ request: borrowing GovernedRequest, as governance: Governance
  ) {
    guard let index = reports.firstIndex(where: { $0.isOf(policy) }), let when = policy.when else { return }
    reports[index].when = when.report(truth, on: request, as: governance, of: tenant)
  }

  /// A policy whose `when` does not hold may still guard tags, and then has a say.
  mutating func silenceUnheld() {
    for index in reports.indices where reports[index].when?.truth == .fails && reports[index].verdicts.isEmpty
    {
      reports[index].silence = .unheld
    }
  }

  mutating func judge(
    _ rule: Rule, of policy: BoundPolicy, saying notes: RuleNotes?, keeps: Bool,
    field: @autoclosure () -> String,
    wrong: @autoclosure () -> String, accepted: @autoclosure () -> String
  ) {
    gathered.judge(
      rule, of: policy, saying: notes, keeps: keeps, field: field(), wrong: wrong(), accepted: accepted())
    guard let index = reports.firstIndex(where: { $0.isOf(policy) }) else { return }
    reports[index].verdicts.append(
      .init(
        rule: rule.rawValue, field: field(), isKept: keeps, wrong: keeps ? "" : wrong(), accepted: accepted(),
        message: notes?.message, help: notes?.help))
  }

  mutating func change(
    _ rule: Rule, of policy: BoundPolicy, _ change: FactChange, in request: borrowing GovernedRequest
  ) {
    gathered.change(rule, of: policy, change, in: request)
    guard let index = reports.firstIndex(where: { $0.isOf(policy) }) else { return }
    reports[index].changes.append(request.described(change))
  }
}
