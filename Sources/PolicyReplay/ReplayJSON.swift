internal import AuditTrail
internal import Configuration
package import PolicyEngine
package import Primitives
internal import StrictJSON

extension ReplayedRequest {
  /// `{"requestId":…,"tenant":…,"was":…,"now":…,"violations":[…]}`
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("time")
    writer.string(time)
    writer.key("requestId")
    writer.string(requestId)
    writer.key("tenant")
    writer.string(tenant)
    if let user {
      writer.key("user")
      writer.string(user)
    }
    writer.key("was")
    writer.string(was.rawValue)
    writer.key("now")
    writer.string(now.word)
    writer.key("violations")
    writer.write(violations)
    if now == .undecidable {
      writer.key("undecided")
      writer.beginArray()
      for rule in undecided {
        writer.beginObject()
        writer.member("policy", rule.policy)
        writer.member("rule", rule.rule)
        writer.member("field", Text(rule.member.rawValue))
        writer.endObject()
      }
      writer.endArray()
    }
    writer.endObject()
    return writer.bytes
  }
}

extension PartialDecision.Verdict {
  /// As `audit query` writes decisions.
  package var word: String {
    switch self {
    case .allowed: "allowed"
    case .denied: "denied"
    case .undecidable: "undecidable"
    }
  }
}

extension ReplayTally {
  /// `{"summary":{…}}`
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("summary")
    writer.beginObject()
    writer.member("requests", requests)
    writer.member("evaluated", evaluated)
    writer.member("unchanged", unchanged)
    writer.member("changed", changed)
    writer.member("allowedToDenied", allowedToDenied)
    writer.member("deniedToAllowed", deniedToAllowed)
    writer.member("undecidable", undecidable)
    writer.member("repeats", repeats)
    writer.member("tenantsWithChanges", tenants.count)
    writer.key("notEvaluated")
    writer.beginObject()
    for (exemption, count) in exemptions { writer.member(text: Text(exemption.name), count) }
    writer.endObject()
    writer.key("undecidableBecause")
    writer.beginArray()
    for (obstacle, count) in sortedObstacles {
      writer.beginObject()
      writer.member("reason", Text(obstacle.reason))
      writer.member("requests", count)
      writer.endObject()
    }
    writer.endArray()
    writer.key("rules")
    writer.beginArray()
    for (key, counts) in sortedRules { writer.write(key, counts) }
    writer.endArray()
    writer.key("policies")
    writer.write(changes: Self.sorted(policies)) { $0.member("policy", $1) }
    writer.key("tenants")
    writer.write(changes: Self.sorted(tenants)) { $0.member("tenant", $1) }
    writer.key("callers")
    writer.write(changes: sortedCallers) {
      $0.member("tenant", $1.tenant)
      $0.member("caller", $1.name)
    }
    writer.endObject()
    writer.endObject()
    return writer.bytes
  }

  /// In the order in which a request meets them; those that happened.
  package var exemptions: [(exemption: Exemption, count: Int)] {
    let order: [Exemption] =
      [
        .ended(.unauthenticated), .confinement, .ended(.invalid), .ended(.throttled), .ended(.refused),
        .notGoverned,
      ]
    return order.compactMap { exemption in exempt[exemption].map { (exemption, $0) } }
  }

  /// The most frequent first.
  package var sortedObstacles: [(obstacle: Obstacle, count: Int)] {
    obstacles.sorted { ($1.value, $0.key.reason) < ($0.value, $1.key.reason) }.map { ($0.key, $0.value) }
  }

  /// The most changes first.
  package static func sorted(_ changes: [Text: Changes]) -> [(key: Text, changes: Changes)] {
    changes.sorted { ($1.value.all, $0.key) < ($0.value.all, $1.key) }.map { ($0.key, $0.value) }
  }

  /// The most changes first.
  package var sortedCallers: [(key: Caller, changes: Changes)] {
    callers.sorted {
      ($1.value.all, $0.key.tenant, $0.key.name) < ($0.value.all, $1.key.tenant, $1.key.name)
    }.map { ($0.key, $0.value) }
  }

  /// By policy, rule and mode.
  package var sortedRules: [(key: RuleKey, counts: RuleCounts)] {
    rules.sorted {
      ($0.key.policy, $0.key.rule, $0.key.mode.rawValue) < ($1.key.policy, $1.key.rule, $1.key.mode.rawValue)
    }.map { ($0.key, $0.value) }
  }
}

extension ReplayTally.Exemption {
  package var name: String {
    switch self {
    case .notGoverned: "notGoverned"
    case .confinement: "confinement"
    case .ended(let decision): decision.rawValue
    }
  }
}

extension ReplayTally.Obstacle {
  /// What is not known and why, for whoever may change that for the records to come.
  package var reason: String {
    switch self {
    case .hidden(let member, .omitted):
      "\(member.rawValue) is not in the record: audit.sensitive.\(member.setting) was \"omit\""
    case .hidden(let member, .hashed):
      "\(member.rawValue) is only a hash in the record: audit.sensitive.\(member.setting) was \"hash\""
    case .hidden(let member, .cut): "\(member.rawValue) is cut in the record"
    case .tenantGone(let tenant):
      "policies need the labels of tenant \(tenant.string), which is no longer in the tenants file"
    case .incomplete: "the record does not hold all that the request said"
    }
  }
}

extension HiddenMember {
  /// The key of `audit.sensitive`.
  fileprivate var setting: String {
    switch self {
    case .name: "name"
    case .metadata: "metadata"
    case .tagValues: "tagValues"
    }
  }
}

extension JSONWriter {
  fileprivate mutating func member(_ name: StaticString, _ value: Text) {
    key(name)
    string(value)
  }

  fileprivate mutating func member(_ name: StaticString, _ value: Int) {
    key(name)
    integer(value)
  }

  fileprivate mutating func member(text name: Text, _ value: Int) {
    key(text: name)
    integer(value)
  }

  fileprivate mutating func write(_ rule: ReplayTally.RuleKey, _ counts: ReplayTally.RuleCounts) {
    beginObject()
    member("policy", rule.policy)
    member("rule", rule.rule)
    member("mode", Text(rule.mode.rawValue))
    member("before", counts.before)
    member("now", counts.now)
    member("new", counts.new)
    member("gone", counts.gone)
    member("undecidable", counts.undecidable)
    member("tenants", counts.tenants.count)
    key("examples")
    beginArray()
    for id in counts.examples { string(id) }
    endArray()
    endObject()
  }

  fileprivate mutating func write<Key>(
    changes: [(key: Key, changes: ReplayTally.Changes)], _ write: (inout JSONWriter, Key) -> Void
  ) {
    beginArray()
    for (key, changes) in changes {
      beginObject()
      write(&self, key)
      member("allowedToDenied", changes.allowedToDenied)
      member("deniedToAllowed", changes.deniedToAllowed)
      endObject()
    }
    endArray()
  }
}
