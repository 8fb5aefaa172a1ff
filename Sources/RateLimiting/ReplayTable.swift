package import Primitives

/// Repeats of a create, as SDKs send them when an answer is late, from all loops: they join the one in flight, or
/// get its recorded answer for as long as the window lasts.
///
/// A key goes: absent ─begin→ in flight ─finish with an answer→ answered ─window over→ absent;
/// and from in flight, finish without an answer, back to absent. The window begins with the answer.
///
/// Only an answer that would be the same again is recorded (`isDefinitive`). After any other outcome
/// (a lost answer, a 5xx, a throttle) the next repeat goes upstream, where the ClientRequestToken that
/// it carries keeps a second user from being made; to replay a failure would defeat the retry.
///
/// Memory: requests in flight are bounded by connections; answers by `capacity` and `byteCapacity`, the oldest going
/// first. An answer is bytes, and whoever puts them in knows how to read them.
package final class ReplayTable<Waiter: AnyObject & Sendable>: Sendable {
  package enum Admission: Sendable {
    /// The first of its kind: send it, and call `finish` whatever comes of it.
    case proceed
    /// One like it is in flight: `add` a waiter, and if that is too late `begin` again.
    case join
    case replay([UInt8])
    /// The same token on another request.
    case conflict
  }

  // The shards know no type of ours, so that they are compiled for the ones they have; what comes back
  // out of them can only be what this class has put in.
  private let shards: Sharded<ReplayShard>
  private let isOn: Bool

  /// - Parameters:
  ///   - windowNanoseconds: 0 turns the table off: everything proceeds.
  ///   - capacity: answers kept in all.
  ///   - byteCapacity: bytes of them in all. One that is longer than a part's share is not kept.
  package init(
    windowNanoseconds: Int64, capacity: Int = 65_536, byteCapacity: Int = 32 << 20, shardCount: Int = 16
  ) {
    isOn = windowNanoseconds > 0
    let parts = max(1, shardCount)
    shards = Sharded(count: shardCount) {
      ReplayShard(
        window: windowNanoseconds, capacity: max(1, capacity / parts), byteCapacity: byteCapacity / parts)
    }
  }

  package func begin(_ key: ReplayKey, digest: RequestDigest, now: MonotonicInstant) -> Admission {
    guard isOn else { return .proceed }
    switch shards.withShard(choosing: key.bits, { $0.begin(key, digest: digest, now: now) }) {
    case .proceed: return .proceed
    case .join: return .join
    case .replay(let answer): return .replay(answer)
    case .conflict: return .conflict
    }
  }

  /// Adds to those that get the answer of the request in flight. `false`: there is none any more.
  package func add(_ waiter: Waiter, to key: ReplayKey) -> Bool {
    shards.withShard(choosing: key.bits) { $0.add(waiter, to: key) }
  }

  /// Ends what `begin` let proceed with an outcome that must not be repeated, and gives back those who wait for it; they
  /// get whatever the caller tells them.
  package func finish(_ key: ReplayKey) -> [Waiter] {
    guard isOn else { return [] }
    return waiters(shards.withShard(choosing: key.bits) { $0.finish(key) })
  }

  /// Ends what `begin` let proceed with an answer that repeats get, and gives back those who wait for it.
  package func finish(_ key: ReplayKey, keeping answer: Span<UInt8>, now: MonotonicInstant) -> [Waiter] {
    guard isOn else { return [] }
    return waiters(shards.withShard(choosing: key.bits) { $0.finish(key, keeping: answer, now: now) })
  }

  private func waiters(_ objects: [any ReplayShard.Object]) -> [Waiter] {
    objects.isEmpty ? [] : objects.map { unsafeDowncast($0, to: Waiter.self) }
  }

  /// Of the answers that are kept.
  package var byteCount: Int { shards.sum { $0.byteCount } }

  /// Keys in flight or answered.
  package var count: Int { shards.sum { $0.count } }
}

extension ReplayTable {
  /// Whether upstream's answer would be the same again: success, or a fault of the request itself.
  /// 401 and 403 are about the gateway's own credentials, 408, 425 and 429 about the moment.
  package static func isDefinitive(status: Int) -> Bool {
    switch status {
    case 401, 403, 408, 425, 429: false
    default: (200..<300).contains(status) || (400..<500).contains(status)
    }
  }
}
