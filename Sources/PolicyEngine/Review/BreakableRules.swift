internal import ChimeIdentity
internal import Configuration
package import Primitives

/// The rules of a policy that some request which the service model allows could break.
package struct PolicyRules: Sendable {
  package let policy: Text
  /// In the order of `Rule`.
  package let rules: [Rule]
}

extension PolicySet {
  /// For each policy that is not `off`, what a test could make fail; the same in `warn` as in `enforce`.
  package var breakableRules: [PolicyRules] {
    policies.filter { $0.document.mode != .off }.map { policy in
      let most = mostTags(before: policy)
      let breakable = Set(Governance.allCases.flatMap { policy.breakable(as: $0, mostTags: most) })
      return PolicyRules(
        policy: policy.document.name.value, rules: Rule.allCases.filter(breakable.contains))
    } + tagPolicies.map { PolicyRules(policy: $0.document.name.value, rules: $0.breakable) }
  }

  /// How many tags a creation can have when the policy looks at it: all that the service takes, and those which are put
  /// in by this policy and by others that match such a request too.
  private func mostTags(before policy: CompiledPolicy) -> Int {
    let name = policy.document.name.value
    let adding = policies.filter { other in
      other.document.name.value == name
        || (other.document.mode == .enforce && other.governs(.createUser)
          && other.document.match.overlaps(policy.document.match))
    }
    let keys = adding.flatMap { PuttingPolicy($0.document).putTags.map(\.key.text) }
    return ModelLimits.tagCount.upperBound + Set(keys).count
  }
}

extension CompiledTagPolicy {
  fileprivate var breakable: [Rule] {
    (policy.reportedFor.isEmpty ? [] : [.tagsRequired]) + (policy.values == nil ? [] : [.tagsValue])
      + [.tagsKeyCase]
  }
}

extension CompiledPolicy {
  /// - Parameter mostTags: that a creation can have when the policy looks at it.
  fileprivate func breakable(as governance: Governance, mostTags: Int) -> [Rule] {
    guard governs(governance) else { return isConcerned(with: governance) ? [.tagsProtected] : [] }
    var rules: [Rule] = guards(governance) ? [.tagsProtected] : []
    if governance.checksUserID, let userID = document.appInstanceUserId {
      if userID.prefix != nil { rules.append(.userIDPrefix) }
      if !userID.pattern.isEmpty { rules.append(.userIDPattern) }
      if !userID.forbidden.isEmpty { rules.append(.userIDForbidden) }
      if userID.limitsLength(within: ModelLimits.userID) { rules.append(.userIDLength) }
    }
    if governance.checksName, let name = document.userName {
      if !name.pattern.isEmpty { rules.append(.namePattern) }
      if !name.forbidden.isEmpty { rules.append(.nameForbidden) }
      if name.limitsLength(within: ModelLimits.userName) { rules.append(.nameLength) }
      if name.trimmed { rules.append(.nameTrimmed) }
      if name.singleScript { rules.append(.nameSingleScript) }
    }
    if let tags = document.tags { rules += breakable(tags, as: governance, mostTags: mostTags) }
    if governance.checksExpiration, let expiration = document.expiration { rules += breakable(expiration) }
    if governance.checksMetadata, let metadata = document.metadata {
      // A scalar has up to four bytes.
      if let most = metadata.maxBytes?.value, most < 4 * ModelLimits.metadata.upperBound {
        rules.append(.metadataMaxBytes)
      }
      if metadata.format?.value == .json { rules.append(.metadataFormat) }
      if !metadata.forbidden.isEmpty { rules.append(.metadataForbidden) }
    }
    return rules
  }

  private func breakable(
    _ tags: PolicyDocument.TagRules, as governance: Governance, mostTags: Int
  ) -> [Rule] {
    var rules: [Rule] = []
    if governance == .createUser || governance == .tagUser {
      // On creation the caller's value gives way to one that is set.
      let free = tags.required.filter { governance == .tagUser || !isFixed($0.key.value, in: tags) }
      if free.contains(where: { $0.values != nil || $0.listed != nil }) { rules.append(.tagsValue) }
      if free.contains(where: { !$0.pattern.isEmpty }) { rules.append(.tagsPattern) }
      let keys = tags.required.map(\.key) + (governance == .createUser ? tags.set.map(\.key) : [])
      if keys.contains(where: { $0.value.hasOtherCase }) { rules.append(.tagsKeyCase) }
      if tags.allowedKeys != nil { rules.append(.tagsAllowedKeys) }
      if !tags.forbiddenKeys.isEmpty { rules.append(.tagsForbiddenKeys) }
    }
    switch governance {
    case .createUser:
      if canLack(tags) { rules.append(.tagsRequired) }
      let adds = !PuttingPolicy(document).putTags.isEmpty
      let limit = min(tags.maxCount?.value ?? .max, adds ? BoundPolicy.mostTags : .max)
      if limit < mostTags { rules.append(.tagsMaxCount) }
    case .tagUser, .untagUser, .updateUser, .putExpiration: break
    }
    return rules
  }

  /// Whether the tag has the same value in every request that is created, because the policy sets it. What contradicts
  /// that is an error in `enforce` alone.
  private func isFixed(_ key: Text, in tags: PolicyDocument.TagRules) -> Bool {
    document.mode == .enforce
      && tags.set.contains { $0.key.value == key && (try? Template($0.value.value))?.isConstant ?? false }
  }

  /// Whether a tag can be missing: one that the policy does not put in, or one whose value a tenant may not have.
  private func canLack(_ tags: PolicyDocument.TagRules) -> Bool {
    let put = PuttingPolicy(document).putTags
    return tags.required.contains { required in !put.contains { $0.key.text == required.key.value } }
      || put.contains { !((try? Template($0.value.value))?.labels ?? []).isEmpty }
  }

  private func breakable(_ expiration: PolicyDocument.ExpirationRules) -> [Rule] {
    var rules: [Rule] = []
    if expiration.required, expiration.defaultDays == nil { rules.append(.expirationRequired) }
    let possible = ModelLimits.expirationDays
    if let least = expiration.minDays, least.value > possible.lowerBound { rules.append(.expirationMinDays) }
    if let most = expiration.maxDays, most.value < possible.upperBound, expiration.onExcess == .deny {
      rules.append(.expirationMaxDays)
    }
    return rules
  }
}

extension PolicyDocument.StringRules {
  /// Whether they ask for more than the service does.
  fileprivate func limitsLength(within range: ClosedRange<Int>) -> Bool {
    (minLength?.value ?? 0) > range.lowerBound || (maxLength?.value ?? .max) < range.upperBound
  }
}
