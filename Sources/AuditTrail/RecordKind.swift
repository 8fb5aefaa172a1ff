/// What a record tells.
package enum RecordKind: String, Sendable {
  /// A request, before it is forwarded.
  case intent
  /// A request that has ended.
  case outcome
  /// What was found out afterwards about a request whose outcome was not known.
  case reconciled
  /// That retention removed segments; about no request.
  case expired
  /// That the start found a record cut that had been whole; about no request.
  case dropped

  package var isOfRequest: Bool { self != .expired && self != .dropped }
}
