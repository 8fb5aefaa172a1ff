internal import Configuration
internal import Patterns
internal import Primitives
internal import StrictJSON

/// Policies that can match the same request and would give one field different values. The result would hang on their
/// names, so it is refused rather than decided.
struct PolicyConflicts {
  /// A value that a policy gives to a field.
  private struct Claim {
    let document: PolicyDocument
    let verb: String
    let value: Text
    let position: SourcePosition
  }

  private(set) var problems: [Problem] = []

  init(_ policies: [CompiledPolicy]) {
    reviewTags(policies.filter { $0.governs(.createUser) }.map(\.document))
    reviewDays(policies)
  }

  private mutating func reviewTags(_ documents: [PolicyDocument]) {
    var claims: [Text: [Claim]] = [:]
    for document in documents {
      guard let tags = document.tags else { continue }
      for required in tags.required {
        guard let value = required.defaultValue else { continue }
        claims[required.key.value, default: []].append(
          Claim(document: document, verb: "defaults", value: value.value, position: value.position))
      }
      for (key, value) in tags.set {
        claims[key.value, default: []].append(
          Claim(document: document, verb: "sets", value: value.value, position: value.position))
      }
    }
    for (key, claims) in claims.sorted(by: { $0.key < $1.key }) {
      compare(claims, "the tag `\(MessageText.shown(key))`")
    }
  }

  private mutating func reviewDays(_ policies: [CompiledPolicy]) {
    for governance in [Governance.createUser, .putExpiration] {
      let claims = policies.filter { $0.governs(governance) }.compactMap { policy -> Claim? in
        guard let days = policy.document.expiration?.defaultDays else { return nil }
        return Claim(
          document: policy.document, verb: "defaults", value: Text("\(days.value)"),
          position: days.position)
      }
      compare(claims, PolicyField.expirationDays)
    }
  }

  private mutating func compare(_ claims: [Claim], _ field: String) {
    for (index, later) in claims.enumerated() {
      for earlier in claims[..<index]
      where earlier.value != later.value && earlier.document.canMeet(later.document) {
        let problem = later.document.problem(
          at: later.position, severity: severity(earlier.document, later.document),
          "\(later.verb) \(field) to `\(MessageText.shown(later.value))`, where policy"
            + " `\(MessageText.shown(earlier.document.name.value))` \(earlier.verb) it to"
            + " `\(MessageText.shown(earlier.value))` (\(earlier.document.file):\(earlier.position.line)) and both can"
            + " match one request")
        // Days that differ do so for both operations; they are said once.
        if !problems.contains(problem) { problems.append(problem) }
      }
    }
  }

  /// A policy in `warn` changes nothing, and one policy by itself has a fixed order: there it only looks wrong.
  private func severity(_ one: PolicyDocument, _ other: PolicyDocument) -> Problem.Severity {
    one.mode == .enforce && other.mode == .enforce && one.name.value != other.name.value ? .error : .warning
  }
}

extension PolicyDocument {
  /// Whether both can be about one request, operations aside.
  func canMeet(_ other: PolicyDocument) -> Bool {
    guard match.overlaps(other.match) else { return false }
    guard let when, let others = other.when else { return true }
    return !when.excludes(others)
  }
}

extension PolicyDocument.Match {
  /// Whether one tenant's request for one AppInstance can match both, operations aside.
  func overlaps(_ other: Self) -> Bool {
    Self.overlap(lists.tenants, other.lists.tenants)
      && Self.overlap(lists.appInstances, other.lists.appInstances)
      && lists.labelsOverlap(other.lists) && exclude?.covers(other.lists) != true
      && other.exclude?.covers(lists) != true
  }

  static func overlap(_ left: [Glob]?, _ right: [Glob]?) -> Bool {
    guard let left, let right else { return left?.isEmpty != true && right?.isEmpty != true }
    return left.contains { glob in right.contains { $0.overlaps(glob) } }
  }
}

extension PolicyDocument.MatchLists {
  /// Whether one tenant can have labels that match both.
  fileprivate func labelsOverlap(_ other: Self) -> Bool {
    tenantLabels.allSatisfy { label in
      other.tenantLabels.allSatisfy {
        $0.name != label.name || PolicyDocument.Match.overlap($0.values, label.values)
      }
    }
  }

  /// Whether these surely match whatever the other lists do.
  fileprivate func covers(_ other: Self) -> Bool {
    Self.covers(tenants, other.tenants) && Self.covers(appInstances, other.appInstances)
      && Exclusion(self).takesInAllOperations
      && tenantLabels.allSatisfy { label in
        other.tenantLabels.contains { $0.name == label.name && Self.covers(label.values, $0.values) }
      }
  }

  private static func covers(_ wide: [Glob]?, _ narrow: [Glob]?) -> Bool {
    guard let wide else { return true }
    return (narrow ?? [Glob("*")]).allSatisfy { part in
      wide.contains { glob in
        glob == part || glob.source == "*"
          || (!part.source.utf8.contains { "*?".utf8.contains($0) } && glob.matches(part.source))
      }
    }
  }
}
