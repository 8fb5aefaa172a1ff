/// Policies, tenants and requests as plain values, for a reference evaluator that shares no code with the engine.
struct PlainPolicy {
  struct Strings {
    var prefix: String?
    var pattern: PlainPattern?
    var forbidden: [PlainPattern] = []
    var forbiddenFrom: PlainLines?
    var minLength: Int?
    var maxLength: Int?
    var trimmed = false
    var singleScript = false
    var mode: String?
  }

  struct Required {
    var key: String
    var values: [String]?
    var valuesFrom: PlainLines?
    var pattern: PlainPattern?
    var standard: String?
    var mode: String?
  }

  var name: String
  var mode = "enforce"
  var match = PlainMatch()
  var when: PlainWhen?
  /// The keys that the `when` may ask for without protecting them.
  var mutable: [String] = []
  var userID = Strings()
  var userName = Strings()
  var required: [Required] = []
  var allowedKeys: [String]?
  var forbiddenKeys: [String] = []
  var maxCount: Int?
  var set: [(key: String, value: String)] = []
  var tagsMode: String?
  var expirationRequired = false
  var minDays: Int?
  var maxDays: Int?
  var defaultDays: Int?
  var clamps = false
  var expirationMode: String?
  var maxBytes: Int?
  var metadataForbidden: [PlainPattern] = []
  var metadataForbiddenFrom: PlainLines?
  var metadataIsJSON = false
  var metadataMode: String?
}

/// What a `match` lists; `nil`: all.
struct PlainMatch {
  var tenants: [String]?
  var appInstances: [String]?
  var operations: [String]?
  var tenantLabels: [String: [String]]?
  /// At most one; a list, since a structure cannot hold itself.
  var exclude: [PlainMatch] = []
}

/// A `when`: all of it must hold.
struct PlainWhen {
  enum Condition {
    case globs([String])
    case pattern(PlainPattern)
    case range(min: Int?, max: Int?)
    case present(Bool)
  }

  var conditions: [(field: String, condition: Condition)] = []
  var all: [PlainWhen]?
  var any: [PlainWhen]?
  /// At most one.
  var not: [PlainWhen] = []
}

/// What softens violations to warnings.
struct PlainException {
  var name: String
  /// The last day.
  var until: String
  var policies: [String]
  var rules: [String]?
  var match = PlainMatch()
  var when: PlainWhen?
}

/// A file of texts beside a policy.
struct PlainLines {
  var file: String
  /// As they stand in it, comments and blank ones included.
  var lines: [String]
  var ending: String

  var text: String { lines.map { $0 + ending }.joined() }
}

/// What an AWS tag policy says of one key.
struct PlainTagPolicy {
  var key: String
  /// `nil`: any.
  var values: [String]?
  /// `user`, `app-instance` and the like.
  var enforcedFor: [String]
  var isReportedForUsers: Bool
}

/// A regular expression, and what it means said without one.
struct PlainPattern {
  let source: String
  /// What stands in it.
  var template: String?
  /// Whether all of a value is as it says; the second is what the template is worked out to.
  let matchesWhole: @Sendable ([UInt8], [UInt8]) -> Bool
  let occurs: @Sendable ([UInt8], [UInt8]) -> Bool

  private static let isAToC: @Sendable (UInt8) -> Bool = { (0x61...0x63).contains($0) }

  static let all = [
    PlainPattern(
      source: "[a-c]+", matchesWhole: { value, _ in !value.isEmpty && value.allSatisfy(isAToC) },
      occurs: { value, _ in value.contains(where: isAToC) }),
    PlainPattern(
      source: "a|ab", matchesWhole: { value, _ in value == Array("a".utf8) || value == Array("ab".utf8) },
      occurs: { value, _ in value.contains(0x61) }),
    PlainPattern(
      source: ".*-.*", matchesWhole: { value, _ in !value.contains(0x0A) && value.contains(0x2D) },
      occurs: { value, _ in value.contains(0x2D) }),
  ]

  /// Of letters and one template.
  static let templated = [
    "${tenant.id}", "${tenant.labels.l}", "${tenant.labels.m}", "${request.appInstanceId}",
  ]
  .flatMap { template in
    [
      PlainPattern(
        source: template, template: template, matchesWhole: { $0 == $1 },
        occurs: { value, part in holds(value, part) }),
      PlainPattern(
        source: "[a-c]*\(template)", template: template,
        matchesWhole: { value, part in
          value.count >= part.count && Array(value.suffix(part.count)) == part
            && value.dropLast(part.count).allSatisfy(isAToC)
        }, occurs: { value, part in holds(value, part) }),
    ]
  }

  /// Whether one text stands in another.
  static func holds(_ value: [UInt8], _ part: [UInt8]) -> Bool {
    part.count <= value.count
      && (0...value.count - part.count).contains { start in
        part.indices.allSatisfy { value[start + $0] == part[$0] }
      }
  }
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

  /// Those in which policies have a say.
  static let operations = [
    "CreateAppInstanceUser", "UpdateAppInstanceUser", "PutAppInstanceUserExpirationSettings", "TagResource",
    "UntagResource",
  ]

  /// Those of the metadata that are JSON.
  static let jsonTexts = ["1", "[]", "{\"a\":[\"\u{1F600}\"]}", " null "]
}

extension PlainPolicy.Strings {
  var saysSomething: Bool {
    prefix != nil || pattern != nil || !forbidden.isEmpty || forbiddenFrom != nil || minLength != nil
      || maxLength != nil || trimmed || singleScript
  }
}

extension PlainPolicy {
  var saysSomethingOfTags: Bool {
    !required.isEmpty || allowedKeys != nil || !forbiddenKeys.isEmpty || maxCount != nil || !set.isEmpty
  }

  var saysSomethingOfDays: Bool {
    expirationRequired || minDays != nil || maxDays != nil || defaultDays != nil || clamps
  }

  var saysSomethingOfMetadata: Bool {
    maxBytes != nil || !metadataForbidden.isEmpty || metadataForbiddenFrom != nil || metadataIsJSON
  }
}
