import TestSupport

/// What policies and exceptions are about: matches, conditions, and exceptions themselves.
extension RandomPolicies {
  private static let tenantGlobs = ["crm", "c?m", "*", "erp"]
  private static let instanceGlobs = ["*/aaaa-1", "*b-2", "*"]
  private static let labelGlobs = ["a", "*b*", "*", "m", "?"]
  private static let textGlobs = ["a", "a*", "*b", "?", "crm*", "*-*"]
  private static let labels = ["l", "m", "p"]

  mutating func match() -> PlainMatch {
    var match = PlainMatch()
    match.tenants = chance(25) ? some(Self.tenantGlobs, upTo: 2) : nil
    match.appInstances = chance(25) ? some(Self.instanceGlobs, upTo: 2) : nil
    match.operations = chance(30) ? ["Create*", "*User", "Tag*"].filter { _ in chance(50) } : nil
    match.tenantLabels = chance(12, of: .matching) ? tenantLabels() : nil
    if chance(20, of: .matching) { match.exclude = [exclusion()] }
    return match
  }

  private mutating func exclusion() -> PlainMatch {
    var match = PlainMatch()
    match.tenants = chance(40) ? some(Self.tenantGlobs, upTo: 2) : nil
    match.appInstances = chance(30) ? some(Self.instanceGlobs, upTo: 2) : nil
    match.operations = chance(40) ? ["*", "*User", "Put*", "*Resource"].filter { _ in chance(50) } : nil
    match.tenantLabels = chance(20) ? tenantLabels() : nil
    return match
  }

  private mutating func tenantLabels() -> [String: [String]] {
    Dictionary(
      uniqueKeysWithValues: Self.labels.filter { _ in chance(40) }.map {
        ($0, some(Self.labelGlobs, upTo: 2))
      })
  }

  mutating func when(depth: Int) -> PlainWhen {
    var when = PlainWhen()
    for _ in 0..<Int.random(in: 1...2, using: &random) {
      let (field, condition) = condition()
      if !when.conditions.contains(where: { $0.field == field }) {
        when.conditions.append((field, condition))
      }
    }
    guard depth > 0 else { return when }
    if chance(20) { when.all = parts(depth) }
    if chance(20) { when.any = parts(depth) }
    if chance(20) { when.not = [self.when(depth: depth - 1)] }
    return when
  }

  private mutating func parts(_ depth: Int) -> [PlainWhen] {
    (0..<Int.random(in: 1...2, using: &random)).map { _ in when(depth: depth - 1) }
  }

  private mutating func condition() -> (String, PlainWhen.Condition) {
    switch Int.random(in: 0..<10, using: &random) {
    case 0: return ("appInstanceUserId", textCondition())
    case 1: return ("name", textCondition())
    case 2: return ("metadata", textCondition())
    case 3, 4: return ("expirationDays", daysCondition())
    case 5: return ("tenant.id", chance(80) ? .globs(oneOrTwo(Self.tenantGlobs)) : textCondition())
    // `m` may be empty, and is then there all the same.
    case 6: return ("tenant.labels.\(one(Self.labels))", textCondition())
    default: return ("tags.\(one(Self.keys))", textCondition())
    }
  }

  private mutating func textCondition() -> PlainWhen.Condition {
    if chance(25) { return .present(chance(50)) }
    return chance(25) ? .pattern(one(PlainPattern.all)) : .globs(oneOrTwo(Self.textGlobs))
  }

  private mutating func oneOrTwo(_ choices: [String]) -> [String] { [one(choices)] + some(choices, upTo: 1) }

  private mutating func daysCondition() -> PlainWhen.Condition {
    if chance(25) { return .present(chance(50)) }
    let least = maybe(60, [1, 2, 4])
    return .range(min: least, max: least == nil ? one([1, 3, 5]) : maybe(50, [4, 5]))
  }

  mutating func exceptions(for policies: [PlainPolicy], _ tagPolicies: [PlainTagPolicy]) -> [PlainException] {
    guard features.contains(.exceptions) else { return [] }
    let names = policies.map(\.name) + tagPolicies.map { "tag-policy:\($0.key)" }
    return ["X", "a", "x-1"].filter { _ in chance(20) }.map { exception(named: $0, for: names) }
  }

  mutating func exception(named name: String, for policies: [String]) -> PlainException {
    var exception = PlainException(
      name: name, until: one(["2026-11-28", "2026-11-29", "2027-01-31"]),
      policies: policies.filter { _ in chance(60) })
    if exception.policies.isEmpty { exception.policies = [one(policies)] }
    if chance(60) {
      let ids = ["tags.*", "tags.required", "name.*", "expiration.*", "tags.protected", "*.forbidden"]
      // An empty list is an error to the loader.
      exception.rules = [one(ids)] + some(ids, upTo: 1)
    }
    if chance(40) { exception.match = match() }
    if chance(40) { exception.when = when(depth: 1) }
    return exception
  }
}
