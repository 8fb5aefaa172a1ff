package import Primitives

/// How many requests there are of each kind.
package struct RequestCounts: Sendable {
  /// What kinds are told apart by.
  package enum Field: String, Sendable, CaseIterable {
    case tenant, actor, operation, decision, outcome, rule, appInstanceArn
    /// In UTC; both can be given as a time again.
    case day, hour

    package static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
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
