package import Primitives
internal import StrictJSON

/// How many requests there are of each kind.
package struct RequestCounts: Sendable {
  /// What kinds are told apart by.
  package enum Field: String, Sendable, CaseIterable {
    case tenant, actor, operation, decision, outcome, rule, appInstanceArn
    /// In UTC; both can be given as a time again.
    case day, hour

    package static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// Fields with commas between them, each once; `nil`: it is not written so.
    package static func list(_ written: String) -> [Field]? {
      let names = written.split(separator: ",", omittingEmptySubsequences: false)
      let fields = names.compactMap { Field(rawValue: String($0)) }
      return fields.count == names.count && Set(fields).count == fields.count ? fields : nil
    }
  }

  package let fields: [Field]
  private var counts: [[Text?]: Int] = [:]

  package init(by fields: [Field]) { self.fields = fields }

  /// Counts the request under each rule of it, where rules are told apart: without any, not at all.
  package mutating func add(_ request: RequestHistory) {
    var keys: [[Text?]] = [[]]
    for field in fields {
      let values = Self.values(of: field, in: request)
      keys = keys.flatMap { key in values.map { key + [$0] } }
    }
    for key in keys { counts[key, default: 0] += 1 }
  }

  /// The largest count first; along time where days or hours are told apart.
  package var rows: [(values: [Text?], count: Int)] {
    let isAlongTime = fields.contains(.day) || fields.contains(.hour)
    return counts.map { ($0.key, $0.value) }.sorted { left, right in
      if !isAlongTime, left.1 != right.1 { return left.1 > right.1 }
      return left.0.lexicographicallyPrecedes(right.0) { ($0 ?? "") < ($1 ?? "") }
    }
  }

  /// How many kinds there are so far.
  package var kinds: Int { counts.count }

  /// `{"tenant":"crm","count":3}`; `null` where requests have no such value.
  package static func json(_ values: [Text?], _ count: Int, by fields: [Field]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    for (field, value) in zip(fields, values) {
      writer.key(text: Text(field.rawValue))
      if let value { writer.string(value) } else { writer.null() }
    }
    writer.key("count")
    writer.integer(count)
    writer.endObject()
    return writer.bytes
  }

  private static func values(of field: Field, in request: RequestHistory) -> [Text?] {
    switch field {
    case .tenant, .actor, .operation, .decision, .appInstanceArn: [request.text(Text(field.rawValue))]
    case .outcome: [request.outcome]
    case .rule: Set(request.rules).sorted()
    case .day: [Text(String(request.time.rfc3339.prefix(10)))]
    case .hour: [Text("\(request.time.rfc3339.prefix(13)):00:00Z")]
    }
  }
}
