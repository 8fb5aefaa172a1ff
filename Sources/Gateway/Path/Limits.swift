internal import Configuration
internal import Primitives
internal import RateLimiting

/// The limits of all workers together that are not a region's.
final class Limits: Sendable {
  private let sources = SourceTable()

  /// Puts a reload's limits in force: what is used up under the old ones is so, in proportion, under the new.
  func change(to snapshot: Snapshot, now: MonotonicInstant) {
    snapshot.changeMeters(now: now)
    if let limit = snapshot.sourceLimit { sources.change(to: limit, now: now) }
  }

  /// The source that requests from `address` count for.
  func source(at address: Text, now: MonotonicInstant) -> Source {
    let key =
      IPAddress(parsing: address.utf8).map { SourceKey.v6(high: $0.high, low: $0.low) } ?? .other(address)
    return Source(address, sources.cell(of: key, now: now))
  }
}

/// An address that requests come from, with the state of its rate limit. A connection keeps the one of its peer.
final class Source: Sendable {
  let address: Text
  private let cell: LimiterCell

  fileprivate init(_ address: Text, _ cell: LimiterCell) {
    self.address = address
    self.cell = cell
  }

  /// What the journal counts refusals by: an address, or of IPv6 the network that its limit is for.
  var network: Text {
    guard let parsed = IPAddress(parsing: address.utf8), !parsed.isIPv4 else { return address }
    return Text("\(IPAddress(high: parsed.high, low: 0).description)/64")
  }

  /// Decides on one request and counts it when it is within the limit.
  func admit(_ limit: GCRA, now: MonotonicInstant) -> LimitDecision { cell.decide(limit, now: now) }

  /// What it would say of one request, which is not counted.
  func look(_ limit: GCRA, now: MonotonicInstant) -> LimitDecision { cell.look(limit, now: now) }
}
