internal import Configuration
internal import Primitives

/// What evaluation reports to: a decision keeps what was broken and changed, an explanation every rule looked at.
///
/// What is said is passed unevaluated, because most requests keep most rules and nobody reads about those.
protocol VerdictRecorder {
  /// Whether rules that are kept matter to it.
  var recordsKeptRules: Bool { get }

  /// Values of the request that nobody knows; `nil`: all are known.
  var hiddenFacts: HiddenFacts? { get }

  /// What each exception's `when` said of the request, where it was changed after that.
  var exceptionAnswers: [Truth]? { get set }

  /// All is said; what exceptions cover warns instead of denying.
  mutating func soften(
    by exceptions: TenantExceptions, _ request: borrowing GovernedRequest, at now: WallClockTime)

  /// A policy's `when` was asked.
  mutating func asked(
    _ policy: BoundPolicy, _ truth: Truth, _ request: borrowing GovernedRequest, as governance: Governance)

  /// A rule was held against the request.
  ///
  /// - Parameters:
  ///   - notes: the author's words on the rule.
  ///   - wrong: what is the matter with the field, said as if the rule were broken.
  ///   - accepted: what would be accepted.
  mutating func judge(
    _ rule: Rule, of policy: BoundPolicy, saying notes: RuleNotes?, keeps: Bool,
    field: @autoclosure () -> String,
    wrong: @autoclosure () -> String, accepted: @autoclosure () -> String)

  /// The policy changed the request, or, being in `warn`, changed a copy of it: `request`, which keeps the change.
  mutating func change(
    _ rule: Rule, of policy: BoundPolicy, _ change: FactChange, in request: borrowing GovernedRequest)
}

/// Gathers what is broken and nothing else.
extension Decision: VerdictRecorder {
  var recordsKeptRules: Bool { false }
  var hiddenFacts: HiddenFacts? { nil }

  mutating func asked(
    _ policy: BoundPolicy, _ truth: Truth, _ request: borrowing GovernedRequest, as governance: Governance
  ) {}

  mutating func judge(
    _ rule: Rule, of policy: BoundPolicy, saying notes: RuleNotes?, keeps: Bool,
    field: @autoclosure () -> String,
    wrong: @autoclosure () -> String, accepted: @autoclosure () -> String
  ) {
    guard !keeps else { return }
    add(
      Violation(
        rule, of: policy, saying: notes, field: field(), wrong: wrong(), accepted: accepted()),
      of: policy.mode)
  }

  mutating func change(
    _ rule: Rule, of policy: BoundPolicy, _ change: FactChange, in request: borrowing GovernedRequest
  ) {
    guard policy.mode == .warn else { return }
    var report = Violation(
      policy: policy.name, rule: rule.rawValue, field: request.field(of: change),
      message:
        "would be \(change.from.isAbsent ? "added" : "changed") as `\(MessageText.shown(request[change.to]))`"
    )
    report.severity = policy.severity
    report.owner = policy.owner
    wouldChange.append(report)
  }
}

extension Decision {
  private mutating func add(_ violation: Violation, of mode: PolicyDocument.Mode) {
    switch mode {
    case .enforce: violations.append(violation)
    case .warn: warnings.append(violation)
    case .off: break
    }
  }
}
