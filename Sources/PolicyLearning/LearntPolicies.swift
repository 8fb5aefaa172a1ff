internal import ChimeIdentity
internal import Configuration
internal import Primitives
internal import StrictJSON

/// Policies that are proposed from what requests have in common: one of the rules that all of them keep, and one of those
/// that nearly all do, which somebody may have meant. Both in `warn`: they are a proposal, and the few requests that were
/// seen are not all that there will be.
package struct LearntPolicies: Sendable {
  /// The policy of the rules that every request keeps.
  package static let all = "learnt"
  /// The policy of the rules that nearly every request keeps.
  package static let nearly = "learnt-nearly"

  /// Of what no rule could be learnt, and why.
  package private(set) var omissions: [String] = []
  package private(set) var rules: [LearntRule] = []
  let learner: PolicyLearner
  private var sections: [String: [(section: String, value: JSONLiteral)]] = [:]

  /// - Parameter share: of the requests a rule is about, that must keep it to be proposed, when not all do.
  package init(_ learner: PolicyLearner, keptBy share: Double) {
    self.learner = learner
    identifiers(share)
    names()
    tags(share)
    expiration(share)
    metadata()
  }

  package var isEmpty: Bool { rules.isEmpty }

  /// The names of files and what they hold.
  package func files(for tenant: String?) -> [(name: String, content: [UInt8])] {
    [Self.all, Self.nearly].compactMap { policy in
      document(policy, for: tenant).map { ("\(policy).json", $0.prettyBytes) }
    } + (learner.samples.isEmpty ? [] : [("learnt.test.json", tests.prettyBytes)])
  }

  private func document(_ policy: String, for tenant: String?) -> JSONLiteral? {
    guard let sections = sections[policy], !sections.isEmpty else { return nil }
    var document: JSONLiteral = ["policy": .string(policy)]
    let own = rules.filter { $0.policy == policy }
    document["description"] = .string(
      "Learnt from \(learner.requests) requests of \(Self.span(learner)). "
        + own.map { "\($0.rule): \($0.text), kept by \($0.share)." }.joined(separator: " "))
    document["mode"] = "warn"
    if let tenant { document["match"] = ["tenants": [.string(tenant)]] }
    document["rules"] = .object(sections.map { .init($0.section, $0.value) })
    return document
  }

  private static func span(_ learner: PolicyLearner) -> String {
    guard let since = learner.since, let until = learner.until else { return "no time" }
    return "\(since.rfc3339.prefix(10)) to \(until.rfc3339.prefix(10))"
  }

  private mutating func propose(
    _ rule: String, _ text: String, in policy: String = all, fits: Int, of requests: Int
  ) {
    rules.append(LearntRule(policy: policy, rule: rule, text: text, fits: fits, requests: requests))
  }

  private mutating func add(_ section: String, _ members: [JSONLiteral.Member], to policy: String = all) {
    if !members.isEmpty { sections[policy, default: []].append((section, .object(members))) }
  }

  private func isNearly(_ fits: Int, of requests: Int, _ share: Double) -> Bool {
    fits < requests && Double(fits) >= share * Double(requests)
  }
}

extension LearntRule {
  /// `97.3 % of 1200 requests`
  package var share: String {
    // Rounded down, so that what not all keep is never called 100 %.
    let tenths = requests == 0 ? 0 : fits * 1000 / requests
    return "\(tenths / 10)\(tenths % 10 == 0 ? "" : ".\(tenths % 10)") % of \(requests) requests"
  }
}

// What is printed.
extension LearntRule {
  /// One object on one line.
  package var json: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    for (key, value): (StaticString, String) in [("policy", policy), ("rule", rule), ("value", text)] {
      writer.key(key)
      writer.string(value)
    }
    for (key, number): (StaticString, Int) in [("fits", fits), ("requests", requests)] {
      writer.key(key)
      writer.integer(number)
    }
    writer.endObject()
    return writer.bytes
  }
}

