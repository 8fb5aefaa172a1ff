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
  }

  /// Why a policy has no say in a request.
  package enum Silence: Sendable, Hashable {
    case off, otherTenant, otherOperation, otherAppInstance
  }

  package struct PolicyReport: Sendable {
    package let name: Text
    package let mode: PolicyDocument.Mode
    /// `nil`: the policy applies.
    package let silence: Silence?
    /// In the order in which the rules were held against the request.
    package internal(set) var verdicts: [RuleVerdict] = []
    /// What the policy changed, or, being in `warn`, would have changed.
    package internal(set) var changes: [Change] = []
  }

  package var decision: Decision
  /// After all changes: what is evaluated is what would be sent.
  package private(set) var request: GovernedRequest
  /// Every policy of the set, in the order of names.
  package let policies: [PolicyReport]

  /// The names of the policies that apply.
  package var appliedPolicies: [Text] { policies.filter { $0.silence == nil }.map(\.name) }

  /// As the gateway does it, a missing token is filled in only when the request is allowed. Policy knows nothing of it.
  package mutating func fillClientRequestToken(_ token: Text) {
    guard decision.isAllowed, request.lacksClientRequestToken else { return }
    decision.changes.append(request.fillClientRequestToken(token))
  }
}

extension PolicySet {
  /// Decides as `decide` does, and keeps every verdict.
  package func explain(_ request: GovernedRequest, tenant: TenantFacts) -> Explanation {
    var reports: [Explanation.PolicyReport] = []
    if let governance = request.governance {
      reports = policies.map { policy in
        Explanation.PolicyReport(
          name: policy.document.name.value, mode: policy.document.mode,
          silence: policy.silence(about: request, as: governance, for: tenant))
      }
    }
    var recorder = ExplanationRecorder(reports: reports + tagPolicyReports(on: request))
    var changed = request
    evaluate(&changed, for: tenant, &recorder)
    return Explanation(
      decision: recorder.gathered.decision, request: changed, policies: recorder.reports)
  }
}

/// Keeps the decision and beside it what each policy found.
private struct ExplanationRecorder: VerdictRecorder {
  var gathered = DecisionRecorder()
  var recordsKeptRules: Bool { true }
  var reports: [Explanation.PolicyReport]

  init(reports: [Explanation.PolicyReport]) { self.reports = reports }

  mutating func judge(
    _ rule: Rule, of policy: BoundPolicy, keeps: Bool, field: @autoclosure () -> String,
    wrong: @autoclosure () -> String, accepted: @autoclosure () -> String
  ) {
    gathered.judge(rule, of: policy, keeps: keeps, field: field(), wrong: wrong(), accepted: accepted())
    guard let index = reports.firstIndex(where: { $0.name == policy.name }) else { return }
    reports[index].verdicts.append(
      .init(
        rule: rule.rawValue, field: field(), isKept: keeps, wrong: keeps ? "" : wrong(), accepted: accepted())
    )
  }

  mutating func change(
    _ rule: Rule, of policy: BoundPolicy, field: @autoclosure () -> String, from: Text?, to: Text
  ) {
    gathered.change(rule, of: policy, field: field(), from: from, to: to)
    guard let index = reports.firstIndex(where: { $0.name == policy.name }) else { return }
    reports[index].changes.append(Change(field: field(), from: from, to: to))
  }
}
