import Primitives

/// The policy guide's rules, one after the other, as slowly and plainly as they can be written down.
struct ReferenceEvaluator {
  let policies: [PlainPolicy]
  let tagPolicies: [PlainTagPolicy]
  let tenant: PlainTenant

  private(set) var violations: [String] = []
  private(set) var warnings: [String] = []
  private(set) var wouldChange: [String] = []
  private(set) var changes: [Text: String] = [:]

  init(_ policies: [PlainPolicy], _ tenant: PlainTenant, _ tagPolicies: [PlainTagPolicy] = []) {
    self.tagPolicies = tagPolicies
    self.policies = policies.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    self.tenant = tenant
  }

  mutating func evaluate(_ original: PlainRequest) -> PlainRequest {
    var request = original
    let enforced = policies.filter { $0.mode == "enforce" }
    // No change makes a policy apply that did not, or the other way round.
    let applying = enforced.filter { applies($0, original) }
    for policy in applying { _ = fill(policy, &request) }
    for policy in applying { _ = clamp(policy, &request) }
    changes = difference(original, request)
    for policy in enforced { violations += check(policy, request) }
    for policy in policies where policy.mode == "warn" {
      var copy = request
      if applies(policy, copy) { wouldChange += fill(policy, &copy) + clamp(policy, &copy) }
      warnings += check(policy, copy)
    }
    for policy in tagPolicies { check(policy, request) }
    return request
  }

  private mutating func check(_ policy: PlainTagPolicy, _ request: PlainRequest) {
    guard request.operation == "CreateAppInstanceUser" || request.operation == "TagResource" else { return }
    // All resources that these cases tag are users.
    let isEnforced = policy.enforcedFor.contains { ["app-instance-user", "*"].contains($0) }
    let name = "tag-policy:\(policy.key)"
    for (key, value) in request.tags where sameIgnoringCase(key, policy.key) {
      var broken: [String] = []
      if !same(key, policy.key) { broken.append("\(name) tags.keyCase Tags.\(key)") }
      if let values = policy.values, !values.contains(where: { glob($0, value) }) {
        broken.append("\(name) tags.value Tags.\(key)")
      }
      if isEnforced { violations += broken } else { warnings += broken }
    }
    if policy.isReportedForUsers, request.operation == "CreateAppInstanceUser",
      !request.tags.contains(where: { sameIgnoringCase($0.key, policy.key) })
    {
      warnings.append("\(name) tags.required Tags.\(policy.key)")
    }
  }

  private func applies(_ policy: PlainPolicy, _ request: PlainRequest) -> Bool {
    (policy.operations.map { $0.contains { glob($0, request.operation) } } ?? true)
      && concerns(policy, request)
  }

  /// Tenant and AppInstance match, whatever the operation.
  private func concerns(_ policy: PlainPolicy, _ request: PlainRequest) -> Bool {
    (policy.tenants.map { $0.contains { glob($0, tenant.id) } } ?? true)
      && (policy.appInstances.map { $0.contains { glob($0, request.appInstance) } } ?? true)
  }

  private func fill(_ policy: PlainPolicy, _ request: inout PlainRequest) -> [String] {
    var report: [String] = []
    if request.operation == "CreateAppInstanceUser" {
      for tag in policy.required {
        guard let standard = tag.standard,
          !request.tags.contains(where: { sameIgnoringCase($0.key, tag.key) }),
          let value = tagValue(standard, request)
        else { continue }
        request.tags.append((tag.key, value))
        report.append("\(policy.name) tags.required Tags.\(tag.key)")
      }
      for (key, template) in policy.set {
        guard let value = tagValue(template, request) else { continue }
        if let index = request.tags.firstIndex(where: { same($0.key, key) }) {
          guard !same(request.tags[index].value, value) else { continue }
          request.tags[index].value = value
        } else {
          request.tags.append((key, value))
        }
        report.append("\(policy.name) tags.required Tags.\(key)")
      }
    }
    if checksDays(request), request.days == nil, let days = policy.defaultDays {
      request.days = days
      report.append("\(policy.name) expiration.required ExpirationSettings.ExpirationDays")
    }
    return report
  }

  private func clamp(_ policy: PlainPolicy, _ request: inout PlainRequest) -> [String] {
    guard checksDays(request), policy.clamps, let most = policy.maxDays, let days = request.days, days > most
    else { return [] }
    request.days = most
    return ["\(policy.name) expiration.maxDays ExpirationSettings.ExpirationDays"]
  }