extension LearntPolicies {
  /// `{"summary":{…}}`
  package func summaryJSON(files: [String]) -> [UInt8] {
    var writer = JSONWriter()
    let summary: JSONLiteral = [
      "summary": [
        "requests": .integer(Int64(learner.requests)), "creations": .integer(Int64(learner.creations)),
        "omissions": .array(omissions.map { .string($0) }), "files": .array(files.map { .string($0) }),
      ]
    ]
    summary.write(into: &writer)
    return writer.bytes
  }
}

// AppInstanceUserId and Name.
extension LearntPolicies {
  private mutating func identifiers(_ share: Double) {
    let ids = learner.ids
    guard ids.count > 0, let lengths = ids.lengths else { return }
    var members: [JSONLiteral.Member] = []
    let own = learner.ownIds.max { ($0.value, $1.key) < ($1.value, $0.key) }
    if let own, own.value == ids.count || isNearly(own.value, of: ids.count, share) {
      let prefix: JSONLiteral.Member = .init("prefix", .string("${tenant.id}\(own.key)"))
      let policy = own.value == ids.count ? Self.all : Self.nearly
      if policy == Self.all { members.append(prefix) } else { add("appInstanceUserId", [prefix], to: policy) }
      propose(
        "appInstanceUserId.prefix", "${tenant.id}\(own.key)", in: policy, fits: own.value, of: ids.count)
    } else {
      omissions.append("ids have no prefix that \(Self.percent(share)) of them share")
    }
    if let pattern = ids.pattern {
      members.append(.init("pattern", .string(pattern)))
      propose("appInstanceUserId.pattern", pattern, fits: ids.count, of: ids.count)
    } else {
      omissions.append("ids consist of characters of too many kinds for a pattern")
    }
    members += bounds(lengths, within: ModelLimits.userID, "appInstanceUserId.length", of: ids.count)
    add("appInstanceUserId", members)
  }

  private mutating func names() {
    let names = learner.names
    guard learner.hiddenNames == 0, names.count > 0, let lengths = names.lengths else {
      if learner.hiddenNames > 0 { omissions.append("the journal does not show names") }
      return
    }
    // The longest name so far is not the longest that there is.
    let most = (lengths.upperBound + 9) / 10 * 10
    var members = bounds(
      lengths.lowerBound...most, within: ModelLimits.userName, "name.length", of: names.count)
    if learner.trimmedNames == names.count {
      members.append(.init("trimmed", true))
      propose("name.trimmed", "no white space at either end", fits: names.count, of: names.count)
    }
    if learner.uniformNames == names.count {
      members.append(.init("singleScript", true))
      propose("name.singleScript", "letters of one script", fits: names.count, of: names.count)
    }
    add("name", members)
  }

  /// Limits that ask for more than the service does.
  private mutating func bounds(
    _ lengths: ClosedRange<Int>, within possible: ClosedRange<Int>, _ rule: String, of requests: Int
  ) -> [JSONLiteral.Member] {
    var members: [JSONLiteral.Member] = []
    if lengths.lowerBound > possible.lowerBound {
      members.append(.init("minLength", .integer(Int64(lengths.lowerBound))))
    }
    if lengths.upperBound < possible.upperBound {
      members.append(.init("maxLength", .integer(Int64(lengths.upperBound))))
    }
    if !members.isEmpty {
      propose(rule, "\(lengths.lowerBound) to \(lengths.upperBound) characters", fits: requests, of: requests)
    }
    return members
  }

  private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
}

