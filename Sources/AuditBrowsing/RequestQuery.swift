internal import Admin
internal import AuditTrail
internal import Configuration
internal import Primitives

/// Which requests `/api/requests` and `/api/counts` are asked for: the filters of `audit query` by the names that its JSON
/// has, how many of them, and where the page before ended or what is to be counted.
struct RequestQuery: Sendable {
  struct Fault: Error {
    /// Lower case, no full stop.
    let message: String
  }

  /// Behind a request of an answer: the next page begins there.
  struct Cursor: Sendable, Hashable {
    let sequence: Int
    let time: WallClockTime

    var written: String { "\(sequence)-\(time.nanoseconds)" }

    init(sequence: Int, time: WallClockTime) {
      self.sequence = sequence
      self.time = time
    }

    init?(_ written: String) {
      let parts = written.split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 2, let sequence = Int(parts[0]), sequence > 0, let time = Int64(parts[1]) else {
        return nil
      }
      self.init(sequence: sequence, time: WallClockTime(nanoseconds: time))
    }

    /// A request is recorded when it has waited for its turn: so much may its time be before that of one that was
    /// recorded earlier. Nanoseconds.
    static let slack: Int64 = 120 * 1_000_000_000
  }

  private(set) var filter = QueryFilter()
  private(set) var limit = standardLimit
  private(set) var before: Cursor?
  private(set) var countBy: [RequestCounts.Field] = []

  static let standardLimit = 50
  static let mostRequests = 200

  private static let filters = [
    "userId", "userArn", "tenant", "actor", "accessKeyId", "operation", "decision", "outcome", "rule", "name",
    "tag", "withoutTag", "since", "until", "limit",
  ]
  static let names = filters + ["before"]
  static let namesToCount = filters + ["countBy"]
  private static let repeatable: Set<String> = ["tag", "withoutTag"]
  private static let mostTags = 16

  /// - Parameter names: those that parameters may have.
  init(
    _ parameters: [APIParameter], names: [String] = names, sensitive: GatewayConfiguration.Sensitive,
    now: WallClockTime
  ) throws(Fault) {
    filter.hashKey = sensitive.key
    var seen: Set<String> = []
    for parameter in parameters {
      let (name, value) = (parameter.name.string, parameter.value.string)
      guard names.contains(name) else {
        throw Fault(message: FilterWords.unknown("parameter", name, among: names))
      }
      guard seen.insert(name).inserted || Self.repeatable.contains(name) else {
        throw Fault(message: "`\(name)` is given twice")
      }
      // An empty field of a form asks for nothing.
      if value.isEmpty { continue }
      try take(name, value, sensitive, now)
    }
    if names.contains("countBy"), countBy.isEmpty {
      throw Fault(
        message:
          "`countBy` is missing; it takes fields with commas between them: \(RequestCounts.Field.names)")
    }
    if let before {
      let latest = before.time.advanced(byNanoseconds: Cursor.slack)
      filter.until = filter.until.map { min($0, latest) } ?? latest
    }
  }

  private mutating func take(
    _ name: String, _ value: String, _ sensitive: GatewayConfiguration.Sensitive, _ now: WallClockTime
  ) throws(Fault) {
    let text = Text(value)
    switch name {
    case "userId": filter.userId = text
    case "userArn": filter.userArn = text
    case "tenant": filter.tenant = text
    case "actor": filter.actor = text
    case "accessKeyId": filter.accessKeyId = text
    case "operation":
      try refuse(FilterWords.fault(operation: value))
      filter.operation = text
    case "decision": filter.decision = try choice(name, value)
    case "outcome": filter.outcome = try choice(name, value)
    case "rule":
      try refuse(FilterWords.fault(rule: value))
      filter.rule = text
    case "name":
      try refuse(FilterWords.fault(searching: name, under: sensitive.name, of: "name"))
      filter.name = text
    case "tag": try takeTag(value, sensitive)
    case "withoutTag":
      filter.withoutTags.append(text)
      guard filter.withoutTags.count <= Self.mostTags else { throw Fault(message: "too many tags") }
    case "since": filter.since = try time(name, value, now)
    case "until": filter.until = try time(name, value, now)
    case "limit":
      guard let number = Int(value), (1...Self.mostRequests).contains(number) else {
        throw Fault(message: "`limit` must be a number from 1 to \(Self.mostRequests)")
      }
      limit = number
    case "countBy":
      try refuse(FilterWords.fault(countBy: value))
      countBy = RequestCounts.Field.list(value) ?? []
    default:
      guard let cursor = Cursor(value) else {
        throw Fault(message: "`before` must be what the answer before gave as `next`")
      }
      before = cursor
    }
  }

  private mutating func takeTag(_ value: String, _ sensitive: GatewayConfiguration.Sensitive) throws(Fault) {
    guard let tag = FilterWords.tag(value) else { throw Fault(message: "`tag` must be written KEY=VALUE") }
    if FilterWords.isMeantAsUnequal(tag.key) {
      throw Fault(message: "`tag` takes KEY=VALUE; `withoutTag` finds requests that lack a key")
    }
    try refuse(FilterWords.fault(searching: "tag", under: sensitive.tagValues, of: "tagValues"))
    filter.tags.append(tag)
    guard filter.tags.count <= Self.mostTags else { throw Fault(message: "too many tags") }
  }

  private func refuse(_ fault: String?) throws(Fault) {
    if let fault { throw Fault(message: fault) }
  }

  private func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: String, _ value: String
  ) throws(Fault) -> Choice {
    if let choice = Choice(rawValue: value) { return choice }
    throw Fault(message: FilterWords.unknown(name, value, among: Choice.allCases.map(\.rawValue)))
  }

  private func time(_ name: String, _ value: String, _ now: WallClockTime) throws(Fault) -> WallClockTime {
    if let time = TimeExpression(value) { return time.resolved(at: now) }
    throw Fault(
      message: "`\(name)` must be a time (RFC 3339), a date, or how long ago, such as 15m, 24h or 7d")
  }
}
