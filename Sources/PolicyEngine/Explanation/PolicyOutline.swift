package import Configuration
internal import Patterns
internal import Primitives

/// What a policy asks for, for people who look at it and not at its file.
package struct RuleOutline: Sendable, Hashable {
  /// `name`, `tags.required CostCenter`
  package let subject: String
  /// `one of 4711, 48*`
  package let says: String
  /// The weakest of the rule's, its group's and the policy's.
  package let mode: PolicyDocument.Mode
}

extension PolicyDocument {
  /// Its rules, in the order of the request's members.
  package var outline: [RuleOutline] {
    var rules: [RuleOutline] = []
    func add(_ subject: String, _ header: RuleHeader?, in group: RuleHeader? = nil, _ parts: [String]) {
      guard !parts.isEmpty else { return }
      rules.append(
        RuleOutline(
          subject: subject, says: parts.joined(separator: "; "),
          mode: Mode.weakest(header?.mode?.value, group?.mode?.value, mode)))
    }
    add("appInstanceUserId", appInstanceUserId?.header, appInstanceUserId?.outline ?? [])
    add("name", userName?.header, userName?.outline ?? [])
    for tag in tags?.required ?? [] {
      add("tag \(MessageText.shown(tag.key.value))", tag.header, in: tags?.header, tag.outline)
    }
    add("tags", tags?.header, tags?.outline ?? [])
    add("expiration", expiration?.header, expiration?.outline ?? [])
    add("metadata", metadata?.header, metadata?.outline ?? [])
    if let tagPolicy { add("tag \(MessageText.shown(tagPolicy.key))", nil, tagPolicy.outline) }
    return rules
  }
}

extension PolicyDocument.StringRules {
  fileprivate var outline: [String] {
    var parts: [String] = []
    if let prefix { parts.append("begins with `\(MessageText.shown(prefix.value))`") }
    parts += pattern.outline
    if minLength != nil || maxLength != nil {
      parts.append(MessageText.range(minLength?.value, maxLength?.value, "character"))
    }
    if trimmed { parts.append("no space at either end") }
    if singleScript { parts.append("letters of one script") }
    parts += forbidden.outline
    return parts
  }
}

extension PolicyDocument.RequiredTag {
  fileprivate var outline: [String] {
    var parts = ["required"]
    if let accepted = acceptedOutline { parts.append("one of \(accepted)") }
    parts += pattern.outline
    if let defaultValue { parts.append("`\(MessageText.shown(defaultValue.value))` when it is missing") }
    return parts
  }
}

extension PolicyDocument.RequiredTag {
  /// The values listed, and the file that lists more.
  private var acceptedOutline: String? {
    let listed = values.map { MessageText.list($0.map { MessageText.shown($0.value) }) }
    let parts = [listed, self.listed.map(\.outline)].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: " or ")
  }
}

extension PolicyDocument.PatternRule {
  fileprivate var outline: [String] {
    let source = whole?.value.source ?? template?.value.source.string
    return source.map { ["matches `\(MessageText.shown(pattern: $0))`"] } ?? []
  }
}

extension PolicyDocument.ForbiddenRule {
  fileprivate var outline: [String] {
    let sources = patterns.map(\.value.source) + templates.map(\.value.source.string)
    let written = sources.isEmpty ? nil : MessageText.list(sources.map { MessageText.shown(pattern: $0) })
    return [written, lines.map(\.outline)].compactMap(\.self).map { "not \($0)" }
  }
}

extension ValueFile {
  /// As messages name what stands in it.
  var outline: String { "the lines of `\(MessageText.shown(Text(name)))`" }
}

extension PolicyDocument.TagRules {
  fileprivate var outline: [String] {
    var parts = set.map {
      "sets \(MessageText.shown($0.key.value)) to `\(MessageText.shown($0.value.value))`"
    }
    if let allowedKeys { parts.append("no keys but \(MessageText.list(allowedKeys))") }
    if !forbiddenKeys.isEmpty { parts.append("not \(MessageText.list(forbiddenKeys))") }
    if let maxCount { parts.append("at most \(MessageText.count(maxCount.value, "tag"))") }
    return parts
  }
}

extension PolicyDocument.ExpirationRules {
  fileprivate var outline: [String] {
    var parts: [String] = required ? ["required"] : []
    if minDays != nil || maxDays != nil {
      parts.append(MessageText.range(minDays?.value, maxDays?.value, "day"))
    }
    if onExcess == .clamp { parts.append("more is lowered") }
    if let defaultDays { parts.append("\(MessageText.count(defaultDays.value, "day")) when it is missing") }
    return parts
  }
}

extension PolicyDocument.MetadataRules {
  fileprivate var outline: [String] {
    var parts: [String] = []
    if let maxBytes { parts.append("at most \(MessageText.count(maxBytes.value, "byte"))") }
    if format?.value == .json { parts.append("JSON") }
    parts += forbidden.outline
    return parts
  }
}

extension PolicyDocument.TagPolicy {
  fileprivate var outline: [String] {
    ["written exactly so"]
      + (values.map { $0.isEmpty ? ["no value at all"] : ["one of \(MessageText.list($0))"] } ?? [])
  }
}

extension PolicyDocument.When {
  /// One line: `tags.DataClass is restricted* and not (name matches x)`.
  package var outline: String {
    switch self {
    case .all(let parts): parts.map(\.inner).joined(separator: " and ")
    case .any(let parts): parts.map(\.inner).joined(separator: " or ")
    case .not(let part): "not \(part.inner)"
    case .condition(let field, let test): "\(MessageText.shown(Text(field.name))) \(test.outline)"
    }
  }

  private var inner: String {
    if case .condition = self { outline } else { "(\(outline))" }
  }
}

extension PolicyDocument.When.Test {
  fileprivate var outline: String {
    switch self {
    case .globs(let globs): "is \(MessageText.list(globs))"
    case .pattern(let pattern): "matches `\(MessageText.shown(pattern: pattern.source))`"
    case .range(let least, let most): "is \(MessageText.range(least, most, "day"))"
    case .present(let isPresent): isPresent ? "is present" : "is absent"
    }
  }
}