// Tags.
extension LearntPolicies {
  private mutating func tags(_ share: Double) {
    let tags = learner.tags
    guard !tags.isEndless else {
      omissions.append("there are too many tag keys for rules about them")
      return
    }
    var required: [String: [JSONLiteral]] = [:]
    for key in tags.keys {
      guard let tag = tags.byKey[key], tag.creations > 0 else { continue }
      let isAll = tag.creations == learner.creations
      guard isAll || isNearly(tag.creations, of: learner.creations, share) else { continue }
      if let obstacle = tags.obstacle(to: key) {
        omissions.append("the tag `\(key.onOneLine)` cannot be required: \(obstacle)")
        continue
      }
      let policy = isAll ? Self.all : Self.nearly
      propose("tags.required", key.string, in: policy, fits: tag.creations, of: learner.creations)
      required[policy, default: []].append(entry(key, tag, in: policy))
    }
    if let nearly = required[Self.nearly] {
      add("tags", [.init("required", .array(nearly))], to: Self.nearly)
    }
    var members: [JSONLiteral.Member] = []
    if let all = required[Self.all] { members.append(.init("required", .array(all))) }
    if let allowed = allowedKeys() { members.append(.init("allowedKeys", .array(allowed))) }
    add("tags", members)
  }

  private mutating func entry(_ key: Text, _ tag: ObservedTag, in policy: String) -> JSONLiteral {
    var entry: JSONLiteral = ["key": .string(key.string)]
    let seen = tag.strings.count
    if let values = tag.listable {
      entry["values"] = .array(values.map { .string($0.string) })
      propose(
        "tags.value", "\(key): \(values.map(\.string).joined(separator: ", "))", in: policy, fits: seen,
        of: seen)
    } else if !tag.isHidden, let pattern = tag.strings.pattern {
      entry["pattern"] = .string(pattern)
      propose("tags.pattern", "\(key): \(pattern)", in: policy, fits: seen, of: seen)
    } else {
      let reason = tag.isHidden ? "the journal does not show them" : "they have too little in common"
      omissions.append("no rule about values of the tag `\(key.onOneLine)`: \(reason)")
    }
    return entry
  }

  private mutating func allowedKeys() -> [JSONLiteral]? {
    let keys = learner.tags.keys
    guard !keys.isEmpty else { return nil }
    guard keys.count <= 30, keys.allSatisfy(\.isPlain) else {
      omissions.append(
        "the \(keys.count) tag keys are too many, or too odd, for a list of those that are allowed")
      return nil
    }
    propose(
      "tags.allowedKeys", keys.map(\.string).joined(separator: ", "), fits: learner.requests,
      of: learner.requests)
    return keys.map { .string($0.string) }
  }
}

// Expiration and metadata.
extension LearntPolicies {
  private mutating func expiration(_ share: Double) {
    let (fits, requests) = (learner.expiring, learner.expirationRequests)
    guard let days = learner.days else {
      if requests > 0 { omissions.append("no request gives an expiration") }
      return
    }
    var members: [JSONLiteral.Member] = []
    if fits == requests || isNearly(fits, of: requests, share) {
      let policy = fits == requests ? Self.all : Self.nearly
      let required: JSONLiteral.Member = .init("required", true)
      if policy == Self.all { members.append(required) } else { add("expiration", [required], to: policy) }
      propose("expiration.required", "an expiration", in: policy, fits: fits, of: requests)
    }
    let possible = ModelLimits.expirationDays
    if days.lowerBound > possible.lowerBound {
      members.append(.init("minDays", .integer(Int64(days.lowerBound))))
      propose("expiration.minDays", "at least \(days.lowerBound)", fits: requests, of: requests)
    }
    if days.upperBound < possible.upperBound {
      members.append(.init("maxDays", .integer(Int64(days.upperBound))))
      propose("expiration.maxDays", "at most \(days.upperBound)", fits: requests, of: requests)
    }
    add("expiration", members)
  }

  private mutating func metadata() {
    guard let sizes = learner.metadata, sizes.upperBound > 0 else { return }
    // The next power of two: sizes are rarely meant to the byte.
    var most = 1
    while most < sizes.upperBound { most *= 2 }
    guard most < 4 * ModelLimits.metadata.upperBound else { return }
    add("metadata", [.init("maxBytes", .integer(Int64(most)))])
    propose("metadata.maxBytes", "at most \(most)", fits: learner.requests, of: learner.requests)
  }
}
