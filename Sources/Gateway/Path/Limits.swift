internal import Configuration
internal import Primitives
internal import RateLimiting
internal import SharedLimits

/// The limits of all workers together that are not a region's.
final class Limits: Sendable {
  private let sources = SourceTable()
  /// Under which names the store has them; `nil`: there is none.
  private let keys: StoreKeys?

  init(keys: StoreKeys? = nil) { self.keys = keys }

  /// Puts a reload's limits in force: what is used up under the old ones is so, in proportion, under the new.
  func change(to snapshot: Snapshot, now: MonotonicInstant) {
    snapshot.changeMeters(now: now)
    if let limit = snapshot.sourceLimit { sources.change(to: limit, now: now) }
  }

  /// The source that requests from `address` count for.
  func source(at address: Text, now: MonotonicInstant) -> Source {
    let key =
      IPAddress(parsing: address.utf8).map { SourceKey.v6(high: $0.high, low: $0.low) } ?? .other(address)
    return Source(address, sources.cell(of: key, now: now), keys)
  }
}

/// An address that requests come from, with the state of its rate limit. A connection keeps the one of its peer.
final class Source: Sendable {
  let address: Text
  private let cell: LimiterCell
  /// Under which the store has its rate; none where there is no store.
  let sharedKey: StoreKey

  fileprivate init(_ address: Text, _ cell: LimiterCell, _ keys: StoreKeys?) {
    self.address = address
    self.cell = cell
    sharedKey = keys?.bucket("source", [Self.network(of: address)]) ?? .none
  }

  /// What the journal counts refusals by: an address, or of IPv6 the network that its limit is for.
  var network: Text { Self.network(of: address) }

  private static func network(of address: Text) -> Text {
    guard let parsed = IPAddress(parsing: address.utf8), !parsed.isIPv4 else { return address }
    return Text("\(IPAddress(high: parsed.high, low: 0).description)/64")
  }

  /// Takes over what the store has of it.
  func mirror(_ limit: GCRA, ahead: Int64, now: MonotonicInstant) {
    cell.mirror(limit, ahead: ahead, now: now)
  }

  /// Decides on one request and counts it when it is within the limit.
  func admit(_ limit: GCRA, now: MonotonicInstant) -> LimitDecision { cell.decide(limit, now: now) }

  /// What it would say of one request, which is not counted.
  func look(_ limit: GCRA, now: MonotonicInstant) -> LimitDecision { cell.look(limit, now: now) }
}
