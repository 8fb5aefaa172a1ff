import Primitives

/// The page of semantics (`docs/policy-semantics.md`), one section after the other, as slowly and plainly as it can be
/// written down. Nothing here was read off the engine.
struct ReferenceEvaluator {
  struct Finding: Hashable {
    let policy: String
    let rule: String
    let field: String
    /// The one that made a warning of it.
    var exception: String?

    var line: String { "\(policy) \(rule) \(field)\(exception.map { " (\($0))" } ?? "")" }
  }

  struct Verdict {
    var violations: [Finding] = []
    var warnings: [Finding] = []
    var wouldChange: [String] = []
    var changes: [Text: String] = [:]
  }

  let enforced: [PlainPart]
  let warned: [PlainPart]
  let tagPolicies: [PlainTagPolicy]
  let exceptions: [PlainException]
  let tenant: PlainTenant
  /// As `until` has it.
  let today: String

  init(
    _ policies: [PlainPolicy], _ tenant: PlainTenant, _ tagPolicies: [PlainTagPolicy] = [],
    _ exceptions: [PlainException] = [], today: String
  ) {
    let sorted = policies.sorted { Self.precedes($0.name, $1.name) }
    enforced = sorted.compactMap { $0.part("enforce") }
    warned = sorted.compactMap { $0.part("warn") }
    self.tagPolicies = tagPolicies
    self.exceptions = exceptions.sorted { Self.precedes($0.name, $1.name) }
    self.tenant = tenant
    self.today = today
  }

  private static func precedes(_ one: String, _ other: String) -> Bool {
    one.utf8.lexicographicallyPrecedes(other.utf8)
  }

  /// Section 5: the steps in their order.
  func evaluate(_ original: PlainRequest) -> (PlainRequest, Verdict) {
    var request = original
    var verdict = Verdict()
    let matching = enforced.filter { matches($0.policy.match, original) }
    let first = matching.filter { $0.policy.when == nil }
    for part in first { _ = fill(part.policy, &request) }
    for part in first { _ = clamp(part.policy, &request) }
    let asked = request
    let applying = matching.filter { holds($0.policy.when, asked) }
    for part in applying where part.policy.when != nil { _ = fill(part.policy, &request) }
    for part in applying { _ = clamp(part.policy, &request) }
    verdict.changes = difference(original, request)
    for part in enforced { verdict.violations += check(part, request, asked) }
    for part in warned {
      var copy = request
      if applies(part.policy, original, asked) {
        verdict.wouldChange += fill(part.policy, &copy) + clamp(part.policy, &copy)
      }
      verdict.warnings += check(part, copy, asked)
    }
    for policy in tagPolicies { check(policy, request, &verdict) }
    soften(&verdict, request, asked)
    return (request, verdict)
  }

  func applies(_ policy: PlainPolicy, _ request: PlainRequest, _ asked: PlainRequest) -> Bool {
    matches(policy.match, request) && holds(policy.when, asked)
  }

  /// Section 8.
  private func soften(_ verdict: inout Verdict, _ request: PlainRequest, _ asked: PlainRequest) {
    let open = exceptions.filter { exception in
      today <= exception.until && matches(exception.match, request)
        && exception.when.map { truth($0, asked) == .yes } ?? true
    }
    var left: [Finding] = []
    for var finding in verdict.violations {
      let first = open.first { exception in
        exception.policies.contains(finding.policy)
          && exception.rules?.contains { glob($0, finding.rule) } ?? true
      }
      finding.exception = first?.name
      if first == nil { left.append(finding) } else { verdict.warnings.append(finding) }
    }
    verdict.violations = left
  }
}

/// Section 2: the rules of one policy that have one mode.
struct PlainPart {
  /// With these rules only.
  var policy: PlainPolicy
  /// What the other part requires.
  var keysRequiredElsewhere: [String] = []
  /// Whether it protects what the `when` asks for.
  var isStrongest = false
}