  private func checksDays(_ request: PlainRequest) -> Bool {
    ["CreateAppInstanceUser", "PutAppInstanceUserExpirationSettings"].contains(request.operation)
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

  private func check(_ policy: PlainPolicy, _ request: PlainRequest) -> [String] {
    var broken: [String] = []
    if applies(policy, request) {
      switch request.operation {
      case "CreateAppInstanceUser":
        broken += checkString(
          policy.userID, request.userID, "appInstanceUserId", "AppInstanceUserId", request)
        broken += checkString(policy.userName, request.name, "name", "Name", request)
        broken += checkMissingTags(policy, request) + checkGivenTags(policy, request)
        let most = min(
          policy.maxCount ?? .max,
          policy.set.isEmpty && policy.required.allSatisfy { $0.standard == nil } ? .max : 50)
        if request.tags.count > most { broken.append("tags.maxCount Tags") }
        broken += checkDays(policy, request) + checkMetadata(policy, request)
      case "UpdateAppInstanceUser":
        broken += checkString(policy.userName, request.name, "name", "Name", request)
        broken += checkMetadata(policy, request)
      case "PutAppInstanceUserExpirationSettings":
        broken += checkDays(policy, request)
      case "TagResource":
        broken += checkGivenTags(policy, request)
      default:
        break
      }
    }
    if request.operation == "TagResource", concerns(policy, request) {
      for tag in request.tags where policy.set.contains(where: { sameIgnoringCase($0.key, tag.key) }) {
        broken.append("tags.protected Tags.\(tag.key)")
      }
    }
    if request.operation == "UntagResource", concerns(policy, request) {
      for key in request.tagKeys
      where policy.set.contains(where: { sameIgnoringCase($0.key, key) })
        || policy.required.contains(where: { sameIgnoringCase($0.key, key) })
      {
        broken.append("tags.protected Tags.\(key)")
      }
    }
    return broken.map { "\(policy.name) \($0)" }
  }

  private func checkString(
    _ rules: PlainPolicy.Strings, _ value: String, _ id: String, _ field: String, _ request: PlainRequest
  ) -> [String] {
    var broken: [String] = []
    if let prefix = rules.prefix {
      let start = resolve(prefix, request)
      if start == nil || !value.utf8.starts(with: (start ?? "").utf8) { broken.append("prefix") }
    }
    if let pattern = rules.pattern, !pattern.matchesWhole(Array(value.utf8)) { broken.append("pattern") }
    for pattern in rules.forbidden where pattern.occurs(Array(value.utf8)) { broken.append("forbidden") }
    let length = value.unicodeScalars.count
    if length < rules.minLength ?? 0 || length > rules.maxLength ?? .max { broken.append("length") }
    if rules.trimmed, value.hasPrefix(" ") || value.hasSuffix(" ") { broken.append("trimmed") }
    if rules.singleScript, !isOfOneScript(value) { broken.append("singleScript") }
    return broken.map { "\(id).\($0) \(field)" }
  }

  private func checkMissingTags(_ policy: PlainPolicy, _ request: PlainRequest) -> [String] {
    var broken: [String] = []
    for tag in policy.required where !request.tags.contains(where: { sameIgnoringCase($0.key, tag.key) }) {
      broken.append("tags.required Tags.\(tag.key)")
    }
    for (key, template) in policy.set where tagValue(template, request) == nil {
      broken.append("tags.required Tags.\(key)")
    }
    return broken
  }

  private func checkGivenTags(_ policy: PlainPolicy, _ request: PlainRequest) -> [String] {
    var broken: [String] = []
    for (key, value) in request.tags {
      let field = "Tags.\(key)"
      let isRequired = policy.required.contains { same($0.key, key) }
      let isSet = policy.set.contains { same($0.key, key) }
      let looksRequired = policy.required.contains { sameIgnoringCase($0.key, key) }
      let looksSet = policy.set.contains { sameIgnoringCase($0.key, key) }
      let isCreation = request.operation == "CreateAppInstanceUser"
      if !isRequired && (looksRequired || (isCreation && looksSet && !isSet)) {
        broken.append("tags.keyCase \(field)")
      }
      if let allowed = policy.allowedKeys, !policy.set.contains(where: { same($0.key, key) }),
        !allowed.contains(where: { glob($0, key) })
      {
        broken.append("tags.allowedKeys \(field)")
      }
      if policy.forbiddenKeys.contains(where: { globIgnoringCase($0, key) }) {
        broken.append("tags.forbiddenKeys \(field)")
      }
      let exact = policy.required.filter { same($0.key, key) }
      let alike = policy.required.first { sameIgnoringCase($0.key, key) }
      for tag in exact.isEmpty ? [alike].compactMap(\.self) : exact {
        if let values = tag.values, !isListed(value, values, request) { broken.append("tags.value \(field)") }
        if let pattern = tag.pattern, !pattern.matchesWhole(Array(value.utf8)) {
          broken.append("tags.pattern \(field)")
        }
      }
    }
    return broken
  }

  private func isListed(_ value: String, _ templates: [String], _ request: PlainRequest) -> Bool {
    var isListed = false
    for template in templates {
      // In a glob what is put in stands for itself, so its wildcards are set apart first.
      guard let pattern = resolve(template, request, escaping: true) else { return false }
      if glob(pattern, value) { isListed = true }
    }
    return isListed
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
    for pattern in policy.metadataForbidden where pattern.occurs(Array(metadata.utf8)) {
      broken.append("metadata.forbidden Metadata")
    }
    return broken
  }
}

extension ReferenceEvaluator {
  private func tagValue(_ template: String, _ request: PlainRequest) -> String? {
    resolve(template, request).flatMap { (1...256).contains($0.unicodeScalars.count) ? $0 : nil }
  }

