internal import Configuration
internal import Primitives

/// A policy's rules by the mode that holds for each: from here on a part is a policy of that mode.
extension PolicyDocument {
  /// Keys of tags that no call may change after creation, because `when` asks for them.
  var questionedTags: [Text] {
    guard guardsWhen, let when else { return [] }
    return when.tagKeys.filter { key in !mutable.contains { $0.value == key } }
  }

  /// The rules that are enforced and those that only warn; rules that are off are in neither. A policy of which nothing
  /// else is left is one part that is off, or one without rules.
  var parts: [PolicyDocument] {
    guard mode != .off, tagPolicy == nil else { return [self] }
    let parts = [Mode.enforce, .warn].compactMap { part(as: $0) }
    if parts.count == 2 {
      // What the policy guards by itself, its strongest rules' part does.
      var weaker = parts[1]
      weaker.guardsWhen = false
      return [parts[0], weaker]
    }
    if !parts.isEmpty { return parts }
    var rest = withoutRules
    if hasRules { rest.mode = .off }
    return [rest]
  }

  private func part(as wanted: Mode) -> PolicyDocument? {
    var part = withoutRules
    part.mode = wanted
    part.appInstanceUserId = appInstanceUserId.flatMap { holds($0.header, as: wanted) ? $0 : nil }
    part.userName = userName.flatMap { holds($0.header, as: wanted) ? $0 : nil }
    part.tags = tags.flatMap { tagsPart(of: $0, as: wanted) }
    part.expiration = expiration.flatMap { holds($0.header, as: wanted) ? $0 : nil }
    part.metadata = metadata.flatMap { holds($0.header, as: wanted) ? $0 : nil }
    return part.hasRules ? part : nil
  }

  private func tagsPart(of tags: TagRules, as wanted: Mode) -> TagRules? {
    let modes = tags.required.map { Mode.weakest($0.header.mode?.value, tags.header.mode?.value, mode) }
    let own = zip(tags.required, modes).filter { $0.1 == wanted }.map(\.0)
    var part: TagRules
    if holds(tags.header, as: wanted) {
      part = tags
    } else {
      guard !own.isEmpty else { return nil }
      part = TagRules()
      part.header = tags.header
    }
    part.required = own
    let elsewhere = zip(tags.required, modes).filter { $0.1 != wanted && $0.1 != .off }
    part.requiredElsewhere = elsewhere.map(\.0.key.value)
    return part
  }

  private func holds(_ header: RuleHeader, as wanted: Mode) -> Bool {
    Mode.weakest(header.mode?.value, mode) == wanted
  }

  private var hasRules: Bool {
    appInstanceUserId != nil || userName != nil || tags != nil || expiration != nil || metadata != nil
  }

  private var withoutRules: PolicyDocument {
    var document = self
    document.appInstanceUserId = nil
    document.userName = nil
    document.tags = nil
    document.expiration = nil
    document.metadata = nil
    return document
  }
}
