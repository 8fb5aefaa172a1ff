internal import Primitives

/// The part of a `ReplayTable` behind one lock.
///
/// What is known of a key is a plain value in a list, found by open addressing: a dictionary of enums with references in
/// them would be hashed and counted for each look.
struct ReplayShard: Sendable {
  typealias Object = AnyObject & Sendable

  private struct Entry: BitwiseCopyable {
    let key: ReplayKey
    let digest: RequestDigest
    /// `nil`: in flight.
    var answer: ByteRing.Place?
    var answeredAt: MonotonicInstant
    /// Of an answered one that which was answered next, of a free one the next free one; -1: there is none.
    var next = -1
  }

  /// As `ReplayTable.Admission`.
  enum Admission {
    case proceed, join, conflict
    case replay([UInt8])
  }

  private var entries: [Entry] = []
  private var free = -1
  private var index = ReplayIndex()
  private var answers = ByteRing()
  /// The ends of the list of answered ones.
  private var oldest = -1
  private var newest = -1
  private var answeredCount = 0
  /// Those who wait, by the place of what they wait for. Few do.
  private var waiters: [Int: [any Object]] = [:]
  private let window: Int64
  private let capacity: Int
  private let byteCapacity: Int

  init(window: Int64, capacity: Int, byteCapacity: Int) {
    self.window = window
    self.capacity = capacity
    self.byteCapacity = byteCapacity
  }

  var count: Int { index.count }

  mutating func begin(_ key: ReplayKey, digest: RequestDigest, now: MonotonicInstant) -> Admission {
    while oldest >= 0, now.nanoseconds(since: entries[oldest].answeredAt) >= window { dropOldest() }
    let known = find(key)
    guard known >= 0 else {
      add(Entry(key: key, digest: digest, answer: nil, answeredAt: now))
      return .proceed
    }
    guard entries[known].digest == digest else { return .conflict }
    guard let answer = entries[known].answer else { return .join }
    return .replay(answers[answer])
  }

  mutating func add(_ waiter: any Object, to key: ReplayKey) -> Bool {
    let known = find(key)
    guard known >= 0, entries[known].answer == nil else { return false }
    waiters[known, default: []].append(waiter)
    return true
  }

  /// Of the answers that are kept.
  var byteCount: Int { answers.count }

  /// Ends what was in flight, without an answer to be kept.
  mutating func finish(_ key: ReplayKey) -> [any Object] {
    let known = find(key)
    guard known >= 0, entries[known].answer == nil else { return [] }
    remove(known)
    return takeWaiters(known)
  }

  mutating func finish(
    _ key: ReplayKey, keeping answer: Span<UInt8>, now: MonotonicInstant
  ) -> [any Object] {
    let known = find(key)
    guard known >= 0, entries[known].answer == nil else { return [] }
    guard answer.count <= byteCapacity else {
      remove(known)
      return takeWaiters(known)
    }
    // Of more than the capacities the oldest go, which are other ones.
    if answeredCount == capacity { dropOldest() }
    while answers.count + answer.count > byteCapacity, oldest >= 0 { dropOldest() }
    entries[known].answer = answers.append(answer)
    entries[known].answeredAt = now
    if newest >= 0 { entries[newest].next = known } else { oldest = known }
    newest = known
    answeredCount += 1
    return takeWaiters(known)
  }

  private func find(_ key: ReplayKey) -> Int {
    let entries = entries.span
    return index.find(key.bits) { entries[$0].key == key }
  }

  private mutating func add(_ entry: Entry) {
    let place: Int
    if free >= 0 {
      place = free
      free = entries[place].next
      entries[place] = entry
    } else {
      place = entries.count
      entries.append(entry)
    }
    index.insert(entry.key.bits, place)
  }

  private mutating func remove(_ place: Int) {
    index.remove(entries[place].key.bits, place)
    entries[place].next = free
    free = place
  }

  private mutating func dropOldest() {
    let place = oldest
    oldest = entries[place].next
    if oldest < 0 { newest = -1 }
    answeredCount -= 1
    if let answer = entries[place].answer { answers.dropFirst(through: answer) }
    remove(place)
  }

  private mutating func takeWaiters(_ place: Int) -> [any Object] {
    waiters.isEmpty ? [] : waiters.removeValue(forKey: place) ?? []
  }
}
