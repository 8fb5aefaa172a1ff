/// Section 7: what is checked of a request.
extension ReferenceEvaluator {
  func check(_ part: PlainPart, _ request: PlainRequest, _ asked: PlainRequest) -> [Finding] {
    let policy = part.policy
    var broken: [String] = []
    if applies(policy, request, asked) {
      switch request.operation {
      case "CreateAppInstanceUser":
        broken += checkString(
          policy.userID, request.userID, "appInstanceUserId", "AppInstanceUserId", request)
        broken += checkString(policy.userName, request.name, "name", "Name", request)
        broken += checkMissingTags(policy, request) + checkGivenTags(part, request)
        broken += checkDays(policy, request) + checkMetadata(policy, request)
      case "UpdateAppInstanceUser":
        broken += checkString(policy.userName, request.name, "name", "Name", request)
        broken += checkMetadata(policy, request)
      case "PutAppInstanceUserExpirationSettings":
        broken += checkDays(policy, request)
      case "TagResource":
        broken += checkGivenTags(part, request)
      default:
        break
      }
    }
    if concerns(policy.match, request) { broken += checkProtection(part, request, asked) }
    return broken.map { line in
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      return Finding(policy: policy.name, rule: words[0], field: words[1])
    }
  }

  private func checkProtection(_ part: PlainPart, _ request: PlainRequest, _ asked: PlainRequest) -> [String]
  {
    let policy = part.policy
    let touched: [String]
    switch request.operation {
    case "TagResource": touched = request.tags.map(\.key)
    case "UntagResource": touched = request.tagKeys
    default: return []
    }
    var protected = policy.set.compactMap { resolve($0.key, request) }
    if part.isStrongest {
      protected += (policy.when?.keys ?? []).filter { key in
        !policy.mutable.contains { same($0, key) }
      }
    }
    if request.operation == "UntagResource", holds(policy.when, asked) {
      protected += policy.required.compactMap { resolve($0.key, request) }
    }
    return touched.filter { key in protected.contains { sameIgnoringCase($0, key) } }
      .map { "tags.protected Tags.\($0)" }
  }

  private func checkString(
    _ rules: PlainPolicy.Strings, _ value: String, _ id: String, _ field: String, _ request: PlainRequest
  ) -> [String] {
    var broken: [String] = []
    if let prefix = rules.prefix {
      let start = resolve(prefix, request)
      if start == nil || !value.utf8.starts(with: (start ?? "").utf8) { broken.append("prefix") }
    }
    if let pattern = rules.pattern, !matchesWhole(pattern, value, request) { broken.append("pattern") }
    if isForbidden(value, rules.forbiddenFrom) { broken.append("forbidden") }
    for pattern in rules.forbidden where occurs(pattern, value, request) { broken.append("forbidden") }
    let length = value.unicodeScalars.count
    if length < rules.minLength ?? 0 || length > rules.maxLength ?? .max { broken.append("length") }
    if rules.trimmed, value.hasPrefix(" ") || value.hasSuffix(" ") { broken.append("trimmed") }
    if rules.singleScript, !isOfOneScript(value) { broken.append("singleScript") }
    return broken.map { "\(id).\($0) \(field)" }
  }

  /// One whose template cannot be worked out breaks its rule: it matches nothing, and is found everywhere.
  private func matchesWhole(_ pattern: PlainPattern, _ value: String, _ request: PlainRequest) -> Bool {
    guard let part = resolve(pattern.template ?? "", request) else { return false }
    return pattern.matchesWhole(Array(value.utf8), Array(part.utf8))
  }

  private func occurs(_ pattern: PlainPattern, _ value: String, _ request: PlainRequest) -> Bool {
    guard let part = resolve(pattern.template ?? "", request) else { return true }
    return pattern.occurs(Array(value.utf8), Array(part.utf8))
  }

  private func isForbidden(_ value: String, _ list: PlainLines?) -> Bool {
    guard let list else { return false }
    return list.texts.contains { PlainPattern.holds(Array(value.utf8), Array($0.utf8)) }
  }

  private func checkMissingTags(_ policy: PlainPolicy, _ request: PlainRequest) -> [String] {
    var broken: [String] = []
    for tag in policy.required {
      let key = resolve(tag.key, request)
      guard let key, request.tags.contains(where: { sameIgnoringCase($0.key, key) }) else {
        broken.append("tags.required Tags.\(key ?? tag.key)")
        continue
      }
    }
    for (template, value) in policy.set {
      let key = resolve(template, request)
      if key == nil || tagValue(value, request) == nil {
        broken.append("tags.required Tags.\(key ?? template)")
      }
    }
    let mayAdd = !policy.set.isEmpty || policy.required.contains { $0.standard != nil }
    if request.tags.count > min(policy.maxCount ?? .max, mayAdd ? 50 : .max) {
      broken.append("tags.maxCount Tags")
    }
    return broken
  }

