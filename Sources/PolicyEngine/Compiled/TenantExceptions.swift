internal import ChimeIdentity
internal import Configuration
internal import Patterns
internal import Primitives

/// The exceptions of one tenant. Nobody looks at them before a request breaks a rule.
final class TenantExceptions: Sendable {
  /// One of them, with what can be known of it before any request.
  fileprivate struct Entry: Sendable {
    let name: Text
    let policies: [Text]
    /// A bit for each rule, in the order of all.
    let rules: UInt64
    let end: WallClockTime
    let match: PolicyDocument.MatchLists
    let exclusion: PolicyDocument.MatchLists?
    let when: BoundWhen?
  }

  /// In the order of their names.
  private let entries: [Entry]
  /// By the names of their policies.
  private let places: [Text: [Int]]
  /// Whether one of them has a `when`.
  let ask: Bool

  init(_ documents: [ExceptionDocument], _ tenant: TenantFacts) {
    let entries = documents.filter { document in
      document.match.lists.admit(tenant)
        && !(document.match.exclude?.excludesAll(of: tenant) ?? false)
    }.map { document in
      Entry(
        name: document.name.value, policies: document.policies.map(\.value), rules: document.coveredRules,
        end: document.until.value.end, match: document.match.lists,
        exclusion: document.match.exclude.flatMap { $0.admit(tenant) ? $0 : nil },
        when: document.when.map { BoundWhen($0, for: tenant) })
    }
    self.entries = entries
    var places: [Text: [Int]] = [:]
    for (index, entry) in entries.enumerated() {
      for policy in Set(entry.policies) { places[policy, default: []].append(index) }
    }
    self.places = places
    ask = entries.contains { $0.when != nil }
  }

  /// What each `when` says of a request; `unknown` where there is none.
  func answers(
    to request: borrowing GovernedRequest, hiding hidden: HiddenFacts?
  ) -> [Truth] {
    var answers: [Truth] = []
    for entry in entries {
      answers.append(entry.when?.judge(request, as: request.governance, hiding: hidden) ?? .unknown)
    }
    return answers
  }

  /// The name of the first that covers a violation.
  ///
  /// - Parameters:
  ///   - answers: of each `when`, asked of an earlier state of the request; `nil`: it is as it was then.
  ///   - hidden: facts whose values nobody knows.
  ///   - doubt: set to what would have to be known, where one might cover it.
  func cover(
    _ rule: Rule, of policy: Text, in request: borrowing GovernedRequest, at now: WallClockTime,
    _ answers: [Truth]?, hiding hidden: HiddenFacts? = nil, _ doubt: inout HiddenMember?
  ) -> Text? {
    for place in places[policy] ?? [] {
      let entry = entries[place]
      guard entry.rules & rule.bit != 0, now < entry.end, entry.takesIn(request) else { continue }
      guard let when = entry.when else { return entry.name }
      let truth = answers?[place] ?? when.judge(request, as: request.governance, hiding: hidden)
      if truth == .holds { return entry.name }
      if truth == .unknown, let hidden, let member = when.hiddenMember(of: hidden) { doubt = doubt ?? member }
    }
    return nil
  }
}

extension TenantExceptions.Entry {
  /// Tenant and labels are looked at before.
  fileprivate func takesIn(_ request: borrowing GovernedRequest) -> Bool {
    let operation = request.operation.text
    guard match.operations.admits(operation), match.appInstances.admits(request.appInstanceArn) else {
      return false
    }
    guard let exclusion else { return true }
    return !(exclusion.operations.admits(operation) && exclusion.appInstances.admits(request.appInstanceArn))
  }
}

extension PolicyDocument.MatchLists {
  fileprivate func excludesAll(of tenant: TenantFacts) -> Bool {
    admit(tenant) && operations == nil && appInstances == nil
  }
}

extension ExceptionDocument {
  /// A bit for each rule that it is about.
  fileprivate var coveredRules: UInt64 {
    guard let rules else { return .max }
    let globs = rules.map { Glob($0.value) }
    return Rule.allCases.reduce(0) { bits, rule in
      globs.anyMatches(Text(rule.rawValue)) ? bits | rule.bit : bits
    }
  }
}

extension Rule {
  /// One for each in the order of all.
  fileprivate var bit: UInt64 { 1 &<< UInt64(Self.allCases.firstIndex(of: self) ?? 63) }
}
