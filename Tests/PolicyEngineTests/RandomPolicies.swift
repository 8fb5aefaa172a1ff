import TestSupport

/// Makes policies, tenants and requests of few words, so that they meet often.
struct RandomPolicies {
  /// What policies may hold beside what they always could.
  enum Feature { case modes, matching, whens, exceptions, lists, templates }

  static let known: Set<Feature> = [.modes, .matching, .whens, .exceptions, .lists, .templates]
  /// Whose keys are as they are written.
  static let withoutTemplates = known.subtracting([.templates])

  var random: SeededGenerator
  let features: Set<Feature>
  private var fileNumber = 0

  static let keys = ["K", "k", "Key", "L", "\u{E9}", "\u{C9}", "e\u{301}"]
  private static let values = ["a", "b", "ab", "a*", "crm", "aaaa-1", "x-\u{1F600}"]
  private static let templates = [
    "a", "b", "crm", "${tenant.id}", "x-${tenant.labels.l}", "${tenant.labels.m}", "${request.appInstanceId}",
  ]
  private static let valueGlobs =
    templates + ["a*", "?", "*b", "*${tenant.labels.l}", "${request.appInstanceId}*"]
  private static let keyTemplates = ["K${tenant.labels.m}", "${tenant.id}"]
  private static let lineTexts = [
    "a", "b", "ab", "crm", "a*", "aaaa-1", "-", "", " ", "\t ", "# b", "#", "x-\u{1F600}", "${tenant.id}",
  ]
  private static let keyGlobs = ["K", "K*", "?", "*", "k?y", "\u{E9}", "L"]
  static let appInstances = ["aaaa-1", "bbbb-2"].map {
    "arn:aws:chime:us-east-1:123456789012:app-instance/\($0)"
  }

  private static let hostileNames = [
    "\u{430}b", "\u{391}\u{3B2}", "\u{3042}\u{4E00}", "\u{AC00}\u{4E00}", "\u{AC00}\u{3042}", "a\u{4E00}",
    "a\u{200B}b", "\u{202E}ab", "\u{441}\u{301}-1",
  ]
  private static let brokenJSON = [
    "{", "[1,]", "01", "{\"a\":1,\"a\":2}", "'a'", "nul", "[1] x", "\u{FEFF}1",
  ]

  init(seed: UInt64, features: Set<Feature> = known) {
    random = SeededGenerator(seed: seed)
    self.features = features
  }

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  mutating func chance(_ percent: Int, of feature: Feature) -> Bool {
    features.contains(feature) && chance(percent)
  }

  mutating func one<Element>(_ choices: [Element]) -> Element {
    choices[Int.random(in: choices.indices, using: &random)]
  }

  mutating func some<Element>(_ choices: [Element], upTo most: Int) -> [Element] {
    (0..<Int.random(in: 0...most, using: &random)).map { _ in one(choices) }
  }

  mutating func maybe<Element>(_ percent: Int, _ choices: [Element]) -> Element? {
    chance(percent) ? one(choices) : nil
  }

  mutating func shuffled<Element>(_ list: [Element]) -> [Element] { list.shuffled(using: &random) }

  mutating func tenants() -> [PlainTenant] {
    // No prefix begins another: whose an id is then, `OwnedPrefixTests` have.
    [
      PlainTenant(id: "crm", labels: ["l": "a"]),
      PlainTenant(id: "c*m", labels: ["l": "*b?", "m": "m", "p": "ab"]),
      PlainTenant(
        id: "erp",
        labels: (maybe(50, ["b", "", "ab", "\\E."]).map { ["m": $0] } ?? [:]).merging(["p": "b-"]) { $1 }),
    ]
  }

  mutating func policies() -> [PlainPolicy] {
    let names = shuffled(["A", "B", "a", "b", "a-1", "Z"])
    return (0..<Int.random(in: 1...4, using: &random)).map { policy(named: names[$0], changes: true) }
  }

  /// - Parameter changes: whether it may change requests, not only refuse them.
  mutating func policy(named name: String, changes: Bool) -> PlainPolicy {
    var policy = PlainPolicy(name: name)
    policy.mode = changes ? one(["enforce", "enforce", "enforce", "warn", "warn", "off"]) : "enforce"
    policy.match = match()
    if chance(35, of: .whens) {
      policy.when = when(depth: 2)
      policy.mutable = Array(Set(policy.when?.keys ?? [])).sorted().filter { _ in chance(30) }
    }
    policy.userID = strings()
    policy.userID.prefix = maybe(
      20, ["crm", "${tenant.id}", "${request.appInstanceId}", "${tenant.labels.p}"])
    policy.userName = strings()
    policy.userName.trimmed = chance(30)
    policy.userName.singleScript = chance(25)
    addTagRules(to: &policy, changes: changes)
    policy.expirationRequired = chance(30)
    policy.minDays = maybe(20, [1, 2, 3])
    policy.maxDays = maybe(30, [3, 4, 5])
    policy.defaultDays = changes ? maybe(30, [1, 3, 4, 6]) : nil
    policy.clamps = changes && chance(50)
    policy.maxBytes = maybe(20, [0, 1, 4])
    policy.metadataForbidden = patterns(upTo: 1)
    policy.metadataForbiddenFrom = chance(10, of: .lists) ? lines() : nil
    policy.metadataIsJSON = chance(15)
    policy.userID.mode = ruleMode()
    policy.userName.mode = ruleMode()
    policy.tagsMode = ruleMode()
    policy.expirationMode = ruleMode()
    policy.metadataMode = ruleMode()
    return policy
  }

