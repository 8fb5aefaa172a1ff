import Primitives
import StrictJSON

/// Policies and exceptions as the files that the loader reads.
extension PlainPolicy {
  /// The file of the policy.
  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.write("policy", name)
    writer.write("mode", mode)
    writer.write("match", match)
    if let when { writer.write("when", when) }
    if !mutable.isEmpty { writer.write("mutable", mutable) }
    writer.key("rules")
    writer.beginObject()
    if userID.saysSomething { writer.write("appInstanceUserId", userID, isName: false) }
    if userName.saysSomething { writer.write("name", userName, isName: true) }
    if saysSomethingOfTags { writeTags(to: &writer) }
    if saysSomethingOfDays { writeDays(to: &writer) }
    if saysSomethingOfMetadata { writeMetadata(to: &writer) }
    writer.endObject()
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// The files of texts that it names.
  var lists: [PlainLines] {
    [userID.forbiddenFrom, userName.forbiddenFrom, metadataForbiddenFrom].compactMap(\.self)
      + required.compactMap(\.valuesFrom)
  }

  private func writeTags(to writer: inout JSONWriter) {
    writer.key("tags")
    writer.beginObject()
    writer.key("required")
    writer.beginArray()
    for tag in required {
      writer.beginObject()
      writer.write("key", tag.key)
      writer.write("values", tag.values)
      writer.write("valuesFrom", tag.valuesFrom?.file)
      writer.write("pattern", tag.pattern?.source)
      writer.write("default", tag.standard)
      writer.write("mode", tag.mode)
      writer.endObject()
    }
    writer.endArray()
    writer.write("allowedKeys", allowedKeys)
    writer.write("forbiddenKeys", forbiddenKeys)
    writer.write("maxCount", maxCount)
    writer.key("set")
    writer.beginObject()
    for (key, value) in set {
      writer.key(text: Text(key))
      writer.string(value)
    }
    writer.endObject()
    writer.write("mode", tagsMode)
    writer.endObject()
  }

  private func writeDays(to writer: inout JSONWriter) {
    writer.key("expiration")
    writer.beginObject()
    writer.key("required")
    writer.boolean(expirationRequired)
    writer.write("minDays", minDays)
    writer.write("maxDays", maxDays)
    writer.write("defaultDays", defaultDays)
    writer.write("onExcess", clamps ? "clamp" : "deny")
    writer.write("mode", expirationMode)
    writer.endObject()
  }

  private func writeMetadata(to writer: inout JSONWriter) {
    writer.key("metadata")
    writer.beginObject()
    writer.write("maxBytes", maxBytes)
    writer.write("forbidden", metadataForbidden.map(\.source))
    writer.write("forbiddenFrom", metadataForbiddenFrom?.file)
    writer.write("format", metadataIsJSON ? "json" : nil)
    writer.write("mode", metadataMode)
    writer.endObject()
  }
}

extension PlainException {
  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.write("exception", name)
    writer.write("reason", "they are moving")
    writer.write("until", until)
    writer.write("policies", policies)
    writer.write("rules", rules)
    writer.write("match", match)
    if let when { writer.write("when", when) }
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

extension PlainTagPolicy {
  static func json(_ policies: [PlainTagPolicy]) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("tags")
    writer.beginObject()
    for policy in policies {
      writer.key(text: Text(policy.key))
      writer.beginObject()
      writer.assign("tag_key") { $0.string(policy.key) }
      if let values = policy.values { writer.assign("tag_value") { $0.strings(values) } }
      if !policy.enforcedFor.isEmpty {
        writer.assign("enforced_for") { $0.strings(policy.enforcedFor.map { "chime:\($0)" }) }
      }
      if policy.isReportedForUsers {
        writer.assign("report_required_tag_for") { $0.strings(["chime:app-instance-user"]) }
      }
      writer.endObject()
    }
    writer.endObject()
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

extension JSONWriter {
  fileprivate mutating func write(_ name: StaticString, _ value: String?) {
    guard let value else { return }
    key(name)
    string(value)
  }

  fileprivate mutating func write(_ name: StaticString, _ value: Int?) {
    guard let value else { return }
    key(name)
    integer(value)
  }

  fileprivate mutating func write(_ name: StaticString, _ values: [String]?) {
    guard let values else { return }
    key(name)
    strings(values)
  }

  fileprivate mutating func strings(_ values: [String]) {
    beginArray()
    for value in values { string(value) }
    endArray()
  }

  fileprivate mutating func assign(_ name: StaticString, _ value: (inout JSONWriter) -> Void) {
    key(name)
    beginObject()
    key("@@assign")
    value(&self)
    endObject()
  }

  fileprivate mutating func write(_ name: StaticString, _ rules: PlainPolicy.Strings, isName: Bool) {
    key(name)
    beginObject()
    write("prefix", rules.prefix)
    write("pattern", rules.pattern?.source)
    write("forbidden", rules.forbidden.map(\.source))
    write("forbiddenFrom", rules.forbiddenFrom?.file)
    write("minLength", rules.minLength)
    write("maxLength", rules.maxLength)
    if isName {
      key("trimmed")
      boolean(rules.trimmed)
      key("singleScript")
      boolean(rules.singleScript)
    }
    write("mode", rules.mode)
    endObject()
  }

  fileprivate mutating func write(_ name: StaticString, _ match: PlainMatch) {
    key(name)
    beginObject()
    write("tenants", match.tenants)
    write("appInstances", match.appInstances)
    write("operations", match.operations)
    if let labels = match.tenantLabels {
      key("tenantLabels")
      beginObject()
      for (label, globs) in labels.sorted(by: { $0.key < $1.key }) {
        key(text: Text(label))
        strings(globs)
      }
      endObject()
    }
    for excluded in match.exclude { write("exclude", excluded) }
    endObject()
  }

  fileprivate mutating func write(_ name: StaticString, _ when: PlainWhen) {
    key(name)
    write(when)
  }

  private mutating func write(_ when: PlainWhen) {
    beginObject()
    for (field, condition) in when.conditions {
      key(text: Text(field))
      write(condition)
    }
    write("all", when.all)
    write("any", when.any)
    for denied in when.not { write("not", denied) }
    endObject()
  }

  private mutating func write(_ name: StaticString, _ parts: [PlainWhen]?) {
    guard let parts else { return }
    key(name)
    beginArray()
    for part in parts { write(part) }
    endArray()
  }

  private mutating func write(_ condition: PlainWhen.Condition) {
    if case .globs(let globs) = condition { return strings(globs) }
    beginObject()
    switch condition {
    case .globs: break
    case .pattern(let pattern): write("pattern", pattern.source)
    case .range(let least, let most):
      write("min", least)
      write("max", most)
    case .present(let isPresent):
      key("present")
      boolean(isPresent)
    }
    endObject()
  }
}