  private func resolve(
    _ template: String, _ request: PlainRequest, escaping: Bool = false
  ) -> String? {
    var result = ""
    var rest = template[...]
    while let start = rest.range(of: "${") {
      result += rest[..<start.lowerBound]
      guard let end = rest.range(of: "}") else { return nil }
      let name = String(rest[start.upperBound..<end.lowerBound])
      let value: String? =
        switch name {
        case "tenant.id": tenant.id
        case "request.appInstanceId": request.appInstance.split(separator: "/").last.map(String.init)
        default: tenant.labels[String(name.dropFirst("tenant.labels.".count))]
        }
      guard let value else { return nil }
      result += escaping ? value.map { "*?".contains($0) ? "\\\($0)" : "\($0)" }.joined() : value
      rest = rest[end.upperBound...]
    }
    return result + rest
  }

  /// By the blocks from which the generator takes its letters: UTS #39 section 5.1 for these few.
  private func isOfOneScript(_ text: String) -> Bool {
    var possible: Set<String> = ["Latin", "Greek", "Cyrillic", "Japanese", "Korean"]
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x41...0x5A, 0x61...0x7A, 0xC0...0x24F: possible.formIntersection(["Latin"])
      case 0x391...0x3C9: possible.formIntersection(["Greek"])
      case 0x400...0x45F: possible.formIntersection(["Cyrillic"])
      case 0x3041...0x3096: possible.formIntersection(["Japanese"])
      case 0x4E00...0x9FFF: possible.formIntersection(["Japanese", "Korean"])
      case 0xAC00...0xD7A3: possible.formIntersection(["Korean"])
      default: break
      }
    }
    return !possible.isEmpty
  }

  private func same(_ one: String, _ other: String) -> Bool { Array(one.utf8) == Array(other.utf8) }

  private func sameIgnoringCase(_ one: String, _ other: String) -> Bool {
    same(one.uppercased().lowercased(), other.uppercased().lowercased())
  }

  private func globIgnoringCase(_ pattern: String, _ text: String) -> Bool {
    glob(pattern, text) || glob(pattern.uppercased().lowercased(), text.uppercased().lowercased())
  }

  private func glob(_ pattern: String, _ text: String) -> Bool {
    glob(Array(pattern.unicodeScalars), 0, Array(text.unicodeScalars), 0)
  }

  /// What is left of the pattern against what is left of the text. By places, since slices cost most of a debug build's
  /// time.
  private func glob(
    _ pattern: [Unicode.Scalar], _ place: Int, _ text: [Unicode.Scalar], _ index: Int
  ) -> Bool {
    if place == pattern.count { return index == text.count }
    switch pattern[place] {
    case "*":
      return glob(pattern, place + 1, text, index)
        || (index < text.count && glob(pattern, place, text, index + 1))
    case "?":
      return index < text.count && glob(pattern, place + 1, text, index + 1)
    case "\\":
      return index < text.count && place + 1 < pattern.count && text[index] == pattern[place + 1]
        && glob(pattern, place + 2, text, index + 1)
    default:
      return index < text.count && text[index] == pattern[place] && glob(pattern, place + 1, text, index + 1)
    }
  }
}

extension Substring {
  /// Where `text` first stands.
  fileprivate func range(of text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
