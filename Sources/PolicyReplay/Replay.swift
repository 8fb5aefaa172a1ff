package import AuditTrail
package import PolicyEngine
package import Primitives
internal import Configuration
internal import StrictJSON

/// One audited request whose decision other policies change, or of which the journal does not tell enough.
package struct ReplayedRequest: Sendable {
  /// RFC 3339, as recorded.
  package let time: Text
  package let requestId: Text
  package let tenant: Text
  /// The id or the ARN of the user that it is about.
  package let user: Text?
  package let was: AuditDecision
  package let now: PartialDecision.Verdict
  /// What the other policies refuse, for sure.
  package let violations: [Violation]
  /// The rules that were broken then, when they no longer are: policy and rule.
  package let resolved: [(policy: Text, rule: Text)]
  /// The rules that decide and need a hidden value.
  package let undecided: [(policy: Text, rule: Text, member: HiddenMember)]
}

/// Decides audited requests again under other policies. What the journal does not show is an unknown value
/// (docs/decisions/0050).
///
/// The journal is read twice, line by line: `survey` finds the few requests whose outcome says something else than
/// their intent, and `take` evaluates. Requests that never reached policy stay as they are.
package struct Replay {
  /// Which requests are looked at; what is `nil` does not matter.
  package struct Scope: Sendable {
    package var since: WallClockTime?
    /// Not included.
    package var until: WallClockTime?
    package var tenant: Text?

    package init() {}
  }

  private let policies: PolicySet
  private let scope: Scope
  private let tenants: [Text: TenantPolicies]
  /// Tenants that are no longer in the file: policies for them, or `nil` where those need their labels.
  private var strangers: [Text: TenantPolicies?] = [:]
  /// What became of requests whose intent says that they were allowed.
  private var revised: [Text: AuditDecision] = [:]
  package private(set) var tally = ReplayTally()

  /// What an outcome that revises its intent has near its beginning.
  private static let revisionMarks = [Array(",\"intent\":".utf8), Array(",\"decision\":".utf8)]

  /// - Parameter tenants: as the tenants file has them today; labels are not recorded.
  package init(policies: PolicySet, tenants: [TenantFacts], scope: Scope) {
    self.policies = policies
    self.scope = scope
    self.tenants = Dictionary(tenants.map { ($0.id, policies.policies(for: $0)) }) { first, _ in first }
  }

  /// Takes a line on the first pass.
  package mutating func survey(_ line: [UInt8]) {
    guard line.mayHave(Self.revisionMarks), let document = try? JSONDocument(parsing: line),
      document.member("intent", of: document.root) != nil,
      let id = document.member("requestId", of: document.root).flatMap({ document.text($0) }),
      let decision = document.member("decision", of: document.root).flatMap({ document.text($0) })
    else { return }
    revised[id] = AuditDecision(rawValue: decision.string)
  }

  /// Takes a request whose records are together already.
  /// - Returns: as `take` of a line.
  package mutating func take(_ request: RequestHistory) -> ReplayedRequest? {
    revised[request.requestId] = request.text("decision").flatMap { AuditDecision(rawValue: $0.string) }
    defer { revised[request.requestId] = nil }
    return take(request.first.line)
  }

  /// Takes a line on the second pass.
  /// - Returns: the request, when its decision changes or cannot be made.
  package mutating func take(_ line: [UInt8]) -> ReplayedRequest? {
    guard let document = try? JSONDocument(parsing: line), document.isKnownRecord else {
      tally.unreadable += 1
      return nil
    }
    guard var request = RecordedRequest(document) else { return nil }
    guard request.isPlausible else {
      tally.unreadable += 1
      return nil
    }
    guard isInScope(request) else { return nil }
    if let decision = revised[request.requestId] { request.decision = decision }
    tally.requests += 1
    if let exemption = exemption(of: request) { return exempt(exemption) }
    var hidden = HiddenFacts()
    guard let tenant = request.tenant, let facts = request.facts(noting: &hidden), facts.isGoverned else {
      return exempt(.notGoverned)
    }
    if request.isRepeat { tally.repeats += 1 }
    guard !request.isIncomplete else { return block(request, tenant, .incomplete) }
    guard let policies = policies(for: tenant) else {
      return block(request, tenant, .tenantGone(tenant))
    }
    return judge(request, facts, hidden, policies)
  }

  private func isInScope(_ request: RecordedRequest) -> Bool {
    if let tenant = scope.tenant, request.tenant != tenant { return false }
    guard scope.since != nil || scope.until != nil else { return true }
    guard let time = WallClockTime(rfc3339: request.time.string) else { return false }
    return scope.since.map { time >= $0 } ?? true && scope.until.map { time < $0 } ?? true
  }

  private func exemption(of request: RecordedRequest) -> ReplayTally.Exemption? {
    switch request.decision {
    case .allowed: nil
    case .denied: request.isJudged ? nil : .confinement
    case .throttled, .unauthenticated, .invalid, .refused: request.decision.map { .ended($0) }
    case nil: .notGoverned
    }
  }

  private mutating func exempt(_ exemption: ReplayTally.Exemption) -> ReplayedRequest? {
    tally.exempt[exemption, default: 0] += 1
    return nil
  }

  private mutating func policies(for tenant: Text) -> TenantPolicies? {
    if let known = tenants[tenant] { return known }
    if let known = strangers[tenant] { return known }
    let found = policies.needLabels(of: tenant) ? nil : policies.policies(for: TenantFacts(id: tenant))
    strangers[tenant] = .some(found)
    return found
  }
}

