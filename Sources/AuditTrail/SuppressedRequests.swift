package import Primitives

/// What a `suppressed` record says: how many requests were answered of which each has no record of its own, so that the
/// journal's count of requests is that of the answers.
package struct SuppressedRequests: Sendable, Hashable {
  package struct Source: Sendable, Hashable {
    /// An address, or the network of IPv6 addresses that counts as one.
    package let address: Text
    package let count: Int

    package init(address: Text, count: Int) {
      self.address = address
      self.count = count
    }
  }

  package var count = 0
  /// What their records would have taken.
  package var bytes = 0
  /// When the first of them came.
  package let since: WallClockTime
  package var byDecision: [AuditDecision: Int] = [:]
  /// Those that most of them came from, the loudest first.
  package var loudest: [Source] = []
  /// How many other sources there were.
  package var more = 0

  package init(since: WallClockTime) { self.since = since }

  package mutating func add(_ decision: AuditDecision, count: Int = 1, bytes: Int) {
    self.count += count
    self.bytes += bytes
    byDecision[decision, default: 0] += count
  }

  /// The record, without its place in the chain.
  package func record(at time: WallClockTime) -> [UInt8] {
    var out = ByteBuffer(capacity: 512)
    out.append("\"record\":\"suppressed\",\"time\":\"")
    out.append(rfc3339: time)
    out.append("\",\"count\":")
    out.append(decimal: count)
    out.append(",\"bytes\":")
    out.append(decimal: bytes)
    out.append(",\"since\":\"")
    out.append(rfc3339: since)
    out.append("\",\"byDecision\":{")
    var separator: StaticString = "\""
    for decision in AuditDecision.allCases {
      guard let count = byDecision[decision] else { continue }
      out.append(separator)
      separator = ",\""
      out.append(Array(decision.rawValue.utf8).span)
      out.append("\":")
      out.append(decimal: count)
    }
    out.append("},\"sources\":{\"loudest\":[")
    separator = "{\"address\":"
    for source in loudest {
      out.append(separator)
      separator = ",{\"address\":"
      out.append(jsonString: RecordWriter.cut(source.address.utf8.span, after: Self.longestAddress))
      out.append(",\"count\":")
      out.append(decimal: source.count)
      out.append("}")
    }
    out.append("],\"more\":")
    out.append(decimal: more)
    out.append("}}")
    return out.array
  }

  /// IP addresses are shorter; what else a peer may be called is not ours to choose.
  private static let longestAddress = 128
}
