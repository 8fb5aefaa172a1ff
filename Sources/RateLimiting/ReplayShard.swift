internal import Primitives

/// The part of a `ReplayTable` behind one lock.
struct ReplayShard: Sendable {
  typealias Object = AnyObject & Sendable

  private enum Entry: Sendable {
    case inFlight(RequestDigest, [any Object])
    case answered(RequestDigest, any Object, at: MonotonicInstant)
  }

  /// As `ReplayTable.Admission`.
  enum Admission {
    case proceed, join, conflict
    case replay(any Object)
  }

  private var entries: [ReplayKey: Entry] = [:]
  private var answered: AnsweredKeys
  private let window: Int64

  init(window: Int64, capacity: Int) {
    self.window = window
    answered = AnsweredKeys(capacity: capacity)
  }

  var count: Int { entries.count }

  mutating func begin(_ key: ReplayKey, digest: RequestDigest, now: MonotonicInstant) -> Admission {
    dropExpired(now: now)
    // Nearly every key is new: putting it there first looks it up once.
    guard let known = entries.updateValue(.inFlight(digest, []), forKey: key) else { return .proceed }
    entries[key] = known
    switch known {
    case .inFlight(let other, _): return other == digest ? .join : .conflict
    case .answered(let other, let answer, _): return other == digest ? .replay(answer) : .conflict
    }
  }

  mutating func add(_ waiter: any Object, to key: ReplayKey) -> Bool {
    guard case .inFlight(let digest, let waiters)? = entries[key] else { return false }
    entries[key] = .inFlight(digest, waiters + [waiter])
    return true
  }

  mutating func finish(
    _ key: ReplayKey, definitive: (any Object)?, now: MonotonicInstant
  ) -> [any Object] {
    guard let place = entries.index(forKey: key),
      case .inFlight(let digest, let waiters) = entries.values[place]
    else { return [] }
    guard let definitive else {
      entries.remove(at: place)
      return waiters
    }
    entries.values[place] = .answered(digest, definitive, at: now)
    // Of more than the capacity the oldest goes, which is another one.
    if answered.isFull, let oldest = answered.popFirst() { forget(oldest) }
    answered.append(AnsweredKeys.Item(key: key, at: now))
    return waiters
  }

  private mutating func dropExpired(now: MonotonicInstant) {
    while let oldest = answered.first, now.nanoseconds(since: oldest.at) >= window {
      _ = answered.popFirst()
      forget(oldest)
    }
  }

  private mutating func forget(_ item: AnsweredKeys.Item) {
    // The key may have been let go of and answered anew since.
    if case .answered(_, _, item.at)? = entries[item.key] { entries[item.key] = nil }
  }
}

/// Keys in the order in which they were answered: a ring that grows up to its capacity.
private struct AnsweredKeys: Sendable {
  struct Item: Sendable {
    let key: ReplayKey
    let at: MonotonicInstant
  }

  private var items: [Item] = []
  private var start = 0
  private var count = 0
  private let capacity: Int

  init(capacity: Int) { self.capacity = capacity }

  var first: Item? { count > 0 ? items[start] : nil }
  var isFull: Bool { count == capacity }

  /// There must be room.
  mutating func append(_ item: Item) {
    let end = start + count < capacity ? start + count : start + count - capacity
    if end == items.count { items.append(item) } else { items[end] = item }
    count += 1
  }

  mutating func popFirst() -> Item? {
    guard let item = first else { return nil }
    start = start + 1 < capacity ? start + 1 : 0
    count -= 1
    return item
  }
}
