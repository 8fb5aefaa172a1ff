internal import Configuration
package import Primitives

/// The rules of a policy that some request which the service model allows could break.
package struct PolicyRules: Sendable {
  package let policy: Text
  /// In the order of `Rule`.
  package let rules: [Rule]
}

extension PolicySet {
  /// For each policy that is not `off`, what a test could make fail. A `warn` policy's rules also count when the
  /// policy can only report what it would change.
  package var breakableRules: [PolicyRules] {
    policies.filter { $0.document.mode != .off }.map { policy in
      let breakable = Set(Governance.allCases.flatMap { policy.breakable(as: $0) })
      return PolicyRules(
        policy: policy.document.name.value, rules: Rule.allCases.filter(breakable.contains))
    } + tagPolicies.map { PolicyRules(policy: $0.document.name.value, rules: $0.breakable) }
  }
}

extension CompiledTagPolicy {
  fileprivate var breakable: [Rule] {
    (policy.reportedFor.isEmpty ? [] : [.tagsRequired]) + (policy.values == nil ? [] : [.tagsValue])
      + [.tagsKeyCase]
  }
}

extension CompiledPolicy {
  fileprivate func breakable(as governance: Governance) -> [Rule] {
    guard governs(governance) else { return isConcerned(with: governance) ? [.tagsProtected] : [] }
    var rules: [Rule] = []
    if governance.checksUserID, let userID = document.appInstanceUserId {
      if userID.prefix != nil { rules.append(.userIDPrefix) }
      if userID.pattern != nil { rules.append(.userIDPattern) }
      if !userID.forbidden.isEmpty { rules.append(.userIDForbidden) }
      if userID.limitsLength(within: 1...64) { rules.append(.userIDLength) }
    }
    if governance.checksName, let name = document.userName {
      if name.pattern != nil { rules.append(.namePattern) }
      if !name.forbidden.isEmpty { rules.append(.nameForbidden) }
      if name.limitsLength(within: 1...100) { rules.append(.nameLength) }
      if name.trimmed { rules.append(.nameTrimmed) }
      if name.singleScript { rules.append(.nameSingleScript) }
    }
    if let tags = document.tags { rules += breakable(tags, as: governance) }
    if governance.checksExpiration, let expiration = document.expiration { rules += breakable(expiration) }
    if governance.checksMetadata, let metadata = document.metadata {
      if metadata.maxBytes != nil { rules.append(.metadataMaxBytes) }
      if metadata.format?.value == .json { rules.append(.metadataFormat) }
      if !metadata.forbidden.isEmpty { rules.append(.metadataForbidden) }
    }
    return rules
  }

  private func breakable(_ tags: PolicyDocument.TagRules, as governance: Governance) -> [Rule] {
    var rules: [Rule] = []
    if governance == .createUser || governance == .tagUser {
      if tags.required.contains(where: { $0.values != nil }) { rules.append(.tagsValue) }
      if tags.required.contains(where: { $0.pattern != nil }) { rules.append(.tagsPattern) }
      if !tags.required.isEmpty { rules.append(.tagsKeyCase) }
      if tags.allowedKeys != nil { rules.append(.tagsAllowedKeys) }
      if !tags.forbiddenKeys.isEmpty { rules.append(.tagsForbiddenKeys) }
    }
    switch governance {
    case .createUser:
      if canLack(tags) { rules.append(.tagsRequired) }
      if tags.maxCount != nil { rules.append(.tagsMaxCount) }
    case .tagUser:
      if !tags.set.isEmpty { rules.append(.tagsProtected) }
    case .untagUser:
      if !tags.set.isEmpty || !tags.required.isEmpty { rules.append(.tagsProtected) }
    case .updateUser, .putExpiration: break
    }
    return rules
  }

  /// Whether a tag can be missing: one without a default, or one whose value a tenant may not have.
  private func canLack(_ tags: PolicyDocument.TagRules) -> Bool {
    if document.mode == .warn, !tags.set.isEmpty { return true }
    let given = tags.set.map(\.value) + tags.required.compactMap(\.defaultValue)
    return tags.required.contains { $0.defaultValue == nil || document.mode == .warn }
      || given.contains { $0.value.string.contains("${tenant.labels.") }
  }

  private func breakable(_ expiration: PolicyDocument.ExpirationRules) -> [Rule] {
    let isWarning = document.mode == .warn
    var rules: [Rule] = []
    if isWarning
      ? expiration.required || expiration.defaultDays != nil
      : expiration.required && expiration.defaultDays == nil
    {
      rules.append(.expirationRequired)
    }
    // The service takes 1 to 5475 days.
    if let least = expiration.minDays, least.value > 1 { rules.append(.expirationMinDays) }
    if let most = expiration.maxDays, most.value < 5475, isWarning || expiration.onExcess == .deny {
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
