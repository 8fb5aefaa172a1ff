internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

/// Policies that refuse what they themselves put in. No author can mean that, so it is an error wherever it can be
/// known without a request; in `warn` a policy changes nothing, and it is a warning.
///
/// What a policy of which nothing is found here puts in never breaks a rule of that policy, with two exceptions. A
/// value in which `${request.appInstanceId}` stands can be another than its rules want. And where the caller gives tags
/// that the policy does not put in, those that it adds may lead beyond its `maxCount`.
struct SelfContradictions {
  private(set) var problems: [Problem] = []
  private let tenants: [TenantFacts]
  /// What templates come to for each of the tenants; `nil` for those to whom they come to nothing.
  private var knownValues: [Text: [Text?]] = [:]

  init(_ policies: [CompiledPolicy], _ tenants: [TenantFacts]) {
    self.tenants = tenants
    for policy in policies where policy.document.match.overlaps(policy.document.match) {
      if policy.governs(.createUser) { reviewTags(of: policy) }
      if policy.governs(.createUser) || policy.governs(.putExpiration) { reviewDays(of: policy.document) }
    }
  }

  private mutating func report(
    _ document: PolicyDocument, _ position: SourcePosition, _ message: String, accepted: String,
    isError: Bool = true, isAboutTenants: Bool = false
  ) {
    problems.append(
      document.problem(
        at: position, severity: isError && document.mode == .enforce ? .error : .warning,
        isAboutTenants: isAboutTenants, "\(message); accepted: \(accepted)"))
  }

  private mutating func reviewTags(of policy: CompiledPolicy) {
    guard let rules = policy.document.tags else { return }
    let putting = PuttingPolicy(policy.document)
    for put in putting.putTags {
      // Nothing is left of the default of a tag that is set.
      guard put.isSet || !putting.sets(put.key.text) else { continue }
      reviewKey(of: put, putting, rules)
      for (key, rule) in putting.required where key.text == put.key.text {
        reviewValue(of: put, rule, of: policy)
      }
    }
    reviewCount(putting, rules)
  }

  private mutating func reviewKey(
    of put: PutTag, _ putting: PuttingPolicy, _ rules: PolicyDocument.TagRules
  ) {
    let key = put.key.text
    let tag = "the tag `\(MessageText.shown(key))` that \(putting.document.isPutIn)"
    if let allowed = rules.allowedKeys, !put.isSet, !allowed.anyMatches(key) {
      report(
        putting.document, put.value.position, "\(tag) is not among its own allowedKeys",
        accepted: "keys that match one of \(MessageText.list(allowed))")
    }
    if FoldedGlobList(rules.forbiddenKeys).matches(key) {
      report(
        putting.document, put.value.position, "\(tag) is among its own forbiddenKeys",
        accepted: "keys that match none of \(MessageText.list(rules.forbiddenKeys))")
    }
    for (required, _) in putting.required
    where !putting.requires(key) && required.differsOnlyInCase(from: key) {
      let name = MessageText.shown(required.text)
      report(
        putting.document, put.value.position,
        "\(tag) differs only in case from one of its own required tags, `\(name)`",
        accepted: "the key `\(name)`")
    }
  }

  private mutating func reviewCount(_ putting: PuttingPolicy, _ rules: PolicyDocument.TagRules) {
    let put = putting.putCount
    let least = putting.leastCount
    if let most = rules.maxCount?.value, put > most {
      report(
        putting.document, putting.putTags[0].value.position,
        "the policy \(putting.document.putsIn) \(MessageText.count(put, "tag")), and its own maxCount is \(most)",
        accepted: MessageText.range(nil, most, "tag"))
    } else if put > BoundPolicy.mostTags {
      report(
        putting.document, putting.putTags[0].value.position,
        "the policy \(putting.document.putsIn) \(put) tags, which the service does not take",
        accepted: MessageText.range(nil, BoundPolicy.mostTags, "tag"))
    } else if let most = rules.maxCount, least > most.value {
      // What a policy asks of callers is no change of its own.
      report(
        putting.document, most.position,
        "the policy requires and \(putting.document.putsIn) \(MessageText.count(least, "tag")), and its own maxCount is \(most.value)",
        accepted: "a maxCount of at least \(least)", isError: false)
    }
  }

