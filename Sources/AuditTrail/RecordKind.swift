package import Primitives

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
  /// How many requests are not recorded one by one; about no single one.
  case suppressed
  /// What a later version of this program has to tell. It is part of the chain, and nothing is known of what it says.
  case other

  package var isOfRequest: Bool {
    switch self {
    case .intent, .outcome, .reconciled: true
    case .expired, .dropped, .suppressed, .other: false
    }
  }

  /// - Returns: `nil` when a record cannot have such a kind.
  package init?(named name: Text) {
    // A word, as ours are: anything else was not written by any version.
    guard (1...32).contains(name.utf8.count),
      name.utf8.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) })
    else { return nil }
    self = RecordKind(rawValue: name.string) ?? .other
  }
}
