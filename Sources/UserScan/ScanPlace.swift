internal import PolicyEngine
package import Primitives
internal import StrictJSON

/// What a scan has found so far, in numbers.
package struct ScanTally: Sendable, Hashable {
  /// A rule of a policy.
  package struct Rule: Sendable, Hashable {
    package let policy: Text
    package let rule: Text
    package let isWarning: Bool
  }

  /// Those that were read and judged.
  package var users = 0
  /// Those that break an `enforce` policy.
  package var breaking = 0
  /// Those that break `warn` policies only.
  package var warned = 0
  /// Those that rules by tenant were not held against.
  package var withoutTenant = 0
  /// Users that could not be read.
  package var failed = 0
  /// AppInstances whose users could not be listed.
  package var unlisted = 0
  /// How many users break each rule.
  package var rules: [Rule: Int] = [:]

  package init() {}

  /// Whether everything was read, and nothing breaks what is enforced.
  package var isGood: Bool { breaking == 0 && failed == 0 && unlisted == 0 }

  mutating func count(_ finding: ScanFinding) {
    users += 1
    if finding.tenant == nil { withoutTenant += 1 }
    if !finding.violations.isEmpty {
      breaking += 1
    } else if !finding.warnings.isEmpty {
      warned += 1
    }
    let broken =
      finding.violations.map { Rule(policy: $0.policy, rule: Text($0.rule), isWarning: false) }
      + finding.warnings.map { Rule(policy: $0.policy, rule: Text($0.rule), isWarning: true) }
    for rule in Set(broken) { rules[rule, default: 0] += 1 }
  }
}

/// How far a scan is, so that one that was stopped can go on.
package struct ScanPlace: Sendable, Hashable {
  /// In the order in which they are read.
  package let appInstances: [Text]
  /// The one under way; their number when all are done.
  package internal(set) var current = 0
  /// Of the page of users under way.
  package internal(set) var token: Text?
  /// The users of that page that are done. Users come and go meanwhile, so that their number would not tell.
  package internal(set) var done: [Text] = []
  package internal(set) var tally = ScanTally()

  package init(appInstances: [Text]) { self.appInstances = appInstances }

  package var isComplete: Bool { current >= appInstances.count }
  /// Whether no user of a page is done and others are not.
  package var isAtPageStart: Bool { done.isEmpty }
}

// The file in which it is kept.
extension ScanPlace {
  private static let version = 1

  package var json: [UInt8] {
    var writer = JSONWriter(pretty: true)
    writer.beginObject()
    writer.key("gatehouseScan")
    writer.integer(Self.version)
    writer.list("appInstances", appInstances)
    writer.key("current")
    writer.integer(current)
    if let token {
      writer.key("token")
      writer.string(token)
    }
    writer.list("done", done)
    writer.key("tally")
    writer.beginObject()
    tally.writeNumbers(to: &writer)
    writer.endObject()
    writer.endObject()
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  /// `nil` when these bytes are no place of a scan.
  package init?(_ bytes: [UInt8]) {
    guard let document = try? JSONDocument(parsing: bytes) else { return nil }
    let root = document.root
    guard document.count("gatehouseScan", of: root) == Self.version,
      let appInstances = document.texts("appInstances", of: root),
      let current = document.count("current", of: root), (0...appInstances.count).contains(current),
      let done = document.texts("done", of: root), let node = document.member("tally", of: root),
      let tally = ScanTally(node, in: document)
    else { return nil }
    self.init(appInstances: appInstances)
    self.current = current
    self.done = done
    self.tally = tally
    token = document.text("token", of: root)
  }
}

extension ScanTally {
  private static let numbers: [(key: StaticString, path: any WritableKeyPath<ScanTally, Int> & Sendable)] = [
    ("users", \.users), ("breaking", \.breaking), ("withoutTenant", \.withoutTenant), ("failed", \.failed),
    ("warned", \.warned), ("unlistedAppInstances", \.unlisted),
  ]

  /// In the order of policies and rules.
  package var sortedRules: [(rule: Rule, users: Int)] {
    rules.map { ($0.key, $0.value) }.sorted {
      ($0.0.policy, $0.0.isWarning ? 1 : 0, $0.0.rule) < ($1.0.policy, $1.0.isWarning ? 1 : 0, $1.0.rule)
    }
  }

  func writeNumbers(to writer: inout JSONWriter) {
    for (key, path) in Self.numbers {
      writer.key(key)
      writer.integer(self[keyPath: path])
    }
    writer.key("rules")
    writer.beginArray()
    for (rule, users) in sortedRules {
      writer.beginObject()
      writer.key("policy")
      writer.string(rule.policy)
      writer.key("rule")
      writer.string(rule.rule)
      writer.key("mode")
      writer.string(rule.isWarning ? "warn" : "enforce")
      writer.key("users")
      writer.integer(users)
      writer.endObject()
    }
    writer.endArray()
  }

  fileprivate init?(_ node: JSONNode, in document: JSONDocument) {
    for (key, path) in Self.numbers {
      guard let number = document.count(Text(key.description), of: node) else { return nil }
      self[keyPath: path] = number
    }
    guard let list = document.member("rules", of: node) else { return nil }
    for entry in document.elements(list) {
      guard let policy = document.text("policy", of: entry), let rule = document.text("rule", of: entry),
        let mode = document.text("mode", of: entry), let users = document.count("users", of: entry)
      else { return nil }
      rules[Rule(policy: policy, rule: rule, isWarning: mode == "warn")] = users
    }
  }
}

extension JSONDocument {
  fileprivate func count(_ key: Text, of node: JSONNode) -> Int? {
    member(key, of: node).flatMap { integer($0) }.flatMap { $0 >= 0 ? $0 : nil }
  }

  fileprivate func texts(_ key: Text, of node: JSONNode) -> [Text]? {
    guard let list = member(key, of: node) else { return nil }
    let found = elements(list).map { text($0) }
    return found.contains(nil) ? nil : found.compactMap(\.self)
  }
}

extension JSONWriter {
  fileprivate mutating func list(_ key: StaticString, _ values: [Text]) {
    self.key(key)
    beginArray()
    for value in values { string(value) }
    endArray()
  }
}
