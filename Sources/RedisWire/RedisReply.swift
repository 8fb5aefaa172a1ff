/// What a Redis server answers to one command, in its protocol's second version (RESP2).
package enum RedisReply: Sendable, Hashable {
  /// `+OK`
  case status([UInt8])
  /// `-NOSCRIPT No matching script.`
  case error(RedisError)
  /// `:42`
  case integer(Int64)
  /// Bytes of any kind, behind their length.
  case bulk([UInt8])
  case array([RedisReply])
  /// An array of nothing but integers, of which there is one at least.
  case integers([Int64])
  /// No bytes, or no array.
  case null

  /// The number in a reply that is one.
  package var integer: Int64? {
    guard case .integer(let value) = self else { return nil }
    return value
  }

  /// The bytes of a reply that is some.
  package var bytes: [UInt8]? {
    switch self {
    case .status(let bytes), .bulk(let bytes): bytes
    case .error, .integer, .array, .integers, .null: nil
    }
  }

  package var elements: [RedisReply]? {
    switch self {
    case .array(let elements): elements
    case .integers(let numbers): numbers.map { .integer($0) }
    case .status, .error, .integer, .bulk, .null: nil
    }
  }
}

/// An error that a server answers with.
package struct RedisError: Sendable, Hashable {
  /// `NOSCRIPT No matching script.`
  package let message: [UInt8]

  package init(_ message: [UInt8]) { self.message = message }

  /// Its first word, in capitals by custom, by which clients tell errors apart.
  package var code: String { String(decoding: message.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self) }

  /// For people: only what is printable, and no more than a line of it.
  package var shown: String {
    let printable = message.prefix(200).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
    return String(decoding: printable, as: UTF8.self)
  }
}
