package import SharedLimits

/// The right to have one request in flight, as the store knows it, or will.
package final class SharedLease {
  package let key: StoreKey
  package let name: [UInt8]
  /// Among those that are held; `nil`: it is not.
  fileprivate var place: Int?
  fileprivate var renewedAt: Int64 = 0

  init(key: StoreKey, name: [UInt8]) {
    self.key = key
    self.name = name
  }
}

/// The leases of one loop's requests in flight.
struct HeldLeases {
  private var leases: [SharedLease] = []

  var count: Int { leases.count }

  mutating func insert(_ lease: SharedLease, now: Int64) {
    lease.place = leases.count
    lease.renewedAt = now
    leases.append(lease)
  }

  /// - Returns: whether it was held.
  mutating func remove(_ lease: SharedLease) -> Bool {
    guard let place = lease.place else { return false }
    lease.place = nil
    let last = leases.removeLast()
    if place < leases.count {
      leases[place] = last
      last.place = place
    }
    return true
  }

  /// Those that were renewed before `time`, by their keys, no more than `most`; they count as renewed `now`.
  mutating func renew(
    before time: Int64, now: Int64, most: Int
  ) -> [(key: StoreKey, members: [[UInt8]])] {
    var byKey: [StoreKey: [[UInt8]]] = [:]
    var left = most
    for lease in leases where lease.renewedAt <= time {
      guard left > 0 else { break }
      left -= 1
      lease.renewedAt = now
      byKey[lease.key, default: []].append(lease.name)
    }
    return byKey.map { (key: $0.key, members: $0.value) }
  }
}