  private func checkGivenTags(_ part: PlainPart, _ request: PlainRequest) -> [String] {
    let policy = part.policy
    let required = policy.required.compactMap { tag in resolve(tag.key, request).map { (key: $0, tag: tag) } }
    let requiredElsewhere = part.keysRequiredElsewhere.compactMap { resolve($0, request) }
    let set = policy.set.compactMap { resolve($0.key, request) }
    var broken: [String] = []
    for (key, value) in request.tags {
      let field = "Tags.\(key)"
      let exact = required.filter { same($0.key, key) }
      let alike = required.first { sameIgnoringCase($0.key, key) }
      let isRequired = !exact.isEmpty || requiredElsewhere.contains { same($0, key) }
      let isSet = set.contains { same($0, key) }
      let looksSet =
        request.operation == "CreateAppInstanceUser" && set.contains { sameIgnoringCase($0, key) }
      if !isRequired && (alike != nil || (looksSet && !isSet)) { broken.append("tags.keyCase \(field)") }
      if let allowed = policy.allowedKeys, !isSet, !isAllowed(key, allowed, request) {
        broken.append("tags.allowedKeys \(field)")
      }
      if policy.forbiddenKeys.contains(where: { globIgnoringCase($0, key) }) {
        broken.append("tags.forbiddenKeys \(field)")
      }
      for (_, tag) in isRequired ? exact : [alike].compactMap(\.self) {
        if !isAccepted(value, tag, request) { broken.append("tags.value \(field)") }
        if let pattern = tag.pattern, !matchesWhole(pattern, value, request) {
          broken.append("tags.pattern \(field)")
        }
      }
    }
    return broken
  }

  private func isAccepted(_ value: String, _ tag: PlainPolicy.Required, _ request: PlainRequest) -> Bool {
    guard tag.values != nil || tag.valuesFrom != nil else { return true }
    // In a glob what is put in stands for itself.
    let globs = (tag.values ?? []).map { resolve($0, request, escaping: true) }
    guard !globs.contains(nil) else { return false }
    return globs.compactMap(\.self).contains { glob($0, value) }
      || tag.valuesFrom?.texts.contains { same($0, value) } ?? false
  }

  private func isAllowed(_ key: String, _ allowed: [String], _ request: PlainRequest) -> Bool {
    let globs = allowed.map { resolve($0, request, escaping: true) }
    return !globs.contains(nil) && globs.compactMap(\.self).contains { glob($0, key) }
  }

  private func checkDays(_ policy: PlainPolicy, _ request: PlainRequest) -> [String] {
    guard let days = request.days else {
      return policy.expirationRequired ? ["expiration.required ExpirationSettings"] : []
    }
    var broken: [String] = []
    if days < policy.minDays ?? 0 { broken.append("expiration.minDays ExpirationSettings.ExpirationDays") }
    if days > policy.maxDays ?? .max { broken.append("expiration.maxDays ExpirationSettings.ExpirationDays") }
    return broken
  }

  private func checkMetadata(_ policy: PlainPolicy, _ request: PlainRequest) -> [String] {
    guard let metadata = request.metadata else { return [] }
    var broken: [String] = []
    if metadata.utf8.count > policy.maxBytes ?? .max { broken.append("metadata.maxBytes Metadata") }
    if policy.metadataIsJSON, !PlainRequest.jsonTexts.contains(where: { same($0, metadata) }) {
      broken.append("metadata.format Metadata")
    }
    if isForbidden(metadata, policy.metadataForbiddenFrom) { broken.append("metadata.forbidden Metadata") }
    for pattern in policy.metadataForbidden where occurs(pattern, metadata, request) {
      broken.append("metadata.forbidden Metadata")
    }
    return broken
  }

  func check(_ policy: PlainTagPolicy, _ request: PlainRequest, _ verdict: inout Verdict) {
    guard carriesTags(request) else { return }
    // All resources that these cases tag are users.
    let isEnforced = policy.enforcedFor.contains { ["app-instance-user", "*"].contains($0) }
    let name = "tag-policy:\(policy.key)"
    for (key, value) in request.tags where sameIgnoringCase(key, policy.key) {
      var rules: [String] = []
      if !same(key, policy.key) { rules.append("tags.keyCase") }
      if let values = policy.values, !values.contains(where: { glob($0, value) }) {
        rules.append("tags.value")
      }
      let broken = rules.map { Finding(policy: name, rule: $0, field: "Tags.\(key)") }
      if isEnforced { verdict.violations += broken } else { verdict.warnings += broken }
    }
    if policy.isReportedForUsers, request.operation == "CreateAppInstanceUser",
      !request.tags.contains(where: { sameIgnoringCase($0.key, policy.key) })
    {
      verdict.warnings.append(Finding(policy: name, rule: "tags.required", field: "Tags.\(policy.key)"))
    }
  }
}

extension PlainLines {
  /// Those of its lines that count.
  var texts: [String] {
    lines.filter { line in
      !line.utf8.starts(with: "#".utf8) && !line.utf8.allSatisfy { [0x20, 0x09].contains($0) }
    }
  }
}
