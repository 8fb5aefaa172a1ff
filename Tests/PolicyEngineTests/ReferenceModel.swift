import Primitives
import StrictJSON

/// Policies, tenants and requests as plain values, for a reference evaluator that shares no code with the engine.
struct PlainPolicy {
  struct Strings {
    var prefix: String?
    var pattern: PlainPattern?
    var forbidden: [PlainPattern] = []
    var minLength: Int?
    var maxLength: Int?
    var trimmed = false
    var singleScript = false
  }

  struct Required {
    var key: String
    var values: [String]?
    var pattern: PlainPattern?
    var standard: String?
  }

  var name: String
  var mode = "enforce"
  var tenants: [String]?
  var appInstances: [String]?
  var operations: [String]?
  var userID = Strings()
  var userName = Strings()
  var required: [Required] = []
  var allowedKeys: [String]?
  var forbiddenKeys: [String] = []
  var maxCount: Int?
  var set: [(key: String, value: String)] = []
  var expirationRequired = false
  var minDays: Int?
  var maxDays: Int?
  var defaultDays: Int?
  var clamps = false
  var maxBytes: Int?
  var metadataForbidden: [PlainPattern] = []
  var metadataIsJSON = false
}

/// What an AWS tag policy says of one key.
struct PlainTagPolicy {
  var key: String
  /// `nil`: any.
  var values: [String]?
  /// `user`, `app-instance` and the like.
  var enforcedFor: [String]
  var isReportedForUsers: Bool

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

/// A regular expression, and what it means said without one.
struct PlainPattern {
  let source: String
  let matchesWhole: @Sendable ([UInt8]) -> Bool
  let occurs: @Sendable ([UInt8]) -> Bool

  private static let isAToC: @Sendable (UInt8) -> Bool = { (0x61...0x63).contains($0) }

  static let all = [
    PlainPattern(
      source: "[a-c]+", matchesWhole: { !$0.isEmpty && $0.allSatisfy(isAToC) },
      occurs: { $0.contains(where: isAToC) }),
    PlainPattern(
      source: "a|ab", matchesWhole: { $0 == Array("a".utf8) || $0 == Array("ab".utf8) },
      occurs: { $0.contains(0x61) }),
    PlainPattern(
      source: ".*-.*", matchesWhole: { !$0.contains(0x0A) && $0.contains(0x2D) },
      occurs: { $0.contains(0x2D) }),
  ]
}

struct PlainTenant {
  var id: String
  var labels: [String: String]
}

struct PlainRequest {
  var operation: String
  var appInstance: String
  var userID = "x"
  var name = "x"
  var metadata: String?
  var tags: [(key: String, value: String)] = []
  var tagKeys: [String] = []
  var days: Int?

  /// Those of the metadata that are JSON.
  static let jsonTexts = ["1", "[]", "{\"a\":[\"\u{1F600}\"]}", " null "]
}

extension PlainPolicy {
  /// The file of the policy.
  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("policy")
    writer.string(name)
    writer.key("mode")
    writer.string(mode)
    writer.key("match")
    writer.beginObject()
    writer.write("tenants", tenants)
    writer.write("appInstances", appInstances)
    writer.write("operations", operations)
    writer.endObject()
    writer.key("rules")
    writer.beginObject()
    writer.write("appInstanceUserId", userID, isName: false)
    writer.write("name", userName, isName: true)
    writeTags(to: &writer)
    writeRest(to: &writer)
    writer.endObject()
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
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
      writer.write("pattern", tag.pattern?.source)
      writer.write("default", tag.standard)
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
    writer.endObject()
  }

  private func writeRest(to writer: inout JSONWriter) {
    writer.key("expiration")
    writer.beginObject()
    writer.key("required")
    writer.boolean(expirationRequired)
    writer.write("minDays", minDays)
    writer.write("maxDays", maxDays)
    writer.write("defaultDays", defaultDays)
    writer.key("onExcess")
    writer.string(clamps ? "clamp" : "deny")
    writer.endObject()
    writer.key("metadata")
    writer.beginObject()
    writer.write("maxBytes", maxBytes)
    writer.write("forbidden", metadataForbidden.map(\.source))
    writer.write("format", metadataIsJSON ? "json" : nil)
    writer.endObject()
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
    write("minLength", rules.minLength)
    write("maxLength", rules.maxLength)
    if isName {
      key("trimmed")
      boolean(rules.trimmed)
      key("singleScript")
      boolean(rules.singleScript)
    }
    endObject()
  }
}
