internal import AuditTrail
internal import Primitives
internal import StrictJSON

/// A query in SQL: the records that a filter may be about. It finds whatever `QueryFilter.matches` takes and perhaps
/// more, since columns hold cut values and times are rounded; what is found is then judged by the whole record.
///
/// The values of the filter are parameters, never part of the text.
struct QuerySelection {
  /// Of each record its `sequence` and `request_id`, in order.
  private(set) var statement = ""
  /// The first is the gateway's id.
  private(set) var parameters: [[UInt8]?]
  private let table: String

  /// More than the rounding of any time.
  private static let rounding: Int64 = 1_000_000_000

  init(_ filter: QueryFilter, gateway: Text, table: String, newestFirst: Bool) {
    self.table = table
    parameters = [gateway.utf8]
    let conditions = ["gateway_id = $1", "request_id IS NOT NULL"] + firstRecord(filter) + anyRecord(filter)
    statement =
      "SELECT sequence, request_id FROM \(table) WHERE \(conditions.joined(separator: " AND "))"
      + " ORDER BY sequence\(newestFirst ? " DESC" : "")"
  }

  /// What only a request's first record tells: it can be asked of the very record that is looked for.
  private mutating func firstRecord(_ filter: QueryFilter) -> [String] {
    var conditions: [String] = []
    for (column, value) in [
      ("tenant", filter.tenant), ("actor", filter.actor), ("access_key_id", filter.accessKeyId),
      ("operation", filter.operation),
    ] {
      if let value { conditions.append(equals(column, value)) }
    }
    // Any other decision may stand in the outcome alone.
    if filter.decision == .allowed { conditions.append(equals("decision", "allowed")) }
    if let since = filter.since {
      conditions.append("time >= \(time(since.advanced(byNanoseconds: -Self.rounding)))")
    }
    if let until = filter.until {
      conditions.append("time < \(time(until.advanced(byNanoseconds: Self.rounding)))")
    }
    return conditions
  }

  /// What any of a request's records may tell.
  private mutating func anyRecord(_ filter: QueryFilter) -> [String] {
    var conditions: [String] = []
    if let decision = filter.decision, decision != .allowed {
      conditions.append(oneOf([equals("decision", Text(decision.rawValue))]))
    }
    if let id = filter.userId { conditions.append(oneOf([equals("user_id", id)])) }
    if let arn = filter.userArn {
      // A request without an answer may have created the user that its id names.
      let byId = arn.userId.map { equals("user_id", $0) }
      conditions.append(oneOf([equals("user_arn", arn), byId].compactMap { $0 }))
    }
    if let name = filter.name {
      conditions.append(oneOf(filter.recorded(name).map { contains("name", Self.string($0)) }, orUnrecorded))
    }
    for tag in filter.tags {
      let values = filter.recorded(tag.value)
      let received = values.map { contains("tags", Self.object([(tag.key, $0)])) }
      let changed = values.map { value in
        contains(
          "changes",
          [UInt8(ascii: "[")] + Self.object([("field", "Tags." + tag.key), ("to", value)]) + [
            UInt8(ascii: "]")
          ])
      }
      conditions.append(oneOf(received + changed, orUnrecorded))
    }
    return conditions
  }

  /// Names and tags are looked for in `record`, which some rows do not have.
  private var orUnrecorded: [String] { ["record IS NULL AND request_id IS NOT NULL"] }

  /// A query for each alternative, so that each has its index.
  private func oneOf(_ alternatives: [String]...) -> String {
    let parts = alternatives.joined().map {
      "SELECT request_id FROM \(table) WHERE gateway_id = $1 AND \($0)"
    }
    return "request_id IN (\(parts.joined(separator: " UNION ALL ")))"
  }

  private mutating func equals(_ column: String, _ value: Text) -> String {
    "\(column) = \(bind(ShippedRow.cut(value)))"
  }

  private mutating func contains(_ member: String, _ json: [UInt8]) -> String {
    "record -> '\(member)' @> \(bind(json))::jsonb"
  }

  private mutating func time(_ time: WallClockTime) -> String {
    "\(bind(Array(time.rfc3339.utf8)))::timestamptz"
  }

  private mutating func bind(_ value: [UInt8]) -> String {
    parameters.append(value)
    return "$\(parameters.count)"
  }

  private static func string(_ value: Text) -> [UInt8] {
    var writer = JSONWriter()
    writer.string(value)
    return writer.bytes
  }

  private static func object(_ members: [(key: Text, value: Text)]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    for (key, value) in members {
      writer.key(text: key)
      writer.string(value)
    }
    writer.endObject()
    return writer.bytes
  }
}