extension PlainPolicy {
  /// `nil`: the policy has no rules of this mode.
  func part(_ mode: String) -> PlainPart? {
    guard let chosen = rules(of: mode) else { return nil }
    let other = rules(of: mode == "enforce" ? "warn" : "enforce")
    return PlainPart(
      policy: chosen, keysRequiredElsewhere: other?.required.map(\.key) ?? [],
      isStrongest: mode == "enforce" || other == nil)
  }

  /// The weakest of the policy's and of these.
  private func weakest(_ modes: String?...) -> String {
    let all = [mode] + modes.compactMap(\.self)
    return ["off", "warn"].first { all.contains($0) } ?? "enforce"
  }

  private func rules(of mode: String) -> PlainPolicy? {
    var part = PlainPolicy(name: name, mode: mode, match: match, when: when, mutable: mutable)
    if weakest(userID.mode) == mode { part.userID = userID }
    if weakest(userName.mode) == mode { part.userName = userName }
    part.required = required.filter { weakest(tagsMode, $0.mode) == mode }
    if weakest(tagsMode) == mode {
      part.allowedKeys = allowedKeys
      part.forbiddenKeys = forbiddenKeys
      part.maxCount = maxCount
      part.set = set
    }
    if weakest(expirationMode) == mode {
      part.expirationRequired = expirationRequired
      part.minDays = minDays
      part.maxDays = maxDays
      part.defaultDays = defaultDays
      part.clamps = clamps
    }
    if weakest(metadataMode) == mode {
      part.maxBytes = maxBytes
      part.metadataForbidden = metadataForbidden
      part.metadataForbiddenFrom = metadataForbiddenFrom
      part.metadataIsJSON = metadataIsJSON
    }
    // One without any rules still protects what its `when` asks for.
    return part.saysSomething || (!saysSomething && self.mode == mode) ? part : nil
  }

  private var saysSomething: Bool {
    userID.saysSomething || userName.saysSomething || saysSomethingOfTags || saysSomethingOfDays
      || saysSomethingOfMetadata
  }
}

/// Section 6: the changes.
extension ReferenceEvaluator {
  private func fill(_ policy: PlainPolicy, _ request: inout PlainRequest) -> [String] {
    var report: [String] = []
    if request.operation == "CreateAppInstanceUser" {
      for tag in policy.required {
        guard let standard = tag.standard, let key = resolve(tag.key, request),
          !request.tags.contains(where: { sameIgnoringCase($0.key, key) }),
          let value = tagValue(standard, request)
        else { continue }
        request.tags.append((key, value))
        report.append("\(policy.name) tags.required Tags.\(key)")
      }
      for (template, valueTemplate) in policy.set {
        guard let key = resolve(template, request), let value = tagValue(valueTemplate, request) else {
          continue
        }
        if let index = request.tags.firstIndex(where: { same($0.key, key) }) {
          guard !same(request.tags[index].value, value) else { continue }
          request.tags[index].value = value
        } else {
          request.tags.append((key, value))
        }
        report.append("\(policy.name) tags.required Tags.\(key)")
      }
    }
    if carriesDays(request), request.days == nil, let days = policy.defaultDays {
      request.days = days
      report.append("\(policy.name) expiration.required ExpirationSettings.ExpirationDays")
    }
    return report
  }

  private func clamp(_ policy: PlainPolicy, _ request: inout PlainRequest) -> [String] {
    guard carriesDays(request), policy.clamps, let most = policy.maxDays, let days = request.days, days > most
    else { return [] }
    request.days = most
    return ["\(policy.name) expiration.maxDays ExpirationSettings.ExpirationDays"]
  }

  private func difference(_ old: PlainRequest, _ new: PlainRequest) -> [Text: String] {
    // By bytes, as tags are told apart.
    var found: [Text: String] = [:]
    for tag in new.tags {
      let before = old.tags.first { same($0.key, tag.key) }
      guard before.map({ !same($0.value, tag.value) }) ?? true else { continue }
      found[Text("Tags.\(tag.key)")] = "\(before?.value ?? "nothing") -> \(tag.value)"
    }
    if old.days != new.days {
      found["ExpirationSettings.ExpirationDays"] =
        "\(old.days.map(String.init) ?? "nothing") -> \(new.days.map(String.init) ?? "nothing")"
    }
    return found
  }
}
