package import AuditTrail
package import Configuration
package import PolicyEngine
package import Primitives

/// The counts of a replay.
package struct ReplayTally: Sendable {
  /// A policy's rule in one mode.
  package struct RuleKey: Hashable, Sendable {
    package let policy: Text
    package let rule: Text
    package let mode: PolicyDocument.Mode
  }

  /// How many requests broke a rule, each counted once.
  package struct RuleCounts: Sendable {
    /// When they were made.
    package internal(set) var before = 0
    /// Under the other policies, whatever the journal hides.
    package internal(set) var now = 0
    /// Now and not before.
    package internal(set) var new = 0
    /// Before and not now.
    package internal(set) var gone = 0
    /// Whether they break it cannot be said.
    package internal(set) var undecidable = 0
    /// Of those that break it now.
    package internal(set) var tenants: Set<Text> = []
    /// The first requests whose decision it changes.
    package internal(set) var examples: [Text] = []
  }

  /// How many decisions change, of somebody's requests or by something.
  package struct Changes: Sendable, Hashable {
    package internal(set) var allowedToDenied = 0
    package internal(set) var deniedToAllowed = 0

    var all: Int { allowedToDenied + deniedToAllowed }
  }

  /// On whose behalf requests were made.
  package struct Caller: Hashable, Sendable {
    package let tenant: Text
    /// The actor, or the access key where none was said; empty for all that are too many to be told apart.
    package let name: Text
  }

  /// Why a request was not evaluated, and stays as it was.
  package enum Exemption: Hashable, Sendable {
    /// Its operation is not one that policies have a say in.
    case notGoverned
    /// The operation or the AppInstance was not the tenant's.
    case confinement
    /// It ended otherwise before policy was asked, or without being served.
    case ended(AuditDecision)
  }

  /// What would have to be known.
  package enum Obstacle: Hashable, Sendable {
    case hidden(HiddenMember, Concealment)
    /// The tenant is no longer in the tenants file, and policies need its labels.
    case tenantGone(Text)
    /// The record does not hold all that the request said.
    case incomplete
  }

  /// All that were looked at.
  package internal(set) var requests = 0
  package internal(set) var exempt: [Exemption: Int] = [:]
  package internal(set) var unchanged = 0
  package internal(set) var allowedToDenied = 0
  package internal(set) var deniedToAllowed = 0
  package internal(set) var undecidable = 0
  /// Among those evaluated, requests that got the answer of an earlier one.
  package internal(set) var repeats = 0
  package internal(set) var obstacles: [Obstacle: Int] = [:]
  package internal(set) var rules: [RuleKey: RuleCounts] = [:]
  /// What changes by the rules of each policy; a request may be counted for several.
  package internal(set) var policies: [Text: Changes] = [:]
  package internal(set) var tenants: [Text: Changes] = [:]
  package internal(set) var callers: [Caller: Changes] = [:]
  /// Lines that are no records.
  package internal(set) var unreadable = 0

  package init() {}

  package var changed: Int { allowedToDenied + deniedToAllowed }
  package var evaluated: Int { unchanged + changed + undecidable }
}

extension ReplayTally {
  private static let mostExamples = 3
  /// Whoever calls chooses actors.
  private static let mostCallers = 10_000

  /// Counts a decision that changes.
  mutating func count(_ change: ReplayedRequest, by caller: Text) {
    let isDenied = change.now == .denied
    let path: WritableKeyPath<Changes, Int> = isDenied ? \.allowedToDenied : \.deniedToAllowed
    tenants[change.tenant, default: Changes()][keyPath: path] += 1
    let named = Caller(tenant: change.tenant, name: caller)
    let isKept = callers[named] != nil || callers.count < Self.mostCallers
    callers[isKept ? named : Caller(tenant: change.tenant, name: ""), default: Changes()][keyPath: path] += 1
    let causes =
      isDenied
      ? change.violations.map { ($0.policy, Text($0.rule)) } : change.resolved.map { ($0.policy, $0.rule) }
    for policy in Set(causes.map(\.0)) { policies[policy, default: Changes()][keyPath: path] += 1 }
    for (policy, rule) in causes {
      let key = RuleKey(policy: policy, rule: rule, mode: .enforce)
      let examples = rules[key]?.examples ?? []
      guard examples.count < Self.mostExamples, examples.last != change.requestId else { continue }
      rules[key, default: RuleCounts()].examples.append(change.requestId)
    }
  }

  mutating func count(_ decision: PartialDecision, of request: RecordedRequest, tenant: Text) {
    guard !decision.findings.isEmpty || !request.findings.isEmpty else { return }
    let before = Set(request.findings.map(RuleKey.init))
    let now = Set(decision.findings.filter { $0.hangsOn == nil }.map(RuleKey.init))
    let open = Set(decision.findings.map(RuleKey.init)).subtracting(now)
    for key in before {
      rules[key, default: RuleCounts()].before += 1
      if !now.contains(key), !open.contains(key) { rules[key, default: RuleCounts()].gone += 1 }
    }
    for key in now {
      rules[key, default: RuleCounts()].now += 1
      if !before.contains(key) { rules[key, default: RuleCounts()].new += 1 }
      rules[key, default: RuleCounts()].tenants.insert(tenant)
    }
    for key in open { rules[key, default: RuleCounts()].undecidable += 1 }
  }
}

extension ReplayTally.RuleKey {
  init(_ finding: RecordedRequest.Finding) {
    self.init(policy: finding.policy, rule: finding.rule, mode: finding.isWarning ? .warn : .enforce)
  }

  init(_ finding: PartialDecision.Finding) {
    self.init(policy: finding.policy, rule: Text(finding.rule.rawValue), mode: finding.mode)
  }
}