  mutating func tagPolicies() -> [PlainTagPolicy] {
    // Keys that differ only in case are one key to AWS, so a document has each but once.
    ["K", "L", "e\u{301}"].filter { _ in chance(20) }.map { key in
      PlainTagPolicy(
        key: key, values: chance(60) ? chance(15) ? [] : [one(["a", "a*", "crm", "*b"])] : nil,
        enforcedFor: chance(60) ? [one(["app-instance-user", "app-instance", "*"])] : [],
        isReportedForUsers: chance(30))
    }
  }

  private mutating func strings() -> PlainPolicy.Strings {
    var rules = PlainPolicy.Strings()
    rules.pattern = chance(20) ? pattern() : nil
    rules.forbidden = chance(20) ? patterns(upTo: 2) : []
    rules.forbiddenFrom = chance(10, of: .lists) ? lines() : nil
    rules.minLength = maybe(20, [0, 1, 2])
    rules.maxLength = maybe(20, [2, 3, 6])
    return rules
  }

  private mutating func addTagRules(to policy: inout PlainPolicy, changes: Bool) {
    // The loader refuses a key that is required or set twice.
    for key in keys where chance(15) {
      policy.required.append(
        .init(
          key: key, values: chance(40) ? [one(Self.valueGlobs)] + some(Self.valueGlobs, upTo: 2) : nil,
          valuesFrom: chance(20, of: .lists) ? lines() : nil, pattern: chance(20) ? pattern() : nil,
          standard: changes ? maybe(40, Self.templates) : nil, mode: ruleMode()))
    }
    if changes { for key in keys where chance(12) { policy.set.append((key, one(Self.templates))) } }
    policy.allowedKeys =
      chance(20)
      ? some(Self.keyGlobs + (features.contains(.templates) ? Self.keyTemplates : []), upTo: 4) : nil
    policy.forbiddenKeys = chance(15) ? some(Self.keyGlobs.filter { $0 != "*" }, upTo: 2) : []
    policy.maxCount = maybe(20, [1, 2, 4])
  }

  private var keys: [String] {
    Self.keys + (features.contains(.templates) ? Self.keyTemplates : [])
  }

  private mutating func ruleMode() -> String? {
    chance(12, of: .modes) ? one(["enforce", "warn", "warn", "off"]) : nil
  }

  mutating func pattern() -> PlainPattern {
    one(chance(40, of: .templates) ? PlainPattern.templated : PlainPattern.all)
  }

  private mutating func patterns(upTo most: Int) -> [PlainPattern] {
    (0..<Int.random(in: 0...most, using: &random)).map { _ in pattern() }
  }

  private mutating func lines() -> PlainLines {
    fileNumber += 1
    return PlainLines(
      file: "lines-\(fileNumber).txt", lines: some(Self.lineTexts, upTo: 5), ending: one(["\n", "\r\n"]))
  }

  mutating func request() -> PlainRequest {
    var request = PlainRequest(
      operation: chance(60) ? "CreateAppInstanceUser" : one(PlainRequest.operations),
      appInstance: one(Self.appInstances))
    request.userID = one(["a", "ab", "crm", "crm-1", "aaaa-1x", "b-b", "abc"])
    request.name = one(
      ["a", "\\E.", "ab", " ab", "abc", "a-b", "\u{1F600}", "e\u{301}", "b "] + Self.hostileNames)
    request.metadata = maybe(50, ["", "a", "x-y", "\u{1F600}"] + PlainRequest.jsonTexts + Self.brokenJSON)
    let keys = Self.keys + (features.contains(.templates) ? ["Km", "km", "Kb", "CRM", "crm"] : [])
    for key in shuffled(keys) where chance(25) { request.tags.append((key, one(Self.values))) }
    // What the service model wants to be there.
    if request.operation == "TagResource", request.tags.isEmpty { request.tags = [("K", "a")] }
    if request.operation == "UpdateAppInstanceUser" { request.metadata = request.metadata ?? "" }
    request.tagKeys = [one(keys)] + keys.filter { _ in chance(10) }
    request.days = maybe(60, [1, 2, 3, 4, 5, 6, 9])
    return request
  }
}