extension Replay {
  private mutating func judge(
    _ request: RecordedRequest, _ facts: borrowing GovernedRequest, _ hidden: HiddenFacts,
    _ policies: TenantPolicies
  ) -> ReplayedRequest? {
    let tenant = policies.facts.id
    // As of then, and without exceptions where the record does not say when that was.
    let time = WallClockTime(rfc3339: request.time.string) ?? .never
    let decision = policies.decide(facts, hiding: hidden, at: time)
    tally.count(decision, of: request, tenant: tenant)
    let was = request.decision ?? .allowed
    switch decision.verdict {
    case .allowed where was == .allowed, .denied where was == .denied:
      tally.unchanged += 1
      return nil
    case .allowed: tally.deniedToAllowed += 1
    case .denied: tally.allowedToDenied += 1
    case .undecidable:
      tally.undecidable += 1
      for member in Set(decision.deciding.map(\.member)) {
        guard let why = request.concealed[member] else { continue }
        tally.obstacles[.hidden(member, why), default: 0] += 1
      }
      return report(request, tenant, .undecidable, decision)
    }
    // Once more for the words, which the many that change nothing do without.
    let change = report(
      request, tenant, decision.verdict, policies.decide(facts, hiding: hidden, at: time, wording: true))
    tally.count(change, by: request.actor ?? request.accessKeyId ?? "")
    return change
  }

  private mutating func block(
    _ request: RecordedRequest, _ tenant: Text, _ obstacle: ReplayTally.Obstacle
  ) -> ReplayedRequest? {
    tally.undecidable += 1
    tally.obstacles[obstacle, default: 0] += 1
    return report(request, tenant, .undecidable, PartialDecision())
  }

  private func report(
    _ request: RecordedRequest, _ tenant: Text, _ now: PartialDecision.Verdict, _ decision: PartialDecision
  ) -> ReplayedRequest {
    ReplayedRequest(
      time: request.time, requestId: request.requestId, tenant: tenant,
      user: request.userId ?? request.userArn, was: request.decision ?? .allowed, now: now,
      violations: decision.findings.compactMap { $0.mode == .enforce ? $0.violation : nil },
      resolved: now == .allowed
        ? request.findings.filter { !$0.isWarning }.map { ($0.policy, $0.rule) } : [],
      undecided: now == .undecidable ? decision.deciding : [])
  }
}

extension PartialDecision {
  /// The rules of `enforce` policies that hang on what is hidden, each once.
  fileprivate var deciding: [(policy: Text, rule: Text, member: HiddenMember)] {
    var found: [(policy: Text, rule: Text, member: HiddenMember)] = []
    for finding in findings where finding.mode == .enforce {
      guard let member = finding.hangsOn,
        !found.contains(where: { $0.policy == finding.policy && $0.rule == Text(finding.rule.rawValue) })
      else { continue }
      found.append((finding.policy, Text(finding.rule.rawValue), member))
    }
    return found
  }
}

extension JSONDocument {
  /// Whether it is a record of a version and kind that this program knows.
  fileprivate var isKnownRecord: Bool {
    guard let kind = member("record", of: root).flatMap({ text($0) }),
      RecordKind(named: kind) != nil
    else { return false }
    let version = member("recordVersion", of: root).map { integer($0) } ?? 0
    return version.map { RecordVersion.known.contains($0) } ?? false
  }
}

extension [UInt8] {
  /// Whether all of the marks stand among the first bytes. Most lines have not even the first, and are not read as JSON.
  fileprivate func mayHave(_ marks: [[UInt8]]) -> Bool {
    withUnsafeBytes { line in
      let head = UnsafeRawBufferPointer(rebasing: line.prefix(400))
      return marks.allSatisfy { mark in
        guard let first = mark.first, head.count >= mark.count else { return false }
        for start in 0...head.count - mark.count where head[start] == first {
          if head[start..<start + mark.count].elementsEqual(mark) { return true }
        }
        return false
      }
    }
  }
}