  private mutating func reviewDays(of document: PolicyDocument) {
    guard let rules = document.expiration, let days = rules.defaultDays else { return }
    let accepted = MessageText.range(rules.minDays?.value, rules.maxDays?.value, "day")
    let given = "the default of \(MessageText.count(days.value, "day"))"
    if let least = rules.minDays?.value, days.value < least {
      report(document, days.position, "\(given) is below its own minDays, \(least)", accepted: accepted)
    }
    if let most = rules.maxDays?.value, days.value > most, rules.onExcess == .deny {
      report(document, days.position, "\(given) is above its own maxDays, \(most)", accepted: accepted)
    }
  }
}

extension SelfContradictions {
  private mutating func reviewValue(
    of put: PutTag, _ rule: PolicyDocument.RequiredTag, of policy: CompiledPolicy
  ) {
    // One that cannot be read is the loader's to refuse.
    guard let template = try? Template(put.value.value) else { return }
    let values = (rule.values ?? []).compactMap { try? Template($0.value) }
    // A value always matches the glob that is written like it.
    let isLimited = rule.values != nil || rule.listed != nil
    let isListed = !isLimited || values.contains(template)
    if !isListed, !template.needsRequest, !values.contains(where: \.needsRequest) {
      let needsTenant = template.needsTenant || values.contains(where: \.needsTenant)
      reviewValue(
        of: put, policy, needsTenant, fault: "is not among the values in its own required tags",
        accepted:
          "a value that matches one of \(MessageText.list((rule.values ?? []).map { MessageText.shown($0.value) }))",
        { value, tag in tag.accepts(value) }, rule)
    }
    if let pattern = rule.pattern.whole?.value, !template.needsRequest {
      reviewValue(
        of: put, policy, template.needsTenant, fault: "does not match the pattern in its own required tags",
        accepted: "a value that as a whole matches `\(MessageText.shown(pattern: pattern.source))`",
        { value, _ in pattern.matchesWhole(value) == .matched }, rule)
    } else if let pattern = rule.pattern.template?.value, !template.needsRequest {
      reviewValue(
        of: put, policy, true, fault: "does not match the pattern in its own required tags",
        accepted:
          "a value that as a whole matches `\(MessageText.shown(pattern: pattern.source.string))`",
        { value, tag in tag.pattern.map { $0.matchesWhole(value) == .matched } }, rule)
    }
  }

  /// - Parameter keeps: whether a value is right; `nil` when that cannot be said because something else has no value.
  private mutating func reviewValue(
    of put: PutTag, _ policy: CompiledPolicy, _ needsTenant: Bool, fault: String, accepted: String,
    _ keeps: (Text, RequiredTag) -> Bool?, _ rule: PolicyDocument.RequiredTag
  ) {
    let document = policy.document
    let message =
      "the value of the tag `\(MessageText.shown(put.key.text))` that \(document.isPutIn) \(fault)"
    let nobody = TenantFacts(id: "")
    guard needsTenant else {
      if keeps(put.value.value, RequiredTag(rule, for: nobody)) == false {
        report(document, put.value.position, message, accepted: accepted)
      }
      return
    }
    let isRuleShared =
      rule.pattern.template == nil
      && (rule.values ?? []).allSatisfy { (try? Template($0.value))?.needsTenant == false }
    let shared = RequiredTag(rule, for: nobody)
    let values = value(of: put.value.value)
    var refused: [TenantFacts] = []
    for (tenant, value) in zip(tenants, values) where policy.canMeet(tenant, in: [.createUser]) {
      guard let value else { continue }
      if keeps(value, isRuleShared ? shared : RequiredTag(rule.resolvingPattern(for: tenant), for: tenant))
        == false
      {
        refused.append(tenant)
      }
    }
    guard !refused.isEmpty else { return }
    report(
      document, put.value.position, "\(message), for \(MessageText.names(of: refused))", accepted: accepted,
      isAboutTenants: true)
  }

  /// What a template comes to for each tenant. Most policies of a set have the same few, so each is worked out once.
  private mutating func value(of source: Text) -> [Text?] {
    if let known = knownValues[source] { return known }
    let template = try? Template(source)
    let values = tenants.map { tenant in template.flatMap { BoundTemplate($0, for: tenant).constant } }
    knownValues[source] = values
    return values
  }
}

extension RequiredTag {
  /// `nil`: that hangs on the request.
  fileprivate func accepts(_ value: Text) -> Bool? {
    if let listed, listed.texts.contains(value.utf8.span) { return true }
    return values == nil ? false : knownValues?.matches(value)
  }
}
