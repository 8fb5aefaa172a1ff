package import RedisWire
package import Transport

/// Why the store is of no use.
package enum StoreFailure: Error, Sendable, Hashable {
  case unreachable(TransportError)
  case lost(TransportError)
  /// What came is no reply.
  case unreadable(RedisViolation)
  /// A reply that does not fit what was asked, or that nobody asked for.
  case unexpected
  /// No answer for so many nanoseconds.
  case silent(Int64)
  case refused(RedisError)
  /// No sentinel knows the server of this name.
  case unknownMaster(String)
  /// Nodes of a cluster send on and on to each other.
  case sentOn
  /// What each of several servers came to.
  indirect case several([StoreFailure])
}

extension StoreFailure: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unreachable(let error): "\(error)"
    case .lost(let error): "the connection was lost: \(error)"
    case .unreadable(let violation): "\(violation)"
    case .unexpected: "it answered something else than was asked"
    case .silent(let nanoseconds): "no answer within \(nanoseconds / 1_000_000) ms"
    case .refused(let error): "it answers: \(error.shown)"
    case .unknownMaster(let name): "no sentinel that answers knows `\(name)`"
    case .sentOn: "the cluster's nodes send on to each other"
    case .several(let failures): failures.prefix(3).map(\.description).joined(separator: "; ")
    }
  }
}

extension RedisError {
  /// Whether it is about this request alone: about the value of a key, or a slot on its way to another node.
  var isOfOneRequest: Bool {
    // Before version 7 a script's error is told inside another one.
    let text = String(decoding: message, as: UTF8.self)
    let isOfServer = ["READONLY", "OOM ", "MISCONF", "NOREPLICAS", "LOADING", "CLUSTERDOWN", "MASTERDOWN"]
      .contains { text.contains($0) }
    return !isOfServer && ["WRONGTYPE", "ERR", "ASK", "TRYAGAIN"].contains(code)
  }

  /// Where a cluster's node sends on to.
  var movedTo: (host: String, port: UInt16)? {
    let words = String(decoding: message, as: UTF8.self).split(separator: " ")
    guard words.count == 3, words[0] == "MOVED", let colon = words[2].lastIndex(of: ":"),
      let port = UInt16(words[2][words[2].index(after: colon)...]), port > 0
    else { return nil }
    let host = words[2][..<colon].drop { $0 == "[" }.prefix { $0 != "]" }
    return (String(host), port)
  }
}
